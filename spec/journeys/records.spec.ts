// A hub that is killed while calls come and go, hundreds a second: whoever was told that a call is over finds it on
// record afterwards, and nothing is there twice.

import { join } from 'node:path'
import t from 'tap'
import { secret, tokenOf } from '../support/hub.js'
import { Child, launcherOf, outside } from '../support/processes.js'

t.setTimeout(90_000)

const launcher = await launcherOf()

const lanes = 64
const killedAfter = [400, 1_000, 700]

t.test('kill -9 under load: no record lost that was told, none doubled, each retry one call', async t => {
  const dir = t.testdir({
    secret,
    'hub.json': JSON.stringify({
      dataDir: 'data',
      records: { fileBytes: 200_000 },
      limits: {
        callsPerMinutePerAccount: 1_000_000,
        callsPerMinutePerTenant: 1_000_000,
        requestsPerSecond: 100_000,
      },
      tenants: { acme: { keys: [{ alg: 'HS256', secret: { file: 'secret' } }] } },
    }),
  })
  const serve = async () => {
    const child = new Child(t, [
      launcher,
      'serve',
      '--config',
      join(dir, 'hub.json'),
      '--json',
      '--port',
      '0',
    ])
    const { url } = await child.stdout.next({ event: 'listening' })
    return { child, trunk: outside(String(url), await tokenOf('trunk', { scopes: ['call:inbound'] })) }
  }
  /** Keys whose calls nobody was told the end of yet, and all calls of which somebody was. */
  const unsure = new Set<string>()
  const told = new Map<string, string>()
  let keys = 0

  const ask = async (trunk: ReturnType<typeof outside>, key: string): Promise<void> => {
    unsure.add(key)
    const call = { to: 'nobody', from: '+15550199' }
    const { status, body } = await trunk.ask('POST', '/v1/calls?waitMs=30000', call, {
      'idempotency-key': key,
    })
    if ((status !== 200 && status !== 201) || body.state !== 'ended' || body.recorded !== true)
      throw new Error(`${status} ${JSON.stringify(body)}`)
    unsure.delete(key)
    told.set(key, String(body.call))
  }

  for (const count of killedAfter) {
    const { child, trunk } = await serve()
    // What the last one left open is asked for again, as a system outside does.
    await Promise.all([...unsure].map(key => ask(trunk, key)))
    const goal = told.size + count
    const begun = performance.now()
    let killed = false
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        while (!killed) {
          try {
            await ask(trunk, `key-${++keys}`)
          } catch (error) {
            if (!killed) throw error
          }
          if (told.size >= goal && !killed) {
            killed = true
            child.signal('SIGKILL')
          }
        }
      }),
    )
    t.comment(`${Math.round(count / ((performance.now() - begun) / 1000))} calls a second`)
    t.equal(await child.exit, 'SIGKILL')
  }

  const { child, trunk } = await serve()
  t.comment(`${unsure.size} calls of which nobody knew`)
  await Promise.all([...unsure].map(key => ask(trunk, key)))
  const found: string[] = []
  let cursor = ''
  do {
    const { status, body } = await trunk.ask('GET', `/v1/calls?limit=200${cursor && `&cursor=${cursor}`}`)
    t.equal(status, 200)
    for (const { call, state, recorded } of body.calls as {
      call: string
      state: string
      recorded: boolean
    }[]) {
      if (state !== 'ended' || !recorded) t.fail(`${call} is ${state}`)
      found.push(call)
    }
    cursor = String(body.cursor ?? '')
  } while (cursor !== '')
  t.same(
    [...told.values()].filter(call => !found.includes(call)),
    [],
    'all that were told are there',
  )
  t.equal(new Set(found).size, found.length, 'once')
  t.equal(found.length, keys, 'and each key has had one call')
  const [some = ''] = told.values()
  t.match(await trunk.call(some), { call: some, state: 'ended', reason: 'unavailable' })
  t.equal(await child.end('SIGTERM'), 0)
})
