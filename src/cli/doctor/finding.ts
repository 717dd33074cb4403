// What the doctor finds: each check in one line, with what it means and, where something is to be done, what.

import { green, type Line, line, red, type Span, yellow } from '../text.js'

export type Grade = 'ok' | 'warning' | 'fault'

export interface Finding {
  readonly check: string
  readonly grade: Grade
  readonly says: string
  /** What to do. */
  readonly advice?: string
}

const of =
  (grade: Grade) =>
  (check: string, says: string, advice?: string): Finding => ({
    check,
    grade,
    says,
    ...(advice !== undefined && { advice }),
  })

export const fine = of('ok')
export const warning = of('warning')
export const fault = of('fault')

const looks: Readonly<Record<Grade, (text: string) => Span>> = { ok: green, warning: yellow, fault: red }

/** A line whose columns stand below those of every other finding. */
export const findingLine = ({ check, grade, says, advice }: Finding): Line => ({
  spans: [
    looks[grade](grade),
    { text: `${' '.repeat(9 - grade.length)}${check.padEnd(14)} ` },
    { text: advice === undefined ? says : `${says}: ${advice}` },
  ],
  hang: 24,
})

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** What it comes to. */
export const verdict = ({ ok, warning, fault }: Readonly<Record<Grade, number>>): Line => {
  const word = fault > 0 ? red('not well') : warning > 0 ? yellow('well enough') : green('all is well')
  return line(word, `: ${ok} ok, ${counted(warning, 'warning')}, ${counted(fault, 'fault')}`)
}
