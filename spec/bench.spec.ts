// The benchmarks cannot rot: each is run as it is run for the table, on real processes and sockets, with next to nothing
// to do. What it says of speed is not looked at; that it says something, and that it would notice a hub that is wrong, is.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { Audience, type PresenceFrame } from './bench/audience.js'
import { alternate, driverBound, type Line, median, quantile, summary } from './bench/benchmark.js'
import { asMarkdown, asText } from './bench/report.js'
import { compiled } from './suite/built.js'
import { root } from './support/root.js'

// Node as a user starts it: tap's own additions to every child would slow it down.
const env = { PATH: process.env.PATH }

t.setTimeout(180_000)

t.test('every benchmark gives figures, and a fold that is the graph', async t => {
  const main = join(await compiled(), 'spec/bench/main.js')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [main, '--tiny', '--long', '--peers', '--json'],
    {
      cwd: root,
      env,
    },
  )
  const { lines } = JSON.parse(stdout) as { lines: (Line & { summary: ReturnType<typeof summary> })[] }
  t.same(
    lines.map(({ id }) => id),
    ['B1', 'B2', 'B2b', 'B3', 'B4', 'B5', 'B6', 'B7', 'B7b', 'B8', 'B11', 'B11b', 'B13', 'B13b', 'B10'],
  )
  for (const { id, hub, against, summary } of lines) {
    t.same([hub.length, against.length], [1, 1], id)
    // So few devices may fit into memory that was there before.
    t.ok(id === 'B1' || summary.ratio > 0, id)
  }
  t.same(
    lines.filter(({ peers }) => peers?.every(({ values }) => median(values) > 0)).map(({ id }) => id),
    ['B2', 'B2b', 'B5', 'B6'],
  )
})

const frame = (version: number, more: Partial<PresenceFrame> = {}): PresenceFrame => ({
  type: 'presence',
  destination: 'support',
  kind: 'group',
  version,
  snapshot: false,
  prev: version - 1,
  status: 'away',
  since: '2026-01-01T00:00:00.000Z',
  counts: { available: 0, ringing: 0, busy: 0, away: 1, dnd: 0, offline: 0 },
  accounts: [],
  ...more,
})

const entry = (note: number) => ({
  account: 'agent-1',
  status: 'away' as const,
  since: '2026-01-01T00:00:00.000Z',
  activity: 'free' as const,
  note: String(note),
  until: null,
})

const audienceOf = (size: number) => {
  const audience = new Audience(size, bytes => {
    const frame = JSON.parse(bytes.toString()) as PresenceFrame
    return { frame, changes: (frame.accounts ?? []).map(({ note }) => Number(note)) }
  })
  const { type: _, snapshot: __, prev: ___, ...held } = frame(1)
  audience.start(held)
  audience.begin()
  const hear = (reader: number, frame: PresenceFrame): void =>
    audience.listener(reader).message(Buffer.from(JSON.stringify(frame)), undefined as never)
  return { audience, hear }
}

t.test(
  'an audience counts each change that reaches each reader, and knows what all of them hold',
  async t => {
    const { audience, hear } = audienceOf(2)
    const id = audience.offered()
    const arrived = audience.arrival(id)
    for (const reader of [0, 1]) hear(reader, frame(2, { accounts: [entry(id)] }))
    await arrived
    await audience.settled()
    t.equal(audience.end().deliveries, 2)
    t.ok(audience.end().lateMs(0.99) >= 0)
    t.match(audience.held, { version: 2, accounts: [{ note: '1' }] })
    t.equal(audience.strayed, 0)
  },
)

t.test(
  'a reader that is sent a snapshot instead comes back to the others, if it holds what they hold',
  async t => {
    const { audience, hear } = audienceOf(2)
    audience.offered()
    hear(0, frame(2, { accounts: [entry(1)] }))
    hear(1, frame(2, { snapshot: true, accounts: [entry(1)] }))
    await audience.settled()
    t.equal(audience.strayed, 1)
    t.equal(audience.end().deliveries, 2)
    audience.offered()
    for (const reader of [0, 1]) hear(reader, frame(3, { accounts: [entry(2)] }))
    await audience.settled()
    t.equal(audience.strayed, 1, 'it is with them again')
  },
)

t.test('an audience notices a gap, and a reader that holds something else', async t => {
  const gap = audienceOf(1)
  t.throws(() => gap.hear(0, frame(3)), { message: /^a gap/ })
  const other = audienceOf(2)
  other.audience.offered()
  other.hear(0, frame(2, { accounts: [entry(1)] }))
  other.hear(1, frame(2, { snapshot: true, accounts: [{ ...entry(1), status: 'busy' }] }))
  await t.rejects(other.audience.settled(), { message: /holds something else/ })
})

t.test(
  'figures are medians of ratios by turns, with their spread, and say whose limit they show',
  async t => {
    t.equal(median([3, 1, 2]), 2)
    t.equal(median([4, 1, 2, 3]), 2.5)
    t.equal(quantile([1, 2, 3, 4, 5], 0.99), 4.96)
    const turns: string[] = []
    const side = (name: string, value: number, driver: number) => async () => {
      turns.push(name)
      return { value, cores: { server: 1, driver } }
    }
    const measured = await alternate(3, side('hub', 9, 0.3), side('against', 1, 0.95))
    t.equal(turns.join(' '), 'against hub hub against hub against hub against', 'the first of each warms up')
    const line: Line = {
      id: 'B0',
      what: 'nothing',
      unit: 'a/s',
      denominator: 'a | b',
      reach: { at: 'least', ratio: 8 },
      ...measured,
      peers: [{ name: 'other', values: [3] }],
      notes: ['a note'],
    }
    t.match(summary(line), { hub: 9, against: 1, ratio: 9, lowest: 9, highest: 9, met: true })
    t.match(summary({ ...line, reach: { at: 'most', ratio: 8 } }), { met: false })
    t.equal(driverBound(line), true)
    for (const shown of [asText([line]), asMarkdown([line], 'quick', '2026-01-01')]) {
      t.match(shown, /the driver was at its limit/)
      t.match(shown, /the hub is 3.00 times that/)
    }
    t.match(asMarkdown([line], 'quick', '2026-01-01'), 'a \\| b')
  },
)
