// Where a command says something: lines for people, or with `--json` one object a line for programs. It knows how
// wide the screen is and whether it shows colours, and it takes a reader who has gone away (EPIPE) quietly.

import { stripVTControlCharacters } from 'node:util'
import type { Screen, Shell } from './shell.js'
import { columns, jsonLine, type Line, render } from './text.js'

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
  /** The rows of the picture that stands below all else, as they were written. */
  #picture: readonly string[] = []
  #typed = 0

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

  /** Lines for people; above the picture, if there is one. */
  print(...lines: readonly Line[]): void {
    const rows = this.#rows(lines)
    if (rows.length > 0) this.#write(`${this.#erase()}${[...rows, ...this.#picture].join('\n')}\n`)
  }

  /** A picture in place of the one before, on a live screen; as many of its rows as there is room for. */
  redraw(lines: readonly Line[]): void {
    const erase = this.#erase()
    this.#picture = this.#rows(lines).slice(0, Math.max(1, (this.#screen.rows ?? 24) - 1))
    this.#write(`${erase}${this.#picture.map(row => `${row}\n`).join('')}`)
  }

  /** A line was typed below the picture, and echoed by the terminal. */
  typed(): void {
    if (this.#picture.length > 0) this.#typed += 1
  }

  /** The picture stays as it is, and what comes is below it. */
  settle(): void {
    this.#picture = []
  }

  /** Rings the terminal's bell. */
  ring(): void {
    if (this.live) this.#write('\x07')
  }

  /** Back to where the picture begins, and nothing after it. A screen made narrower since has folded its rows. */
  #erase(): string {
    if (this.#picture.length === 0) return ''
    const room = this.#screen.columns || WIDEST
    const rows = this.#picture.map(row =>
      Math.max(1, Math.ceil(columns(stripVTControlCharacters(row)) / room)),
    )
    const up = rows.reduce((sum, each) => sum + each, this.#typed)
    this.#typed = 0
    return `\x1b[${up}A\r\x1b[J`
  }

  #rows(lines: readonly Line[]): string[] {
    return lines.flatMap(line => render(line, { width: this.width, colour: this.#colour }))
  }

  #write(text: string): void {
    this.#screen.write(text)
  }
}
