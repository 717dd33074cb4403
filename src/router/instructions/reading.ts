// What the reading of one document gathers: every fault and every warning, each with its place, so that an
// author sees them all at once. Bounded, since a hostile document could have one in every few bytes.

import type { Read } from '../../config.js'
import type { Fault } from '../../errors.js'
import { type Check, cut, plain } from '../../runtime/index.js'
import type { Instructions, Step } from './steps.js'

/** At most so many faults, and so many warnings, are kept of one document. */
const most = 64

/** At most so many destinations are dialled by one document: each is a look at everyone in it. */
export const destinationLimit = 100

/** A value of a document within a message. */
export const quoted = (text: string): string => JSON.stringify(cut(text, 64))

/** A path under another: `steps[1]` and `dial.to` are `steps[1].dial.to`; a key that is no word stands in brackets. */
export const below = (path: string, key: string): string => {
  if (path === '' || key === '') return path + key
  return /^\w+([.[:]|$)/.test(key) ? `${path}.${key}` : `${path}[${quoted(key)}]`
}

/** The fields that have a value; an optional property is left out rather than undefined. */
export const present = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

const dialledBy = (step: Step): number => {
  if (step.verb === 'dial') return step.to.length
  return step.verb === 'perform' && Array.isArray(step.with.to) ? step.with.to.length : 0
}

export class Reading {
  readonly #faults: Fault[] = []
  readonly #warnings: string[] = []

  get faults(): readonly Fault[] {
    return this.#faults
  }

  fault(path: string, message: string): void {
    if (this.#faults.length < most) this.#faults.push({ path: plain(path), message: plain(message) })
  }

  warn(path: string, message: string): void {
    if (this.#warnings.length < most) this.#warnings.push(plain(`${path} ${message}`))
  }

  /** `value` if it has the shape; else its faults are gathered, below `path`. */
  fit<T>(shape: Check<T>, value: unknown, path: string): T | undefined {
    const checked = shape(value)
    if (checked.ok) return checked.value
    for (const fault of checked.faults) this.fault(below(path, fault.path), fault.message)
    return undefined
  }

  /** What came of it. A step that had a fault may be missing or unfinished, since the whole is refused then. */
  finish(read: readonly (Step | undefined)[]): Read<Instructions> {
    const steps = read.filter(step => step !== undefined)
    const dialled = steps.reduce((count, step) => count + dialledBy(step), 0)
    if (dialled > destinationLimit)
      this.fault('', `must dial at most ${destinationLimit} destinations in all`)
    return this.#faults.length > 0
      ? { ok: false, faults: this.#faults }
      : { ok: true, value: { steps, warnings: this.#warnings } }
  }
}
