// A voice application on a real HTTP server: each path has its document, and every request is kept with its fields.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { CallId } from '../../src/protocol/index.js'
import { acme, type Room } from './room.js'

export interface Asked {
  readonly path: string
  readonly fields: Readonly<Record<string, string>>
}

export interface VoiceApplication {
  readonly url: string
  readonly asked: Asked[]
}

/** What is within `Response`, by path; any other path is 404. */
export const voiceApplication = async (
  t: Test,
  documents: Readonly<Record<string, string>>,
): Promise<VoiceApplication> => {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(String(request.url), 'http://here')
    const posted = new URLSearchParams(await text(request))
    asked.push({
      path: `${request.method} ${pathname}`,
      fields: Object.fromEntries([...searchParams, ...posted]),
    })
    const document = documents[pathname]
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'text/xml' })
    response.end(`<Response>${document}</Response>`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** Lets the room and its sockets turn until it holds. */
export const until = async (room: Room, holds: () => boolean): Promise<void> => {
  while (!holds()) {
    await room.clock.settle()
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Lets a call run to its end. */
export const ended = async (room: Room, call: CallId) => {
  await until(room, () => room.router.get(acme, call)?.state === 'ended')
  return room.router.get(acme, call)!
}
