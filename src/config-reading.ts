// What a configuration refers to, and what is wrong with it: files and variables of the environment are read here,
// and every fault is gathered with its path. What the values mean is for those who read them.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Static } from 'typebox'
import type { Reference } from './config-schema.js'
import type { Fault } from './errors.js'
import { isName, nameRule } from './protocol/index.js'

/** Where a configuration is read: relative paths begin at `dir`, `{ "env": NAME }` looks in `env`. */
export interface Surroundings {
  readonly dir: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** One reading of one configuration. It goes on after a fault, so that all of them are told at once. */
export class Reading {
  readonly faults: Fault[] = []
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  fault(path: string, message: string): void {
    this.faults.push({ path, message })
  }

  /** The text of a file; empty where it cannot be read, which is a fault. */
  file(path: string, name: string): string {
    try {
      return readFileSync(resolve(this.#around.dir, name), 'utf8')
    } catch (error) {
      this.fault(path, `cannot be read: ${name} (${(error as NodeJS.ErrnoException).code})`)
      return ''
    }
  }

  /** The text that stands there or is referred to. */
  text(path: string, value: Static<Reference>): string {
    if (typeof value === 'string') return value
    if ('file' in value) return this.file(`${path}.file`, value.file).trimEnd()
    const found = this.#around.env[value.env]
    if (found === undefined) this.fault(`${path}.env`, `names ${value.env}, which is not set`)
    return found ?? ''
  }

  /** The entries of an object whose keys are names, each with its path. */
  named<T>(path: string, from: Readonly<Record<string, T>>): [string, T, string][] {
    return Object.entries(from).map(([name, value]) => {
      if (!isName(name)) this.fault(`${path}.${name}`, `must be ${nameRule}`)
      return [name, value, `${path}.${name}`]
    })
  }
}
