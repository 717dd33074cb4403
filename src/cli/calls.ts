// `switchhook calls`: the calls of a hub, those that go on and those on record, as far as the token may see them. With
// `--follow` it asks again every so often, and shows each call that has come, changed or ended since; a hub tells of
// all calls to nobody by itself.

import { Command, Option } from 'commander'
import { type CallQuery, type CallView, HubApi } from '../client/index.js'
import { duration, type HubFlags, hubOf, whole, withHub } from './flags.js'
import type { Start } from './program.js'
import { aborted, type Job } from './shell.js'
import { bold, dim, green, type Line, line, type Piece, red, table, yellow } from './text.js'

interface CallsOptions extends HubFlags {
  readonly state?: CallView['state']
  readonly since?: string
  readonly until?: string
  readonly to?: string
  readonly from?: string
  readonly reason?: CallView['reason']
  readonly by?: string
  readonly limit: number
  readonly follow?: boolean
  readonly interval: number
  readonly json?: boolean
}

const states = ['received', 'planning', 'queued', 'placing', 'ringing', 'connected', 'ended'] as const
const reasons = ['completed', 'canceled', 'no-answer', 'rejected', 'busy', 'unavailable', 'failed'] as const

export const callsCommand = (start: Start): Command =>
  withHub(new Command('calls').description('list the calls of a hub, and follow them'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--since <time>', 'only those received at this time or later, such as 2026-01-01T00:00:00Z')
    .option('--until <time>', 'only those received before this time')
    .option('--to <number>', 'only those to this number or name')
    .option('--from <number>', 'only those from this number')
    .addOption(new Option('--reason <reason>', 'only those that ended so').choices(reasons))
    .option('--by <account>', 'only those that this account answered')
    .addOption(
      new Option('--limit <count>', 'how many, the latest of them')
        .argParser(whole(1, 10_000))
        .default(20, '20'),
    )
    .option('--follow', 'go on, and show what comes and changes, until Ctrl-C')
    .addOption(
      new Option('--interval <duration>', 'with --follow: how often to ask')
        .argParser(duration)
        .default(2_000, '2s'),
    )
    .option('--json', 'one JSON object a line: a call, as the API shows it')
    .action((options: CallsOptions) => start(options, calls))

const looks: Readonly<Record<string, (text: string) => Piece>> = {
  connected: green,
  completed: bold,
  failed: red,
  'no-answer': yellow,
  rejected: yellow,
  busy: yellow,
  unavailable: yellow,
}

const rowOf = ({ call, from, to, state, reason, by, createdAt, talkMs, recorded }: CallView): Piece[] => {
  const word = reason ?? state
  return [
    createdAt.slice(0, 19).replace('T', ' '),
    looks[word]?.(word) ?? word,
    from || '-',
    to,
    by?.account ?? '-',
    talkMs === undefined ? '-' : `${(talkMs / 1000).toFixed(1)} s`,
    dim(recorded === false ? `${call} (not on record)` : call),
  ]
}

const heads = ['received', 'is', 'from', 'to', 'answered by', 'talk', 'call'].map(dim)

/** The latest calls, as many as are asked for. */
const latest = async (api: HubApi, query: CallQuery, limit: number): Promise<CallView[]> => {
  const found: CallView[] = []
  let cursor: string | undefined
  do {
    const page = await api.calls({ ...query, cursor, limit: Math.min(200, limit - found.length) })
    found.push(...page.calls)
    cursor = page.cursor
  } while (cursor !== undefined && found.length < limit)
  return found
}

/** What has changed of the calls since it was last asked. */
class Follower {
  readonly #api: HubApi
  readonly #query: CallQuery
  /** The calls that were shown and go on, as they were. */
  readonly #open = new Map<string, CallView['state']>()
  /** Those that were shown as ended, in the very moment of the mark or later. */
  #ended = new Set<string>()
  /** All that ended before it is known. */
  #mark = ''

  constructor(api: HubApi, query: CallQuery) {
    this.#api = api
    this.#query = query
  }

  /** Takes what was shown already for known. */
  async begin(shown: readonly CallView[]): Promise<void> {
    const { calls } = await this.#api.calls({ state: 'ended', limit: 1 })
    this.#note([...shown, ...calls])
  }

  /** The calls that have come or changed, in the order in which they came. */
  async news(): Promise<CallView[]> {
    const seen: CallView[] = []
    let cursor: string | undefined
    let known = false
    do {
      const page = await this.#api.calls({ ...this.#query, limit: 200, cursor })
      seen.push(...page.calls)
      known = page.calls.some(({ endedAt = this.#mark }) => endedAt < this.#mark)
      cursor = page.cursor
    } while (cursor !== undefined && !known)
    const found = new Set(seen.map(({ call }) => call))
    // What went on, and is not among those that are asked for any more.
    for (const call of this.#open.keys()) if (!found.has(call)) seen.push(await this.#api.call(call))
    const news = seen.filter(({ call, state, endedAt = this.#mark }) =>
      state === 'ended' ? endedAt >= this.#mark && !this.#ended.has(call) : this.#open.get(call) !== state,
    )
    this.#note(seen)
    return news.sort((a, b) => a.createdAt.localeCompare(b.createdAt))
  }

  #note(calls: readonly CallView[]): void {
    const ends = calls.map(({ endedAt = '' }) => endedAt)
    const mark = ends.reduce((latest, each) => (each > latest ? each : latest), this.#mark)
    if (mark > this.#mark) this.#ended = new Set()
    this.#mark = mark
    for (const { call, state, endedAt } of calls) {
      if (state !== 'ended') this.#open.set(call, state)
      else {
        this.#open.delete(call)
        if (endedAt === mark) this.#ended.add(call)
      }
    }
  }
}

const calls = async (options: CallsOptions, { shell, out, stop }: Job): Promise<number> => {
  const { limit, follow, interval, state, since, until, to, from, reason, by } = options
  const query = { state, since, until, to, from, reason, by }
  const api = new HubApi(hubOf(options, shell))
  const show = (views: readonly CallView[], head: readonly (readonly Piece[])[] = []): void => {
    const lines: readonly Line[] = table([...head, ...views.map(rowOf)])
    if (out.json) for (const view of views) out.tell({ event: 'call', ...view })
    else out.print(...lines)
  }
  const shown = await latest(api, query, limit)
  // The latest stands last, where those that follow come.
  if (shown.length > 0) show(shown.toReversed(), [heads])
  else if (!out.json && !follow) out.print(line('no calls'))
  if (!follow) return 0
  const follower = new Follower(api, query)
  await follower.begin(shown)
  const over = Promise.race([aborted(stop), out.gone]).then(() => true)
  for (;;) {
    let timer: NodeJS.Timeout | undefined
    const due = new Promise<boolean>(resolve => {
      timer = setTimeout(resolve, interval, false)
    })
    const end = await Promise.race([over, due])
    clearTimeout(timer)
    if (end) return 0
    const news = await follower.news()
    if (news.length > 0) show(news)
  }
}
