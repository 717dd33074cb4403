// How lines of figures are shown: one table for people, one object for machines.

import { cpus } from 'node:os'
import { driverBound, type Line, load, median, type Scale, summary } from './benchmark.js'

const number = (value: number): string => {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${Math.round(share * 100)}`)

const head = [
  'id',
  'what',
  'hub',
  'against',
  'denominator',
  'ratio',
  'spread',
  'reach',
  'met',
  'by cpu',
  'cores %',
] as const

const row = (line: Line): string[] => {
  const { hub, against, ratio, thrift, lowest, highest, met } = summary(line)
  const cores = (['hub', 'against'] as const).map(side => {
    const { server, driver } = load(line[side])
    return `${percent(server)}/${percent(driver)}`
  })
  return [
    line.id,
    `${line.what} (${line.unit})`,
    number(hub),
    number(against),
    line.denominator,
    ratio.toFixed(2),
    `${lowest.toFixed(2)}–${highest.toFixed(2)}`,
    `${line.reach.at === 'least' ? '≥' : '≤'} ${line.reach.ratio}`,
    met ? 'yes' : 'no',
    Number.isNaN(thrift) ? '–' : thrift.toFixed(2),
    cores.join(' · '),
  ]
}

/** What stands below the table: peers, notes, and doubts about the driver. */
const remarks = (line: Line): string[] => {
  const { hub } = summary(line)
  return [
    ...(line.peers ?? []).map(({ name, values }) => {
      const peer = median(values)
      return `${line.id}: ${name} ${number(peer)} ${line.unit}; the hub is ${(hub / peer).toFixed(2)} times that`
    }),
    ...(line.notes ?? []).map(note => `${line.id}: ${note}`),
    ...(driverBound(line)
      ? [`${line.id}: the driver was at its limit against the denominator: the ratio is flattered`]
      : []),
  ]
}

/** A table for a terminal. */
export const asText = (lines: readonly Line[]): string => {
  const rows = [[...head], ...lines.map(row)]
  const widths = head.map((_, column) => Math.max(...rows.map(cells => cells[column]!.length)))
  const drawn = rows.map(cells =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return `${[...drawn, '', ...lines.flatMap(remarks)].join('\n').trimEnd()}\n`
}

/** The machine that it was run on, and when. */
export const machine = () => ({
  node: process.version,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
})

/** Every figure of every repetition. */
export const asJson = (lines: readonly Line[], scale: Scale): string =>
  `${JSON.stringify({ ...machine(), scale, lines: lines.map(line => ({ ...line, summary: summary(line) })) })}\n`

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The table as docs/performance.md has it. */
export const asMarkdown = (lines: readonly Line[], scale: Scale, on: string): string => {
  const { node, processor, cores } = machine()
  const rows = [[...head], head.map(() => '---'), ...lines.map(row)].map(
    cells => `| ${cells.map(cell).join(' | ')} |`,
  )
  const made = `Made on ${on} by \`npm run bench${scale === 'full' ? '' : ` -- --${scale}`}\`, Node ${node}, ${cores} cores of ${processor}.`
  return [made, '', ...rows, '', ...lines.flatMap(remarks).map(remark => `- ${remark}`), ''].join('\n')
}
