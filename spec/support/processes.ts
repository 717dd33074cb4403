// Real processes: the package as it would be installed, compiled from the sources as they are now; children that speak
// in JSON lines, which can be awaited, and none of which outlives its test; and an outside system that knows HTTP
// and nothing of the SDK.

import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'
import { compiled } from '../suite/built.js'
import { root } from './root.js'

/** Node as a user starts it: tap's own additions to every child would slow it down. */
const env = 'env'
const node = ['-u', 'NODE_OPTIONS', process.execPath]

/** The path of the package's launcher, over the sources as they are now: the `dist` in the working tree may be older. */
export const launcherOf = async (): Promise<string> => join(await compiled(), 'bin/switchhook.js')

/** What a line must say: facts by name, each a value or a pattern. */
type Wanted = Readonly<Record<string, unknown>>
export type Facts = Readonly<Record<string, unknown>>

const says = (facts: Facts, wanted: Wanted): boolean =>
  Object.entries(wanted).every(([name, value]) =>
    value instanceof RegExp ? value.test(String(facts[name])) : isDeepStrictEqual(facts[name], value),
  )

/** What a process has said on one of its streams, and will say. */
export class Transcript {
  readonly lines: string[] = []
  readonly #news = new EventEmitter()
  #read = 0
  #over: string | undefined

  constructor(stream: Readable) {
    createInterface({ input: stream }).on('line', line => {
      this.lines.push(line)
      this.#news.emit('news')
    })
  }

  get events(): Facts[] {
    return this.lines.map(line => (line.startsWith('{') ? JSON.parse(line) : { line }))
  }

  /** The next line that says so: each is looked at once. Rejects if the process ends without it. */
  async next(wanted: Wanted): Promise<Facts> {
    for (;;) {
      const at = this.events.findIndex((facts, index) => index >= this.#read && says(facts, wanted))
      if (at >= 0) {
        this.#read = at + 1
        return this.events[at] as Facts
      }
      if (this.#over !== undefined) throw new Error(`never said ${JSON.stringify(wanted)}: ${this.#over}`)
      await once(this.#news, 'news')
    }
  }

  /** The process has ended, and says no more. */
  end(why: string): void {
    this.#over = why
    this.#news.emit('news')
  }
}

export class Child {
  readonly stdout: Transcript
  readonly stderr: Transcript
  /** Its exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>
  readonly #process: ChildProcess

  /**
   * Runs Node with these arguments, and nothing in its environment but what is given. It ends with the test.
   * `openFiles`: how many files and sockets it may have; absent: as many as this process.
   */
  constructor(
    t: Test,
    args: readonly string[],
    given: Readonly<Record<string, string>> = {},
    openFiles?: number,
  ) {
    const within = openFiles === undefined ? [] : ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`]
    const [unset, name, ...command] = node
    const child = spawn(env, [String(unset), String(name), ...within, ...command, ...args], {
      env: { PATH: process.env.PATH, ...given },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    this.stdout = new Transcript(child.stdout)
    this.stderr = new Transcript(child.stderr)
    this.exit = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        const why = `${args.join(' ')} ended (${signal ?? code})\n${this.stderr.lines.join('\n')}`
        for (const transcript of [this.stdout, this.stderr]) transcript.end(why)
        resolve(signal ?? (code as number))
      })
    })
    t.teardown(() => this.end('SIGKILL'))
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Nobody reads what it says from now on: writing is an error to it (EPIPE). */
  deafen(): void {
    this.#process.stdout?.destroy()
    this.#process.stderr?.destroy()
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** Sends a signal, and waits for the end. */
  end(name: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.signal(name)
    return this.exit
  }

  /** The events that it has told of one call, in order. */
  heard(call: unknown): unknown[] {
    return this.stdout.events.filter(facts => facts.call === call).map(({ event }) => event)
  }
}

/** A voice application with these documents, by path. */
export const startVoice = async (t: Test, documents: Readonly<Record<string, string>>) => {
  const script = join(root, 'spec/support/voice-application.mjs')
  const child = new Child(t, [script, JSON.stringify(documents)])
  const { url } = await child.stdout.next({ event: 'listening' })
  return { child, url: String(url) }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Facts
}

/** An outside system: Node's own `fetch`, and a token. */
export const outside = (url: string, token: string) => {
  const authorization = `Bearer ${token}`
  const ask = async (
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
  }
  return {
    ask,
    /** Places a call; its id. */
    async place(to: string, more: object = {}): Promise<string> {
      const { status, body } = await ask('POST', '/v1/calls', { to, from: '+15550199', ...more })
      if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`)
      return String(body.call)
    },
    async call(call: string): Promise<Facts> {
      return (await ask('GET', `/v1/calls/${call}`)).body
    },
    /** What the caller is told, to the end of the stream. */
    async *events(call: string): AsyncGenerator<Facts> {
      const response = await fetch(`${url}/v1/calls/${call}/events`, { headers: { authorization } })
      let text = ''
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + chunk).split('\n\n')
        text = blocks.pop() as string
        for (const block of blocks) {
          const [, data] = /^data: ?(.*)$/m.exec(block) ?? []
          if (data !== undefined) yield JSON.parse(data)
        }
      }
    },
  }
}
