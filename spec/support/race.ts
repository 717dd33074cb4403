// What the races are run on and judged by: one hub whose time moves only when told, clients on the bare protocol,
// and the rules that hold after any round, whoever came first. Time stands still within a round, so that a round
// is decided by the order of events alone.

import { Agent, type IncomingMessage, request } from 'node:http'
import type { Test } from 'tap'
import { type CallView, HubApi, type Resource } from '../../src/client/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { type Chance, chanceOf, seedOf } from './chance.js'
import { configOf, startHub, type TokenFacts, tokenOf, type World } from './hub.js'
import { type CallFrame, Wire } from './wire.js'

/** Longer than any spec's time: nobody is asked for signs of life, and no token expires. */
const days = 7 * 86_400_000
const life = { expiresInSeconds: 86_400 }

/** Shorter than anyone is rung. */
export const lingerMs = 8_000

export interface Stage {
  readonly clock: VirtualClock
  readonly world: World
  /** What the hub has logged as its own failure. */
  readonly errors: readonly unknown[]
  /** An outside system that may see everything. */
  readonly api: HubApi
  /** The same on a socket. */
  readonly gateway: Wire
  /** A client that was welcomed; without a device where that is null. */
  wire(account: string, device?: string | null, facts?: TokenFacts): Promise<Wire>
  /** How routing sees each account, without what a call leaves behind for good. */
  standing(accounts: readonly string[]): Promise<unknown>
  /** One of the hub's metrics. */
  metric(name: string): Promise<number>
}

const standingOf = ({ destination, status, accounts = [] }: Resource) => ({
  account: destination,
  status,
  entries: accounts.map(({ note, until, activity, devices = [], routing }) => ({
    note,
    until,
    activity,
    free: routing?.freeCapacity,
    notBefore: routing?.notBefore,
    suspect: routing?.suspect,
    devices: devices
      .map(({ device, status, activity, link, rank }) => `${device} ${status} ${activity} ${link} ${rank}`)
      .sort(),
  })),
})

/** HTTP at a third of the price of the platform's `fetch`: rounds are many. */
const thriftyFetch = (agent: Agent): typeof fetch => {
  const send = (input: unknown, { method = 'GET', headers, body }: RequestInit = {}) =>
    new Promise<Response>((resolve, reject) => {
      const answered = async (answer: IncomingMessage) => {
        const chunks: Uint8Array[] = []
        for await (const chunk of answer) chunks.push(chunk)
        const { statusCode: status = 0, headers: facts } = answer
        const text = status === 204 ? null : Buffer.concat(chunks)
        resolve(new Response(text, { status, headers: facts as Record<string, string> }))
      }
      request(String(input), { agent, method, headers: headers as Record<string, string> })
        .on('response', answer => answered(answer).catch(reject))
        .on('error', reject)
        .end(body)
    })
  return send as typeof fetch
}

/** `remote`: the router reads presence over HTTP, so that what it decides by may be stale when it claims. */
export const newStage = async (t: Test, tenant: object, { remote = false } = {}): Promise<Stage> => {
  const clock = new VirtualClock(Date.now())
  const config = configOf(tenant, {
    presence: { heartbeatMs: days, lingerMs },
    // Time stands still within a round: what is a pace elsewhere would be a count here.
    limits: {
      callsPerMinutePerAccount: 1_000_000,
      callsPerMinutePerTenant: 1_000_000,
      takeoversPerMinute: 1_000_000,
    },
  })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const fetch = thriftyFetch(agent)
  let reader: HubApi | undefined
  const readPresence = async (_: unknown, destination: string) =>
    (await reader?.presence(destination, { view: 'routing' })) as never
  const errors: unknown[] = []
  const log = { info() {}, warn() {}, error: (...words: unknown[]) => void errors.push(words) }
  const world = await startHub(t, config, { clock, log, ...(remote && { readPresence }) })
  const { listening } = world
  const routes = await tokenOf('router', { scopes: ['presence:read', 'presence:route'], ...life })
  reader = new HubApi({ url: listening.url, token: routes, fetch })
  const scopes = ['call:inbound', 'call:explain', 'presence:read', 'presence:devices', 'presence:route']
  const api = new HubApi({
    url: listening.url,
    token: await tokenOf('outside', { scopes: [...scopes, 'admin'], ...life }),
    fetch,
  })
  const wires: Wire[] = []
  t.teardown(async () => {
    await Promise.all(wires.map(wire => wire.close(1000)))
  })
  const open = async (account: string, device: string | null, facts: TokenFacts) => {
    const token = await tokenOf(account, { ...life, ...facts })
    const wire = new Wire({ url: listening.socket, token, ...(device !== null && { device }) })
    wires.push(wire)
    await wire.open()
    return wire
  }
  return {
    clock,
    world,
    errors,
    api,
    gateway: await open('outside', null, { scopes }),
    wire: (account, device = 'phone', facts = {}) => open(account, device, facts),
    standing: async accounts => (await api.presences(accounts, { view: 'routing' })).map(standingOf),
    async metric(name) {
      const text = await (await fetch(`${listening.url}/metrics`)).text()
      const line = text.split('\n').find(each => each.startsWith(`switchhook_${name} `))
      return Number(line?.split(' ')[1])
    },
  }
}

/** What breaks a rule. */
export class Foul extends Error {}

export const must = (holds: unknown, rule: string, facts: unknown = ''): void => {
  if (!holds) throw new Foul(`${rule}\n${facts === '' ? '' : JSON.stringify(facts, undefined, 1)}`)
}

/** A device that takes part: whose it is, and its client. */
export interface Player {
  readonly account: string
  readonly device: string
  readonly wire: Wire
}

