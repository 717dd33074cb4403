// Presence and router in process: so many live accounts in groups of ten, attached through the port that live
// connections use. Whoever is rung answers and hangs up at once.

import { randomUUID } from 'node:crypto'
import { readConfig } from '../../../src/config.js'
import { Bounds } from '../../../src/limits/index.js'
import { createPresence } from '../../../src/presence/index.js'
import type { Party } from '../../../src/protocol/index.js'
import { type Caller, createRouter, createSource, readRoutes } from '../../../src/router/index.js'
import { silentLog, systemClock } from '../../../src/runtime/index.js'
import { configOf } from '../tokens.js'
import { serve } from './serve.js'

const peopleOfGroup = 10

serve<{ accounts: number }>(async ({ accounts }) => {
  const names = Array.from({ length: accounts }, (_, index) => `agent-${index}`)
  const count = accounts / peopleOfGroup
  const groups = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `group-${index}`,
      { members: names.slice(index * peopleOfGroup, (index + 1) * peopleOfGroup), strategy: 'longest-idle' },
    ]),
  )
  const read = readConfig(configOf({ groups }) as never, { dir: '.', env: {} })
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  const config = read.value
  const clock = systemClock(error => {
    throw error
  })
  const routes = readRoutes(config)
  if (!routes.ok) throw new Error(JSON.stringify(routes.faults))
  const presence = createPresence(config.tenants, clock)
  const router = createRouter({
    config,
    bounds: new Bounds(config.limits),
    presence,
    routes: routes.value,
    source: createSource({ fetch: config.fetch, clock }),
    callbacks: { deliver() {}, kept: then => then() },
    clock,
    log: silentLog,
    newId: randomUUID,
    random: Math.random,
  })
  const tenant = 'acme' as never
  for (const account of names) {
    const party: Party = { tenant, account: account as never, device: 'phone' as never }
    const attached = presence.attach({
      ...party,
      groups: [],
      canReceive: true,
      confirms: true,
      link: {
        send(frame) {
          if (frame.type !== 'invite') return
          const { call } = frame
          queueMicrotask(() => {
            router.accept(party, call as never)
            router.hangup(party, call as never)
          })
        },
        probe() {},
      },
    })
    if (!attached.ok) throw new Error(attached.message)
  }

  let placed = 0
  /** Places a call; settles once it is over. */
  const call = (): Promise<void> =>
    new Promise(resolve => {
      const to = `group-${(++placed * 7919) % count}`
      const caller: Caller = {
        account: 'outside' as never,
        send: frame => {
          if (frame.type === 'ended') resolve()
        },
      }
      const at = router.place({ tenant, to, from: '+15550199', direction: 'inbound', caller })
      if (!at.ok) throw new Error(at.message)
    })

  return {
    info: {},
    answers: {
      /** Microseconds a call. */
      async calls({ times }: { times: number }) {
        const begun = performance.now()
        for (let done = 0; done < times; done++) await call()
        return ((performance.now() - begun) * 1000) / times
      },
    },
  }
})
