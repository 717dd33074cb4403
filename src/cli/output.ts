// Where a command says something: lines for people, or with `--json` one object a line for programs. It knows how
// wide the screen is and whether it shows colours, and it takes a reader who has gone away (EPIPE) quietly.

import type { Screen, Shell } from './shell.js'
import { jsonLine, type Line, render } from './text.js'

/** People read no further than this, however wide their screen is. */
const WIDEST = 80

export interface OutputOptions {
  readonly env: Shell['env']
  readonly json: boolean
}

export class Output {
  readonly json: boolean
  /** People see it at a terminal, which can be drawn upon. */
  readonly live: boolean
  /** Settles if the reader goes away. */
  readonly gone: Promise<void>
  readonly #screen: Screen
  readonly #colour: boolean
  #drawn = 0

  constructor(screen: Screen, { env, json }: OutputOptions) {
    this.json = json
    this.#screen = screen
    this.live = !json && screen.isTTY === true && env.TERM !== 'dumb'
    // https://no-color.org: set, and not empty.
    this.#colour = this.live && !env.NO_COLOR
    this.gone = new Promise(resolve => {
      screen.on('error', () => resolve())
    })
  }

  /** In columns. A terminal that does not know its own says 0. */
  get width(): number {
    return Math.min(this.#screen.columns || WIDEST, WIDEST)
  }

  get colour(): boolean {
    return this.#colour
  }

  /** Says that something happened: the event to programs, the lines to people. */
  tell(event: { readonly event: string; readonly [fact: string]: unknown }, ...lines: readonly Line[]): void {
    if (this.json) this.#write(`${jsonLine(event)}\n`)
    else this.print(...lines)
  }

  /** Lines for people. */
  print(...lines: readonly Line[]): void {
    const rows = this.#rows(lines)
    this.#drawn = 0
    if (rows.length > 0) this.#write(`${rows.join('\n')}\n`)
  }

  /** Lines that take the place of those drawn before, on a live screen; as many as it has room for. */
  redraw(lines: readonly Line[]): void {
    const rows = this.#rows(lines).slice(0, Math.max(1, (this.#screen.rows ?? 24) - 1))
    const back = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : ''
    this.#write(`${back}\x1b[J${rows.join('\n')}\n`)
    this.#drawn = rows.length
  }

  /** Rings the terminal's bell. */
  ring(): void {
    if (this.live) this.#write('\x07')
  }

  #rows(lines: readonly Line[]): string[] {
    return lines.flatMap(line => render(line, { width: this.width, colour: this.#colour }))
  }

  #write(text: string): void {
    this.#screen.write(text)
  }
}
