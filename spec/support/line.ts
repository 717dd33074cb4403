// A support line as a model knows it: people with their devices, callers, and what each was told of every call. It asks
// nothing of the hub, and finds fault with what can not be true: a device that is offered what it has, or told of the end of
// what it never had, a person on more calls than they take, a caller who hears two ends, or none.

import type { Attachment } from '../../src/presence/index.js'
import type { CallFrame, CallId, HubFrame, Party } from '../../src/protocol/index.js'
import type { Caller } from '../../src/router/index.js'
import type { CallRecord } from '../../src/store/index.js'
import { acme } from './room.js'

/** What a device has to do with a call. */
export type Part = 'rung' | 'refused' | 'talking' | 'calling'

export interface Device {
  readonly person: Person
  readonly party: Party
  readonly calls: Map<CallId, Part>
  /** Calls that it refused, and left before their last word. */
  readonly former: Set<CallId>
  /** Confirms that it rings: at once, when asked to, or never. */
  readonly manner: 'prompt' | 'slow' | 'mute'
  attachment: Attachment | undefined
  lost: boolean
}

export interface Person {
  readonly account: string
  readonly capacity: number
  readonly devices: readonly Device[]
}

/** A line of a call's timeline, as a device saw it: `offered` or `answered`, when, and which device. */
type Seen = readonly [event: string, at: string, device: string]

/** One call, as its sides saw it. */
export interface Story {
  readonly call: CallId
  /** Who placed it, from outside or at a device. */
  readonly by: Caller
  readonly seen: Seen[]
  /** The step that the caller's gateway is asked for. */
  step: number | undefined
  /** Reasons that the caller heard. */
  readonly ends: string[]
  /** The caller is not there to hear the end, or had passed the call on. */
  deaf: boolean
  record: CallRecord | undefined
}

const nameOf = ({ account, device }: { readonly account: string; readonly device: string }): string =>
  `${account}/${device}`

export class Line {
  readonly people: readonly Person[]
  readonly devices: readonly Device[]
  /** The calls that are not over, or not judged yet. */
  readonly stories = new Map<CallId, Story>()
  /** All there were. */
  readonly calls: CallId[] = []
  readonly faults: string[] = []
  readonly #now: () => string
  /** Whose calls have changed since they were last looked at. */
  readonly #moved = new Set<Person>()

  /** `now`: the time as a timeline has it. */
  constructor(people: readonly [account: string, capacity: number, devices: number][], now: () => string) {
    this.#now = now
    const manners = ['prompt', 'prompt', 'slow', 'mute'] as const
    let count = 0
    this.people = people.map(([account, capacity, many]) => {
      const devices: Device[] = []
      const person = { account, capacity, devices }
      for (let index = 0; index < many; index++) {
        const party = { tenant: acme, account, device: `d${index}` } as Party
        const manner = manners[count++ % manners.length]!
        devices.push({
          person,
          party,
          calls: new Map(),
          former: new Set(),
          manner,
          attachment: undefined,
          lost: false,
        })
      }
      return person
    })
    this.devices = this.people.flatMap(({ devices }) => devices)
  }

  place(call: CallId, by: Caller): Story {
    const story: Story = { call, by, seen: [], step: undefined, ends: [], deaf: false, record: undefined }
    this.stories.set(call, story)
    this.calls.push(call)
    return story
  }

  /** A device's own call. */
  begins(device: Device, call: CallId): void {
    device.calls.set(call, 'calling')
    this.#moved.add(device.person)
  }

