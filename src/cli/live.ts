// A live view: what is so now, drawn in place at a terminal, and told line by line in a pipe and to programs. Changes
// that come close together are one drawing, however many there are. Lines that are printed meanwhile stand above the
// picture. The cursor is never hidden, so nothing has to be restored, however the process ends.

import type { Output } from './output.js'
import type { Line } from './text.js'

/** A picture is drawn at most every 50 ms: a reader sees no more. Returns how to give up what was to come. */
const rest = (act: () => void): (() => void) => {
  const timer = setTimeout(act, 50)
  return () => clearTimeout(timer)
}

export class Live {
  readonly #out: Output
  #picture: (() => readonly Line[]) | undefined
  readonly #rest: typeof rest
  #giveUp: (() => void) | undefined
  #over = false

  constructor(out: Output, between = rest) {
    this.#out = out
    this.#rest = between
  }

  /** Says that something has changed: the event to programs, the line in a pipe, at a terminal the picture as it is now. */
  show(
    event: { readonly event: string; readonly [fact: string]: unknown },
    line: Line,
    picture: () => readonly Line[],
  ): void {
    if (this.#out.live) this.draw(picture)
    else this.#out.tell(event, line)
  }

  /** The picture from now on, at a terminal; elsewhere nothing. It is asked for when it is drawn. */
  draw(picture: () => readonly Line[]): void {
    if (!this.#out.live || this.#over) return
    this.#picture = picture
    if (this.#giveUp === undefined) this.#flush()
  }

  /** The last picture stays, and what is printed from now on stands below it. */
  end(): void {
    this.#giveUp?.()
    this.#over = true
    if (this.#picture !== undefined) this.#out.redraw(this.#picture())
    this.#out.settle()
  }

  #flush(): void {
    this.#giveUp = undefined
    if (this.#picture === undefined) return
    this.#out.redraw(this.#picture())
    this.#picture = undefined
    this.#giveUp = this.#rest(() => this.#flush())
  }
}
