// `npm run bench`: runs the benchmarks one after the other and shows one table. `--only B2,B5` runs those; `--quick`
// less of each; `--long` those that take many minutes too; `--json` is for machines; `--write` puts the table into
// docs/performance.md, `--peers` measures other servers under the same load. `--flags=…` hands the servers' Node flags,
// such as --cpu-prof. The exit code says whether everything ran and was right, not whether it was fast.

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { idleMemory } from './b1-idle-memory.js'
import { presence } from './b2-presence.js'
import { calls } from './b3-calls.js'
import { ringingTime } from './b4-ringing-time.js'
import { connect } from './b5-connect.js'
import { reconnect } from './b6-reconnect.js'
import { largeGroups } from './b7-large-groups.js'
import { manyAccounts } from './b8-many-accounts.js'
import { endurance } from './b10-endurance.js'
import { callRecords } from './b11-records.js'
import { sipMessages } from './b13-sip.js'
import type { Bench, Benchmark, Line, Scale } from './benchmark.js'
import { asJson, asMarkdown, asText } from './report.js'
import { canPin, pinDriver, Server, type ServerName } from './server.js'

const benchmarks: readonly Benchmark[] = [
  idleMemory,
  presence,
  calls,
  ringingTime,
  connect,
  reconnect,
  largeGroups,
  manyAccounts,
  callRecords,
  sipMessages,
  endurance,
]

const performancePage = 'docs/performance.md'
const tablePlace = /(<!-- table -->)[\s\S]*(<!-- end of table -->)/

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    flags: { type: 'string', default: '' },
  },
})

const scale: Scale = options.tiny ? 'tiny' : options.quick ? 'quick' : 'full'
const wanted = options.only?.split(',').map(id => id.trim().toUpperCase())

const isWanted = ({ ids, long = false }: Benchmark): boolean =>
  wanted === undefined
    ? options.long || !long
    : ids.some(id => wanted.some(each => each === id.toUpperCase()))

const chosen = benchmarks.filter(isWanted)
const unknown = wanted?.filter(
  id => !benchmarks.some(({ ids }) => ids.some(each => each.toUpperCase() === id)),
)
if (unknown !== undefined && unknown.length > 0) {
  process.stderr.write(`bench: no benchmark ${unknown.join(', ')}\n`)
  process.exit(2)
}

const lines: Line[] = []
const servers: Server[] = []

const bench: Bench = {
  scale,
  sized: sizes => sizes[scale],
  repetitions: { full: 5, quick: 3, tiny: 1 }[scale],
  peers: options.peers,
  lines,
  say: text => process.stderr.write(`${text}\n`),
  async start<T extends object>(name: ServerName, settings: object = {}) {
    const server = await Server.start<T>(name, settings, options.flags.split(' ').filter(Boolean))
    servers.push(server)
    return server
  },
}

pinDriver()
if (!canPin) bench.say('processes cannot be kept to their cores here: the figures say little')

const begun = performance.now()
try {
  for (const benchmark of chosen) {
    bench.say(`${benchmark.ids.join(', ')} …`)
    lines.push(...(await benchmark.run(bench)))
    await Promise.all(servers.splice(0).map(server => server.end()))
  }
} finally {
  await Promise.all(servers.map(server => server.end()))
}
if (options.write) {
  const page = readFileSync(performancePage, 'utf8')
  const table = asMarkdown(lines, scale, new Date().toISOString().slice(0, 10))
  writeFileSync(
    performancePage,
    page.replace(tablePlace, (_, begin, end) => `${begin}\n${table}${end}`),
  )
}
const seconds = Math.round((performance.now() - begun) / 1000)
process.stdout.write(options.json ? asJson(lines, scale) : asText(lines))
bench.say(`${seconds} s`)
