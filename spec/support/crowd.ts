// People who come and go: devices of the accounts of one group, on the bare protocol, that do at random whatever a
// client may do, several at a time. What they did is remembered only as far as the next act needs it; what is true
// is the hub's to say.

import { type Chance, turns } from './chance.js'
import type { Stage } from './race.js'
import type { Wire } from './wire.js'

export interface Seat {
  readonly account: string
  readonly device: string
  wire: Wire
  /** `lost`: its connection broke, and the hub waits for it. */
  state: 'away' | 'here' | 'lost'
  /** Something it does is not over. */
  busy: boolean
}

const words = ['available', 'away', 'busy', 'dnd'] as const
const notes = [undefined, '', 'lunch', 'back at two', '☕'] as const

export class Crowd {
  readonly seats: readonly Seat[]
  readonly #stage: Stage
  readonly #chance: Chance
  readonly #group: string
  readonly #guests: ReadonlySet<string>
  readonly #tokens: (account: string, groups: readonly string[]) => Promise<string>
  readonly #calls = new Set<string>()
  readonly done: Record<string, number> = {}

  constructor(
    stage: Stage,
    chance: Chance,
    options: {
      readonly group: string
      readonly seats: readonly Seat[]
      /** Those who are in the group by their tokens only. */
      readonly guests: ReadonlySet<string>
      readonly tokens: (account: string, groups: readonly string[]) => Promise<string>
    },
  ) {
    this.#stage = stage
    this.#chance = chance
    this.#group = options.group
    this.seats = options.seats
    this.#guests = options.guests
    this.#tokens = options.tokens
  }

  /** Begins some act; settles when it is over. */
  async act(): Promise<void> {
    const { seats = [], act } = this.#choose()
    for (const seat of seats) seat.busy = true
    try {
      const what = await act()
      this.done[what] = (this.done[what] ?? 0) + 1
    } finally {
      for (const seat of seats) seat.busy = false
    }
  }

  /** Someone who is here and does nothing now. */
  someone(): Seat | undefined {
    const here = this.seats.filter(({ state, busy }) => state === 'here' && !busy)
    return here.length > 0 ? this.#chance.pick(here) : undefined
  }

  #choose(): { seats?: readonly Seat[]; act: () => Promise<string> } {
    const chance = this.#chance
    const seat = chance.pick(this.seats)
    const own = this.seats.filter(({ account }) => account === seat.account)
    if (chance.odds(0.1)) return { act: () => this.#place() }
    if (chance.odds(0.05)) return { act: () => this.#supervise() }
    if (chance.odds(0.06) && own.every(({ busy }) => !busy))
      return { seats: own, act: () => this.#goHome(own) }
    if (seat.busy) return { act: () => this.#endOne() }
    const acts = {
      away: () => this.#arrive(seat),
      lost: () => this.#return(seat),
      here: () => this.#live(seat),
    }
    return { seats: [seat], act: acts[seat.state] }
  }

  #live(seat: Seat): Promise<string> {
    const chance = this.#chance
    const rung = seat.wire.calls.filter(call => seat.wire.heard(call).at(-1)?.frame.type === 'invite')
    const talks = seat.wire.calls.filter(call => seat.wire.heard(call).at(-1)?.frame.type === 'connected')
    if (rung.length > 0 && chance.odds(0.6)) return this.#answer(seat, chance.pick(rung))
    if (talks.length > 0 && chance.odds(0.5)) return this.#say(seat, 'hangup', { call: chance.pick(talks) })
    const guest = this.#guests.has(seat.account)
    switch (chance.below(12)) {
      case 0:
        return this.#lose(seat)
      case 1:
        return this.#leave(seat)
      case 2:
        return this.#takeOver(seat)
      case 3:
      case 4:
        return this.#say(seat, 'status', { for: 'account', ...this.#status() })
      case 5:
        return this.#say(seat, 'status', { for: 'account', status: null })
      case 6:
        return this.#refresh(seat)
      case 7:
        return this.#say(seat, 'place', { to: chance.pick(this.seats).account })
      default:
        if (!guest) return this.#say(seat, 'status', this.#status())
        return chance.odds(0.5) ? this.#refresh(seat) : this.#goHome([seat])
    }
  }

  #status(): object {
    const chance = this.#chance
    const until = new Date(this.#stage.clock.wall() + 1 + chance.below(3_000)).toISOString()
    return { status: chance.pick(words), note: chance.pick(notes), ...(chance.odds(0.4) && { until }) }
  }

  async #say(seat: Seat, type: string, fields: object): Promise<string> {
    await seat.wire.ask(type, fields)
    return type
  }

  async #answer(seat: Seat, call: string): Promise<string> {
    const chance = this.#chance
    if (chance.odds(0.5)) seat.wire.say('ringing', { call })
    await turns(chance.below(2))
    return this.#say(seat, chance.odds(0.6) ? 'accept' : 'reject', { call })
  }

