// The call log alone, in process, on this machine's own disk, and beside it the least that as much safety takes: a loop
// that appends as many lines as are under way at once to one file, and syncs it.

import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock } from '../../../src/runtime/index.js'
import { type CallRecord, openFileStore } from '../../../src/store/index.js'
import { lineOf } from '../../../src/store/lines.js'
import { serve } from './serve.js'

export interface Load {
  readonly atOnce: number
  readonly total: number
}

const recordOf = (number: number): CallRecord => {
  const at = '2026-01-01T00:00:00.000Z'
  const who = { account: 'agent-1', device: 'phone' }
  const events = ['received', 'dial', 'picked', 'offered', 'ringing', 'answered', 'ended']
  return {
    call: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    tenant: 'acme',
    owner: 'outside',
    to: '+15550100',
    from: '+15550199',
    direction: 'inbound',
    createdAt: at,
    endedAt: at,
    reason: 'completed',
    by: who,
    attempts: [{ ...who, offeredAt: at, ringingAt: at, endedAt: at, outcome: 'won' }],
    timeline: events.map(event => ({ at, event, ...who })),
  } as unknown as CallRecord
}

serve(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchhook-bench-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const clock = systemClock(() => {})
  const records = { fileBytes: 32e6, keptBytes: 64e6, keptDays: 1e4, patienceMs: 60_000, keysPerTenant: 1 }
  const store = await openFileStore({ dir: join(dir, 'data'), clock, log: silentLog, records })
  const bare = await open(join(dir, 'bare'), 'ax')
  let number = 0
  const perSecond = async (total: number, work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now()
    await work()
    return (total / (performance.now() - begun)) * 1000
  }
  return {
    info: {},
    answers: {
      log: ({ atOnce, total }: Load) =>
        perSecond(
          total,
          () =>
            new Promise<void>(resolve => {
              let begun = 0
              let kept = 0
              const next = (): void => {
                if (begun++ >= total) return
                store.records?.append(recordOf(++number), position => {
                  if (position === undefined) throw new Error('the disk is too slow')
                  if (++kept === total) resolve()
                  else next()
                })
              }
              for (let each = 0; each < atOnce; each++) next()
            }),
        ),
      bare: ({ atOnce, total }: Load) =>
        perSecond(total, async () => {
          for (let done = 0; done < total; done += atOnce) {
            const lines = Array.from({ length: atOnce }, () => lineOf(recordOf(++number)))
            await bare.appendFile(lines.join(''))
            await bare.sync()
          }
        }),
    },
  }
})
