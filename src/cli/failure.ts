// How a command fails: with an exit code, and a line for each thing that is wrong, which names the flag or file at
// fault. What the hub or the SDK refuses becomes one too. No stack trace ever reaches the user.

import { CommanderError } from 'commander'
import { SwitchhookError, type SwitchhookErrorCode } from '../client/index.js'
import type { Output } from './output.js'
import { line, red } from './text.js'

/** 2: bad usage, the user can mend it before trying again. 1: everything else. */
export type FailureCode = 1 | 2

export class Failure extends Error {
  readonly exitCode: FailureCode
  /** Each is shown on a line of its own. */
  readonly lines: readonly string[]

  constructor(exitCode: FailureCode, ...lines: readonly string[]) {
    super(lines.join('\n'))
    this.name = 'Failure'
    this.exitCode = exitCode
    this.lines = lines
  }
}

/** The user asked for what makes no sense. */
export const misuse = (...lines: readonly string[]): Failure => new Failure(2, ...lines)

/** The flag that decides whether the hub answers so. */
const flags: Partial<Record<SwitchhookErrorCode, string>> = {
  unauthorized: '--token',
  revoked: '--token',
  forbidden: '--token',
  'name-taken': '--token',
  disconnected: '--url',
  timeout: '--url',
}

/** What the hub finds wrong in the form of what it was asked, by the flag that each field came from: bad usage. */
export const blaming = async <T>(work: Promise<T>, sources: Readonly<Record<string, string>>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof SwitchhookError) || error.code !== 'invalid') throw error
    const { message } = error
    for (const [field, source] of Object.entries(sources)) {
      if (message.startsWith(field)) throw misuse(`${source}${message.slice(field.length)}`)
    }
    throw error
  }
}

/** Any error as a failure. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof Failure) return error
  if (error instanceof CommanderError) {
    if (error.code === 'commander.help') return misuse('no command: see switchhook --help')
    // Commander's suggestions come on lines of their own.
    return misuse(error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '))
  }
  if (error instanceof SwitchhookError) {
    return new Failure(1, `${flags[error.code] ?? error.code}: ${error.message}`)
  }
  return new Failure(1, error instanceof Error ? error.message : String(error))
}

/** Tells of what went wrong on the way, where the command goes on. */
export const reportTo =
  (out: Output) =>
  (error: unknown): void => {
    const { message } = failureOf(error)
    out.tell({ event: 'error', message }, line(red(message)))
  }
