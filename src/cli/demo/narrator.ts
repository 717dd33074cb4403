// The demo's voice: says one thing after the other, at a pace that can be read. What is told while it speaks waits
// its turn, so that the story keeps the order in which things happened.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Output } from '../output.js'
import { bold, dim, type Line, line, type Piece } from '../text.js'

type Facts = { readonly [fact: string]: unknown }

const LABEL = 16

export class Narrator {
  readonly #out: Output
  readonly #lineMs: number
  #last: Promise<void> = Promise.resolve()

  constructor(out: Output, lineMs: number) {
    this.#out = out
    this.#lineMs = lineMs
  }

  /** Settles when all that was told so far has been said. Rejects if something told could not be found out. */
  get done(): Promise<void> {
    return this.#last
  }

  chapter(title: string): void {
    this.#say({ event: 'chapter', title }, line(''), line(bold(title)))
  }

  /** One step of the story: the event for programs, the label and what happened for people. */
  step(event: string, facts: Facts, label: string, ...pieces: readonly Piece[]): void {
    const spans = [
      dim(`  ${label}`.padEnd(LABEL)),
      ...pieces.map(piece => (typeof piece === 'string' ? { text: piece } : piece)),
    ]
    this.#say({ event, ...facts }, { spans, hang: LABEL })
  }

  /** Lines of their own, beside an event. */
  show(event: string, facts: Facts, lines: readonly Line[]): void {
    this.#say({ event, ...facts }, ...lines)
  }

  /** Does something when it is its turn: what it tells is said before anything else. */
  turn(act: (narrator: Narrator) => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      const aside = new Narrator(this.#out, this.#lineMs)
      await act(aside)
      await aside.done
    })
    this.#last.catch(() => {})
  }

  #say(event: { readonly event: string; readonly [fact: string]: unknown }, ...lines: readonly Line[]): void {
    this.#last = this.#last.then(async () => {
      this.#out.tell(event, ...lines)
      await sleep(this.#lineMs)
    })
    this.#last.catch(() => {})
  }
}
