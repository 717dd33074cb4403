// A shell for one command run in this process: what it says can be awaited, keys can be typed, signals sent.

import { PassThrough, Writable } from 'node:stream'
import { run } from '../../src/cli/program.js'
import type { Interruption, Shell } from '../../src/cli/shell.js'

/** A stream that remembers what was written to it. */
export class Sink extends Writable {
  text = ''
  isTTY?: boolean
  columns?: number
  rows?: number
  #waiting: { readonly pattern: RegExp; readonly resolve: (match: RegExpExecArray) => void }[] = []

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk)
    this.#waiting = this.#waiting.filter(({ pattern, resolve }) => {
      const match = pattern.exec(this.text)
      if (match !== null) resolve(match)
      return match === null
    })
    done()
  }

  /** Settles once what was written so far matches, or holds the text. */
  until(wanted: RegExp | string): Promise<RegExpExecArray> {
    const pattern =
      typeof wanted === 'string' ? new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : wanted
    const match = pattern.exec(this.text)
    if (match !== null) return Promise.resolve(match)
    return new Promise(resolve => this.#waiting.push({ pattern, resolve }))
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }

  /** Every line as JSON. */
  get events(): { event: string; [fact: string]: unknown }[] {
    return this.lines.map(line => JSON.parse(line))
  }
}

export interface Terminal extends Shell {
  readonly stdin: PassThrough & { isTTY?: boolean }
  readonly stdout: Sink
  readonly stderr: Sink
  signal(name: Interruption, error?: unknown): void
  /** Runs a command to its exit code. */
  run(...args: string[]): Promise<number>
}

export interface TerminalOptions {
  readonly env?: Shell['env']
  readonly cwd?: string
  /** A screen of so many columns and rows; absent: a pipe. */
  readonly screen?: readonly [columns: number, rows: number]
}

export const createTerminal = ({ env = {}, cwd = '.', screen }: TerminalOptions = {}): Terminal => {
  const listeners = new Map<Interruption, Set<(reason: unknown) => void>>()
  const stdout = new Sink()
  if (screen !== undefined) {
    stdout.isTTY = true
    ;[stdout.columns, stdout.rows] = screen
  }
  const terminal: Terminal = {
    stdin: new PassThrough(),
    stdout,
    stderr: new Sink(),
    env,
    cwd,
    pid: 4242,
    on(name, listener) {
      const known = listeners.get(name) ?? new Set()
      listeners.set(name, known.add(listener))
      return () => known.delete(listener)
    },
    signal: (name, error = name) => {
      for (const listener of [...(listeners.get(name) ?? [])]) listener(error)
    },
    run: (...args) => run(args, terminal),
  }
  return terminal
}
