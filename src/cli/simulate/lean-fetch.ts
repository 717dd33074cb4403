// As much of `fetch` as the SDK's API asks for, over connections that are kept, at a third of what the platform's
// costs: a simulation is many callers, and must not be what they wait for.

import { Agent, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps, Agent as SecureAgent } from 'node:https'

/** The body of an answer, piece by piece. */
const readerOf = (answer: IncomingMessage) => {
  const pieces = answer[Symbol.asyncIterator]()
  return {
    read: () => pieces.next(),
    async cancel() {
      answer.destroy()
    },
  }
}

const responseOf = (answer: IncomingMessage): Response => {
  const { statusCode: status = 0, headers } = answer
  return {
    ok: status >= 200 && status < 300,
    status,
    headers: { get: (name: string) => headers[name] ?? null },
    body: { getReader: () => readerOf(answer) },
    async json() {
      const pieces: Uint8Array[] = []
      for await (const piece of answer) pieces.push(piece)
      return JSON.parse(Buffer.concat(pieces).toString())
    },
  } as unknown as Response
}

export interface LeanFetch {
  readonly fetch: typeof globalThis.fetch
  /** Lets go of the connections that are kept. */
  close(): void
}

export const createLeanFetch = (): LeanFetch => {
  const agents = {
    'http:': { agent: new Agent({ keepAlive: true }), request: requestHttp },
    'https:': { agent: new SecureAgent({ keepAlive: true }), request: requestHttps },
  }
  const send = (input: unknown, { method, headers, body, signal }: RequestInit = {}) =>
    new Promise<Response>((resolve, reject) => {
      const url = new URL(String(input))
      const { agent, request } = agents[url.protocol as keyof typeof agents]
      const asked = request(url, {
        agent,
        method: method as string,
        headers: headers as Record<string, string>,
        ...(signal && { signal }),
      })
      asked.on('error', reject).on('response', answer => {
        // Nobody reads what has none, and its connection is to be kept.
        if (answer.statusCode === 204) answer.resume()
        resolve(responseOf(answer))
      })
      asked.end(body)
    })
  return {
    fetch: send as typeof globalThis.fetch,
    close() {
      for (const { agent } of Object.values(agents)) agent.destroy()
    },
  }
}