export const playerOf = async (
  stage: Stage,
  account: string,
  device = 'phone',
  facts?: TokenFacts,
): Promise<Player> => ({ account, device, wire: await stage.wire(account, device, facts) })

/** The caller of a call: by HTTP, or on a socket. */
export interface Placed {
  readonly call: string
  readonly by: 'http' | Wire
}

const isLast = ({ type }: CallFrame): boolean => type === 'cancel' || type === 'ended'

/** All that the caller was told. */
const told = async ({ api }: Stage, { call, by }: Placed): Promise<CallFrame[]> => {
  if (by !== 'http') return by.heard(call).map(({ frame }) => frame)
  const frames: CallFrame[] = []
  for await (const { data } of api.events(call)) frames.push(data as CallFrame)
  frames.forEach((frame, index) => {
    must('seq' in frame && frame.seq === index + 1, 'events are numbered without a gap', frames)
  })
  return frames
}

/** The call once someone was offered it, or it is over. */
export const underWay = async ({ api }: Stage, { call }: Placed): Promise<CallView> => {
  for (;;) {
    const view = await api.call(call)
    if (view.state === 'ended' || view.timeline?.some(({ event }) => event === 'offered')) return view
  }
}

export interface Verdict {
  readonly view: CallView
  /** Who has it or had it. */
  readonly winner: Player | undefined
  /** The last frame of each device that was offered the call. */
  readonly last: ReadonlyMap<Player, CallFrame>
}

/**
 * Judges a call that is over by the rules that always hold: one `ended` to the caller, one last frame to each device
 * that was offered the call and nothing after it, one winner at most, and all of them of one mind with the record.
 * `callerLost`: the caller's session was lost on the way, and with it what it was told.
 */
export const judge = async (
  stage: Stage,
  placed: Placed,
  players: readonly Player[],
  { callerLost = false } = {},
): Promise<Verdict> => {
  const { call } = placed
  const view = await stage.api.call(call)
  must(view.state === 'ended', 'the call is over', view)

  const atCaller = await told(stage, placed)
  const answers = atCaller.filter(({ type }) => type === 'answered')
  const ends = atCaller.filter(({ type }) => type === 'ended')
  for (const answered of answers) {
    must(answered.type === 'answered' && same(answered.by, view.by), 'the caller hears who answered', {
      answered,
      view,
    })
  }
  if (!callerLost) {
    must(
      ends.length === 1 && answers.length <= 1,
      'the caller hears one end, and one answer at most',
      atCaller,
    )
    must(answers.length === (view.by ? 1 : 0), 'the caller hears of an answer if there was one', {
      atCaller,
      view,
    })
  }
  const [ended] = ends
  if (ended) {
    must(atCaller.at(-1) === ended, 'the end is the last that the caller hears', atCaller)
    must(
      ended.type === 'ended' && ended.reason === view.reason,
      'the caller hears the reason of the record',
      {
        atCaller,
        view,
      },
    )
  }

  let winner: Player | undefined
  const last = new Map<Player, CallFrame>()
  for (const player of players) {
    const { wire } = player
    must(wire.faults.length === 0, 'frames are numbered without a gap', wire.faults)
    const heard = wire.heard(call)
    if (heard.length === 0 || placed.by === wire) continue
    const frames = heard.map(({ frame }) => frame)
    const facts = { device: `${player.account}/${player.device}`, heard, view }
    const ends = frames.filter(isLast)
    // What was said to a session that is gone may be lost with it; the present one hears all.
    const present = heard.some(({ session }) => session === wire.session)
    must(ends.length === 1 || (!present && ends.length === 0), 'a device hears one last frame', facts)
    for (let session = 1; session <= wire.session; session++) {
      const offers = heard.filter(each => each.session === session && each.frame.type === 'invite')
      must(offers.length <= 1, 'a session is offered a call once', facts)
    }
    const [end] = ends
    if (end === undefined) continue
    must(frames.at(-1) === end, 'nothing comes after the last frame', facts)
    const connected = frames.some(({ type }) => type === 'connected')
    must(connected === (end.type === 'ended'), 'who was connected hears `ended`, all others `cancel`', facts)
    if (connected) {
      must(winner === undefined && same(view.by, player), 'one device is connected', facts)
      winner = player
    }
    if (end.type === 'ended')
      must(end.reason === view.reason, 'the winner hears the reason of the record', facts)
    if (end.type === 'cancel') {
      if (end.reason === 'answered-elsewhere') {
        must(view.by !== undefined && same(end.by, view.by), 'who lost hears who answered', facts)
      } else if (end.reason === 'caller-canceled') {
        must(
          view.reason === 'canceled' && end.by === undefined,
          'who rang hears that the caller gave up',
          facts,
        )
      }
    }
    last.set(player, end)
  }
  return { view, winner, last }
}

export const same = (a: { account: string; device: string } | undefined, b: typeof a): boolean =>
  a?.account === b?.account && a?.device === b?.device

/** Runs `round` so often, each with its own chance; a round that fails says which it was. */
export const race = async (
  t: Test,
  rounds: number,
  round: (chance: Chance, number: number) => Promise<string>,
): Promise<Record<string, number>> => {
  const seed = seedOf(t)
  const outcomes: Record<string, number> = {}
  const begun = performance.now()
  for (let number = 0; number < rounds; number++) {
    try {
      const outcome = await round(chanceOf(seed, number), number)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    } catch (error) {
      throw new Error(`SEED=${seed}, round ${number}: ${(error as Error).message}`, { cause: error })
    }
  }
  t.comment(`${rounds} rounds in ${Math.round(performance.now() - begun)} ms: ${JSON.stringify(outcomes)}`)
  return outcomes
}
