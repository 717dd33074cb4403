// What voice applications answer in a turmoil: some of every verb, and now and then nothing that can be used.

import { strategies } from '../../src/config-schema.js'
import type { Source } from '../../src/router/index.js'
import { checkInline } from '../../src/router/instructions/index.js'
import type { VirtualClock } from '../../src/runtime/index.js'
import { type Chance, chanceOf } from './chance.js'

const after = 'https://voice.example.com/after'

const dialOf = (chance: Chance, names: readonly string[]) => ({
  dial: {
    to: Array.from({ length: chance.pick([1, 1, 1, 2, 3]) }, () => chance.pick(names)),
    ...(chance.odds(0.3) && { sequential: true }),
    ...(chance.odds(0.3) && { strategy: chance.pick(strategies) }),
    ...(chance.odds(0.1) && { skills: ['fr'] }),
    ...(chance.odds(0.3) && { timeoutMs: 500 + chance.below(4_000) }),
    ...(chance.odds(0.3) && { totalTimeoutMs: 500 + chance.below(6_000) }),
    ...(chance.odds(0.2) && { timeLimitMs: 500 + chance.below(4_000) }),
    ...(chance.odds(0.3) && { action: after }),
    ...(chance.odds(0.1) && { callerId: '+15550100' }),
  },
})

const enqueueOf = (chance: Chance, names: readonly string[]) => ({
  enqueue: {
    group: chance.pick(names.filter(name => name.startsWith('g'))),
    priority: chance.below(3),
    ...(chance.odds(0.3) && { maxWaitMs: 500 + chance.below(6_000) }),
    ...(chance.odds(0.1) && { skills: ['fr'] }),
    ...(chance.odds(0.3) && { action: after }),
  },
})

const stepOf = (chance: Chance, names: readonly string[]): object => {
  switch (chance.below(14)) {
    case 0:
      return { pause: { ms: chance.below(900) } }
    case 1:
      return { say: { text: 'One moment' } }
    case 2:
      return { gather: { input: ['dtmf'], ...(chance.odds(0.5) && { action: after }) } }
    case 3:
      return { forward: { to: ['+15550142'], ...(chance.odds(0.5) && { action: after }) } }
    case 4:
      return chance.pick([
        { reject: { reason: chance.pick(['rejected', 'busy']) } },
        { hangup: {} },
        { redirect: { url: after } },
      ])
    case 5:
    case 6:
    case 7:
      return enqueueOf(chance, names)
    default:
      return dialOf(chance, names)
  }
}

/** Instructions that come with a call. */
export const documentOf = (chance: Chance, names: readonly string[]): object => ({
  steps: Array.from({ length: chance.pick([1, 1, 2, 3]) }, () => stepOf(chance, names)),
})

/** An application that answers after a while, as chance has it. */
export const papers = (clock: VirtualClock, seed: number, names: readonly string[]): Source => {
  const chance = chanceOf(seed, -2)
  const read = Array.from({ length: 200 }, () => checkInline(documentOf(chance, names), 'steps'))
  const failed = { ok: false, message: 'no answer', attempts: [] } as const
  return {
    async retrieve(source) {
      if (source.kind === 'inline') {
        return { ok: true, value: source.instructions, from: source.from, cached: false, attempts: [] }
      }
      await new Promise<void>(resolve => void clock.after(chance.below(300), resolve))
      const document = chance.odds(0.1) ? undefined : chance.pick(read)
      if (!document?.ok || document.value.kind !== 'inline') return failed
      return { ok: true, value: document.value.instructions, from: after, cached: false, attempts: [] }
    },
    async close() {},
  }
}
