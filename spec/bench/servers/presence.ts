// Presence alone, in process: a group of whatever size, all of its accounts there with one device each, one reader of
// the whole. What comes out of it goes nowhere; time moves only as far as gathering changes takes, so that every
// change is a flush of its own, as it is where little happens.

import { readConfig } from '../../../src/config.js'
import { createPresence, type Link } from '../../../src/presence/index.js'
import type { CallId, DeviceId } from '../../../src/protocol/index.js'
import { VirtualClock } from '../../../src/runtime/index.js'
import { configOf } from '../tokens.js'
import { serve } from './serve.js'

export interface Work {
  readonly group: string
  readonly times: number
}

const sink: Link = { send() {}, probe() {} }

serve<{ groups: Record<string, number> }>(async ({ groups }) => {
  const members = (name: string, size: number) =>
    Array.from({ length: size }, (_, index) => `${name}-${index}`)
  const config = readConfig(
    configOf({
      groups: Object.fromEntries(
        Object.entries(groups).map(([name, size]) => [name, { members: members(name, size) }]),
      ),
    }) as never,
    { dir: '.', env: {} },
  )
  if (!config.ok) throw new Error(JSON.stringify(config.faults))
  const clock = new VirtualClock()
  const presence = createPresence(config.value.tenants, clock)
  const tenant = 'acme' as never
  const device = 'phone' as DeviceId
  const attached = Object.fromEntries(
    Object.entries(groups).map(([name, size]) => [
      name,
      members(name, size).map(account => {
        const arrival = { tenant, account: account as never, device, link: sink, groups: [] }
        const attachment = presence.attach({ ...arrival, canReceive: true, confirms: true })
        if (!attachment.ok) throw new Error(attachment.message)
        return { account: account as never, attachment: attachment.value, away: false }
      }),
    ]),
  )
  for (const name of Object.keys(groups)) {
    presence.subscriptions(tenant, sink).subscribe(name as never, { view: 'full', devices: false })
  }
  clock.advance(1000)

  /** Each next member is far from the last one, as chance would have it. */
  const each = async (
    { group, times }: Work,
    act: (one: (typeof attached)[string][number], round: number) => unknown,
  ): Promise<number> => {
    const people = attached[group] ?? []
    const begun = performance.now()
    for (let count = 0; count < times; count++) {
      const one = people[(count * 7919) % people.length]
      if (one !== undefined) await act(one, count)
      clock.advance(25)
    }
    return ((performance.now() - begun) * 1000) / times
  }

  return {
    info: {},
    answers: {
      change: (work: Work) =>
        each(work, one => {
          one.away = !one.away
          return one.attachment.declare({ status: one.away ? 'away' : 'available' })
        }),
      claim: (work: Work) =>
        each(work, async ({ account }, round) => {
          const hold = { tenant, account, call: `call-${round}` as CallId }
          const claimed = await presence.claim(hold, [device])
          if (!claimed.ok) throw new Error(claimed.message)
          presence.release(hold)
        }),
    },
  }
})