  /** What a device is told. */
  hear(device: Device, frame: HubFrame): void {
    if (!('call' in frame)) return
    const { call, type } = frame as CallFrame
    const part = device.calls.get(call)
    const story = this.stories.get(call)
    const foul = () =>
      this.faults.push(`${nameOf(device.party)} hears ${type} of ${call}, and has it ${part}`)
    if (story === undefined || device.attachment === undefined) return void foul()
    // The end of a call that an earlier session had placed, and the last word on one that it had refused.
    if (type === 'ended' && part === undefined && story.deaf) return
    if (type === 'cancel' && device.former.delete(call)) return
    this.#moved.add(device.person)
    if (type === 'invite') {
      if (part !== undefined) foul()
      // Offered anew: the last word on the time before has been said to nobody.
      device.former.delete(call)
      story.seen.push(['offered', this.#now(), nameOf(device.party)])
      device.calls.set(call, 'rung')
    } else if (type === 'connected') {
      if (part !== 'rung') foul()
      story.seen.push(['answered', this.#now(), nameOf(device.party)])
      device.calls.set(call, 'talking')
    } else if (type === 'cancel') {
      if (part !== 'rung' && part !== 'refused') foul()
      device.calls.delete(call)
    } else if (frame.type === 'ended') {
      if (part !== 'talking' && part !== 'calling') foul()
      if (device.party === story.by.party && !story.deaf) story.ends.push(frame.reason)
      device.calls.delete(call)
    } else if (part === 'talking' && type !== 'signal') {
      // Whoever it talked to has passed it on.
      device.calls.set(call, 'calling')
    } else if (part !== 'calling' && type !== 'signal') foul()
  }

  /** What a caller from outside is told. */
  told(story: Story, frame: CallFrame): void {
    if (story.ends.length > 0)
      this.faults.push(`the caller of ${story.call} hears ${frame.type} after the end`)
    if (frame.type === 'ended') story.ends.push(frame.reason)
    if (frame.type === 'perform') story.step = frame.step
  }

  /** A device is not there any more, and hears nothing of what it had. */
  forget(device: Device): void {
    device.attachment = undefined
    device.lost = false
    for (const [call, part] of device.calls) {
      const story = this.stories.get(call)
      if (part === 'calling' && story?.by.party === device.party) story.deaf = true
      if (part === 'refused') device.former.add(call)
    }
    device.calls.clear()
    this.#moved.add(device.person)
  }

  /** What a new session of a device is told again must be what it has. */
  again(device: Device, frames: readonly CallFrame[]): void {
    const words = { rung: 'invite', refused: undefined, talking: 'connected', calling: 'progress' }
    const has = [...device.calls].flatMap(([call, part]) =>
      words[part] && this.#has(call, part) ? [`${call} ${words[part]}`] : [],
    )
    const told = frames
      .filter(({ type }) => type !== 'perform')
      .map(({ call, type }) => `${call} ${type === 'answered' ? 'progress' : type}`)
    if (String(has.sort()) !== String(told.sort()))
      this.faults.push(`${nameOf(device.party)} has ${has}, and a new session hears ${told}`)
  }

  /** Nobody who has heard of calls since the last look is on more than they take. */
  look(): void {
    for (const { account, capacity, devices } of this.#moved) {
      const all = devices.flatMap(device => [...device.calls])
      const calls = new Set(all.flatMap(([call, part]) => (this.#has(call, part) ? [call] : [])))
      if (calls.size > capacity) this.faults.push(`${account}, who takes ${capacity}, has ${[...calls]}`)
    }
    this.#moved.clear()
  }

  /** A caller hears of the end once it is on record, and has their place back before. */
  #has(call: CallId, part: Part): boolean {
    return part !== 'calling' || this.stories.get(call)?.record === undefined
  }

  /** All is over: every story has an end, and its record says what its sides saw. */
  close(): void {
    for (const device of this.devices) {
      if (device.calls.size > 0)
        this.faults.push(`${nameOf(device.party)} still has ${[...device.calls.keys()]}`)
    }
    for (const story of this.stories.values()) this.#judge(story)
  }

  /** Whether it is over and all have heard so; then it is judged, and forgotten. */
  isOver(story: Story): boolean {
    const over = story.record !== undefined && story.ends.length > 0 && !story.deaf
    if (over) {
      this.#judge(story)
      this.stories.delete(story.call)
    }
    return over
  }

  #judge({ call, ends, deaf, record, seen }: Story): void {
    const foul = (what: string) => this.faults.push(`${call} ${what}`)
    if (record === undefined) return void foul('has no record')
    if (ends.length !== 1 && !(deaf && ends.length === 0)) foul(`ended ${ends.length} times: ${ends}`)
    if (!deaf && ends[0] !== record.reason) foul(`ended ${record.reason}, and its caller heard ${ends[0]}`)
    const open = record.attempts.filter(({ outcome }) => outcome === 'offered' || outcome === 'ringing')
    if (open.length > 0) foul(`is over, and rings ${open.map(nameOf)}`)

    // A device that was gone when its turn came has no invite, and its attempt failed.
    const failed = new Set(record.attempts.filter(({ outcome }) => outcome === 'failed').map(nameOf))
    const lines = record.timeline as readonly { event: string; at: string; account: string; device: string }[]
    const heard = new Set(seen.map(String))
    const written = lines
      .filter(({ event }) => event === 'offered' || event === 'answered')
      .map(line => String([line.event, line.at, nameOf(line)] satisfies Seen))
      .filter(line => heard.has(line) || !failed.has(line.split(',')[2]!))
    if (String(written) !== String(seen.map(String)))
      foul(`has ${written} on record, and devices saw ${seen}`)
    if (lines.at(-1)?.event !== 'ended') foul(`goes on after its end: ${lines.at(-1)?.event}`)
    const last = seen.findLast(([event]) => event === 'answered')
    if (last?.[2] !== (record.by && nameOf(record.by))) foul(`was answered by ${last?.[2]}, not as on record`)
    let rung = new Set<string>()
    for (const line of lines) {
      if (['dial', 'queued', 'round'].includes(line.event)) rung = new Set()
      if (line.event !== 'offered') continue
      if (rung.has(nameOf(line))) foul(`rings ${nameOf(line)} twice`)
      rung.add(nameOf(line))
    }
  }
}
