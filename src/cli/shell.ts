// What a command is given: the streams, environment, folder and signals of the shell that it was started from, and
// the job it is to do in them. Nothing else of the process is seen by a command, so that it runs the same in a spec.

import type { Readable, Writable } from 'node:stream'
import type { Output } from './output.js'

/** Signals, and the fault of something that nobody waited for. */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'uncaughtException'

/** A stream that may be a terminal. */
export interface Screen extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface Shell {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Screen
  readonly stderr: Screen
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative paths begin. */
  readonly cwd: string
  readonly pid: number
  /**
   * Calls `listener` with the signal's name or the fault's error at each interruption, in place of its default, until
   * the function that it returns is called.
   */
  on(interruption: Interruption, listener: (reason: unknown) => void): () => void
}

/** One run of one command. */
export interface Job {
  readonly shell: Shell
  readonly out: Output
  /**
   * Aborted by the first SIGINT, SIGTERM or uncaught fault, with the signal's name or the error as its reason: finish in
   * good order. A second signal does not wait.
   */
  readonly stop: AbortSignal
}

/** Settles once `signal` is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