  async #arrive(seat: Seat): Promise<string> {
    const chance = this.#chance
    await seat.wire.open({
      ...(chance.odds(0.5) && { status: chance.pick(words) }),
      ...(chance.odds(0.3) && { note: 'here' }),
      ...(chance.odds(0.2) && { capacity: 1 }),
    })
    seat.state = 'here'
    return 'arrive'
  }

  async #lose(seat: Seat): Promise<string> {
    seat.state = 'lost'
    if (this.#chance.odds(0.8)) seat.wire.drop()
    else await seat.wire.close(1001)
    return 'lose'
  }

  /** In time or not: that is for the clock to say. */
  async #return(seat: Seat): Promise<string> {
    const resume = this.#chance.odds(0.8)
    const { resumed } = await seat.wire.open({ resume })
    seat.state = 'here'
    return resumed ? 'resume' : 'return anew'
  }

  async #takeOver(seat: Seat): Promise<string> {
    const { resumed } = await seat.wire.open()
    if (resumed) throw new Error('nothing was taken up')
    return 'take over'
  }

  async #leave(seat: Seat): Promise<string> {
    if (this.#chance.odds(0.5)) seat.wire.say('leave')
    await seat.wire.close(1000)
    seat.state = 'away'
    return 'leave'
  }

  /** Fresh tokens, one after the other: a guest's may be in the group or not. */
  async #refresh(seat: Seat): Promise<string> {
    const chance = this.#chance
    const fresh = Array.from({ length: 1 + chance.below(3) }, () => {
      const joins = this.#guests.has(seat.account) && chance.odds(0.6)
      return this.#tokens(seat.account, joins ? [this.#group] : [])
    })
    for (const token of await Promise.all(fresh)) {
      seat.wire.token = token
      await seat.wire.ask('token', { token })
    }
    return 'refresh'
  }

  /** All of an account's devices leave, and nothing is said of it any more. */
  async #goHome(own: readonly Seat[]): Promise<string> {
    await Promise.all(own.filter(({ state }) => state === 'here').map(seat => this.#leave(seat)))
    await this.#stage.api.setStatus(own[0]?.account ?? '', { status: null })
    return 'go home'
  }

  async #place(): Promise<string> {
    const to = this.#chance.odds(0.4) ? this.#group : this.#chance.pick(this.seats).account
    const { call } = await this.#stage.api.place({ to, from: '+15550199' })
    this.#calls.add(call)
    return 'call'
  }

  async #endOne(): Promise<string> {
    const [call] = this.#calls
    if (call === undefined) return 'nothing'
    this.#calls.delete(call)
    await this.#stage.api.hangup(call).catch(() => {})
    return 'give up'
  }

  async #supervise(): Promise<string> {
    const { account } = this.#chance.pick(this.seats)
    const change = this.#chance.odds(0.4) ? { status: null } : this.#status()
    await this.#stage.api.setStatus(account, change as never)
    return 'supervise'
  }
}
