// A hub that is killed while calls come and go, hundreds a second: whoever was told that a call is over finds it on
// record afterwards, and nothing is there twice; and what applications were to be told of it comes to them.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
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

t.test(
  '[FW7] kill -9 with callbacks that nobody took: all of them come, in order, under the same ids',
  async t => {
    let taking = false
    const heard: { id: string; taken: boolean }[] = []
    let news = () => {}
    const server = createServer(async (request, response) => {
      const fields = new URLSearchParams(await text(request))
      const id = String(request.headers['i-twilio-idempotency-token'])
      if (id !== `${fields.get('CallSid')}:${fields.get('SequenceNumber')}`) t.fail(`${id} is of another`)
      heard.push({ id, taken: taking })
      response.writeHead(taking ? 204 : 503).end()
      news()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    const dir = t.testdir({
      secret,
      'hub.json': JSON.stringify({
        dataDir: 'data',
        fetch: { allowPrivate: true },
        limits: { callsPerMinutePerAccount: 1e6, callsPerMinutePerTenant: 1e6, requestsPerSecond: 1e5 },
        tenants: { acme: { keys: [{ alg: 'HS256', secret: { file: 'secret' } }] } },
      }),
    })
    const serve = async () => {
      const args = [launcher, 'serve', '--config', join(dir, 'hub.json'), '--json', '--port', '0']
      const child = new Child(t, args)
      const { url } = await child.stdout.next({ event: 'listening' })
      return { child, trunk: outside(String(url), await tokenOf('trunk', { scopes: ['call:inbound'] })) }
    }
    const statusCallback = {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/status`,
      events: ['initiated', 'completed'],
    }
    const place = { to: 'nobody', from: '+15550199', statusCallback }
    /** Calls whose end somebody was told. */
    const told: string[] = []
    for (const goal of [50, 120]) {
      const { child, trunk } = await serve()
      let killed = false
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          while (!killed) {
            try {
              const { body } = await trunk.ask('POST', '/v1/calls?waitMs=30000', place)
              if (body.state === 'ended') told.push(String(body.call))
            } catch (error) {
              if (!killed) throw error
            }
            if (told.length >= goal && !killed) {
              killed = true
              child.signal('SIGKILL')
            }
          }
        }),
      )
      t.equal(await child.exit, 'SIGKILL')
    }
    t.ok(heard.length > 0, 'some were tried')
    taking = true
    const { child } = await serve()
    const missing = () => {
      const taken = new Set(heard.filter(({ taken }) => taken).map(({ id }) => id))
      return told.flatMap(call => [`${call}:0`, `${call}:1`]).filter(id => !taken.has(id))
    }
    while (missing().length > 0) await new Promise<void>(resolve => (news = resolve))
    const first = new Map<string, number>()
    for (const [index, { id, taken }] of heard.entries()) if (taken && !first.has(id)) first.set(id, index)
    t.same(
      told.filter(call => Number(first.get(`${call}:0`)) > Number(first.get(`${call}:1`))),
      [],
      'each call in its order',
    )
    const taken = heard.filter(({ taken }) => taken)
    t.equal(
      new Set(taken.map(({ id }) => id)).size,
      taken.length,
      'and none twice, since none was taken before',
    )
    t.equal(await child.end('SIGTERM'), 0)
  },
)
