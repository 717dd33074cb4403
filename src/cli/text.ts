// Text for a terminal. What it says may come from anywhere (a caller's number, a note, a document), so every
// character that a terminal would obey rather than show is written as an escape, here and nowhere else; colour is
// added after that. Lines are folded to the width there is, and tables keep their columns.

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A piece of text, and how it looks. */
export interface Span {
  readonly text: string
  readonly style?: Style
}

export type Piece = string | Span

/** One line of output. It is folded where it is too long, and goes on `hang` columns in; without `hang` it is left whole. */
export interface Line {
  readonly spans: readonly Span[]
  readonly hang?: number
}

const styled =
  (style: Style) =>
  (text: string): Span => ({ text, style })

export const bold = styled('bold')
export const dim = styled('dim')
export const red = styled('red')
export const green = styled('green')
export const yellow = styled('yellow')
export const cyan = styled('cyan')

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

// Control, format (bidirectional overrides among them), private and unassigned characters, halves, and line ends.
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

const hex = (char: string): string => Number(char.codePointAt(0)).toString(16)

/** `text` with nothing in it that a terminal obeys: an escape character reads `\u{1b}`. */
export const printable = (text: string): string => text.replace(unprintable, char => `\\u{${hex(char)}}`)

/** Lines of JSON in which the same characters, but for line feeds, are escaped as JSON escapes them. */
export const escapeJson = (json: string): string =>
  json.replace(unprintable, char =>
    char === '\n'
      ? char
      : char
          .split('')
          .map(unit => `\\u${hex(unit).padStart(4, '0')}`)
          .join(''),
  )

/** One line of JSON with nothing in it that a terminal obeys. */
export const jsonLine = (value: unknown): string => escapeJson(JSON.stringify(value))

const wide =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\uff01-\uff60]/u
const mark = /\p{M}/u

const widthOf = (char: string): number => (wide.test(char) ? 2 : mark.test(char) ? 0 : 1)

/** How many columns of a terminal `text` takes, once it is printable. */
export const columns = (text: string): number =>
  [...printable(text)].reduce((sum, char) => sum + widthOf(char), 0)

const span = (piece: Piece): Span => (typeof piece === 'string' ? { text: piece } : piece)

/** A line that folds, and goes on two columns further in than it begins. */
export const line = (...pieces: readonly Piece[]): Line => {
  const spans = pieces.map(span)
  const text = spans.map(({ text }) => text).join('')
  return { spans, hang: text.length - text.trimStart().length + 2 }
}

/** A line that is never folded: to be copied, or read by a program. */
export const whole = (...pieces: readonly Piece[]): Line => ({ spans: pieces.map(span) })

/** The widest a column but the last gets. */
const widest = 30

const cut = (text: string): string => {
  const chars = [...printable(text)]
  return columns(text) <= widest ? text : `${chars.slice(0, widest - 1).join('')}…`
}

/** Rows with their columns below each other, each `indent` columns in; the last column folds within itself. */
export const table = (rows: readonly (readonly Piece[])[], indent = 0): Line[] => {
  const cells = rows.map(row =>
    row.map(span).map((cell, at) => (at < row.length - 1 ? { ...cell, text: cut(cell.text) } : cell)),
  )
  const widths: number[] = []
  for (const row of cells) {
    row.slice(0, -1).forEach(({ text }, at) => {
      widths[at] = Math.max(widths[at] ?? 0, columns(text))
    })
  }
  return cells.map(row => {
    const fixed = row.slice(0, -1)
    const pad = (text: string, at: number) => ' '.repeat(Number(widths[at]) - columns(text) + 2)
    return {
      spans: [
        { text: ' '.repeat(indent) },
        ...fixed.flatMap((cell, at) => [cell, { text: pad(cell.text, at) }]),
        ...row.slice(-1),
      ],
      hang: fixed.reduce((sum, _, at) => sum + Number(widths[at]) + 2, indent),
    }
  })
}

interface Cell {
  readonly char: string
  readonly style: Style | undefined
}

const isBlank = ({ char }: Cell): boolean => char === ' '

/** Where to break so that what comes before fits: at a space if there is one after the indent, else anywhere. */
const breakAt = (cells: readonly Cell[], width: number): number => {
  let room = width
  let end = 0
  for (const { char } of cells) {
    room -= widthOf(char)
    if (room < 0) break
    end += 1
  }
  const begin = cells.findIndex(cell => !isBlank(cell))
  const space = cells.slice(0, end + 1).findLastIndex(isBlank)
  return space > begin ? space : Math.max(end, begin + 1)
}

const fold = (cells: readonly Cell[], width: number, hang: number): Cell[][] => {
  const lines: Cell[][] = []
  const indent = Array.from({ length: Math.min(hang, width >> 1) }, () => ({ char: ' ', style: undefined }))
  let rest = [...cells]
  while (rest.reduce((sum, { char }) => sum + widthOf(char), 0) > width) {
    const at = breakAt(rest, width)
    lines.push(rest.slice(0, at))
    const from = rest.findIndex((cell, index) => index >= at && !isBlank(cell))
    if (from === -1) return lines
    rest = [...indent, ...rest.slice(from)]
  }
  return [...lines, rest]
}

const paint = (cells: readonly Cell[], colour: boolean): string => {
  let text = ''
  let style: Style | undefined
  for (const cell of [...cells, { char: '', style: undefined }]) {
    if (colour && cell.style !== style) {
      if (style !== undefined) text += `\x1b[${codes[style][1]}m`
      if (cell.style !== undefined) text += `\x1b[${codes[cell.style][0]}m`
      style = cell.style
    }
    text += cell.char
  }
  return text.trimEnd()
}

/** The rows of a screen `width` columns wide that show a line. */
export const render = (
  { spans, hang }: Line,
  { width, colour }: { readonly width: number; readonly colour: boolean },
): string[] => {
  const cells = spans.flatMap(({ text, style }) => [...printable(text)].map(char => ({ char, style })))
  const rows = hang === undefined ? [cells] : fold(cells, width, hang)
  return rows.map(row => paint(row, colour))
}
