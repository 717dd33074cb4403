// Calls on record over HTTP: who waits for them, who may read them, what a restart leaves, and what operators see when
// the disk does not take them.

import t, { type Test } from 'tap'
import { newApi, until } from '../support/http-api.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { openLog } from '../support/records.js'

const stand = async (t: Test, log?: Awaited<ReturnType<typeof openLog>>) => {
  const kept = log ?? (await openLog(t))
  const { store, records, clock } = kept
  const api = await newApi(t, { store, records, time: clock, troubles: { store: () => store.trouble } })
  const token = await api.token('pbx', ['call:inbound'])
  const place = (key: string | undefined, query = '', body: object = { to: 'nobody', from: '' }) =>
    api.ask('POST', `/v1/calls${query}`, {
      token,
      body,
      ...(key !== undefined && { headers: { 'idempotency-key': key } }),
    })
  const get = async (path: string, as = token) => api.ask('GET', `/v1/calls${path}`, { token: as })
  return { ...kept, api, token, place, get }
}

t.test('who waits for a call, or follows it, hears of its end once it is on record', async t => {
  const { api, memory, place, get, token } = await stand(t)
  const release = memory.hold('sync')
  const waiting = place(undefined, '?waitMs=60000')
  await until(() => memory.calls.includes('sync'))
  const { calls } = (await get('')).json
  t.match(calls, [{ state: 'ended', reason: 'unavailable', recorded: false }])
  const feed = await api.follow(`/v1/calls/${calls[0].call}/events`, { token })
  let over = false
  const rest = feed.rest().then(events => {
    over = true
    return events
  })
  t.notOk(over)
  release()
  t.match((await waiting).json, { state: 'ended', reason: 'unavailable', recorded: true })
  t.match((await rest).at(-1), { event: 'ended' })
  t.match((await get(`/${calls[0].call}`)).json, { recorded: true })
})

t.test('after a restart a call is there for its owner, and can be neither followed nor changed', async t => {
  const before = await stand(t)
  const { call } = (await before.place(undefined, '?waitMs=60000')).json
  const { api, get, token } = await stand(t, await before.crash())
  t.match((await get(`/${call}`)).json, { call, state: 'ended', reason: 'unavailable', recorded: true })
  t.match((await get('')).json, { calls: [{ call }] })
  t.notOk('timeline' in (await get(`/${call}`)).json)
  const seer = await api.token('pbx', ['call:inbound', 'call:explain'])
  t.match((await get(`/${call}`, seer)).json.timeline, [{ event: 'received' }])
  t.equal((await get(`/${call}`, await api.token('root', ['admin']))).status, 200)
  const stranger = await api.token('eve', ['call:inbound'])
  t.equal((await get(`/${call}`, stranger)).status, 404)
  t.same((await get('', stranger)).json, { calls: [] })
  t.match(await get(`/${call}/events`), { status: 409, json: { error: { code: 'call-gone' } } })
  t.match(await api.ask('DELETE', `/v1/calls/${call}`, { token }), { status: 409 })
  t.match(await api.ask('POST', `/v1/calls/${call}`, { token, body: { signal: 1 } }), { status: 409 })
})

t.test(
  '[FH3] after a restart a key names the call that it placed, if that is on record, for a day',
  async t => {
    const before = await stand(t)
    const first = await before.place('k1', '?waitMs=60000')
    const { call } = first.json
    // Nobody answers it: it is not over when the hub is.
    before.api.room.phone('alice')
    const lost = (await before.place('k2', '', { to: 'alice', from: '' })).json.call
    await before.idle()
    const after = await stand(t, await before.crash())
    t.match(await after.place('k1'), { status: 200, json: { call, state: 'ended' } })
    t.match(await after.place('k1', '?waitMs=60000'), { status: 200, json: { call, reason: 'unavailable' } })
    t.match(await after.place('k1', '', { to: 'somebody', from: '' }), {
      status: 422,
      json: { error: { code: 'idempotency-mismatch' } },
    })
    const other = await after.api.token('crm', ['call:inbound'])
    const theirs = await after.api.ask('POST', '/v1/calls', {
      token: other,
      body: { to: 'nobody', from: '' },
      headers: { 'idempotency-key': 'k1' },
    })
    t.equal(theirs.status, 201, 'keys are each account’s own')
    const again = await after.place('k2', '', { to: 'alice', from: '' })
    t.equal(again.status, 201, 'a call that was lost is placed anew')
    t.not(again.json.call, lost)
    const log = String(after.memory.content('/data/calls-000001.jsonl'))
    t.notOk(log.includes('k1'), 'a key is kept as its digest')
    await after.idle()

    const later = await after.crash()
    later.clock.advance(86_400_000 - 1_000)
    const last = await stand(t, later)
    later.clock.advance(2_000)
    t.equal((await last.place('k1')).status, 201, 'a day later it is a new one')
  },
)

t.test(
  '[FD1] while the disk refuses, the end is told, and /readyz and the metrics say that it is not kept',
  async t => {
    const { api, memory, place, get } = await stand(t)
    memory.fail('write', 'ENOSPC')
    const { json } = await place(undefined, '?waitMs=60000')
    t.match(json, { state: 'ended', reason: 'unavailable', recorded: false })
    const trouble = 'records of calls cannot be written (ENOSPC)'
    t.match(await api.ask('GET', '/readyz'), {
      status: 503,
      json: { error: { details: [{ path: 'store', message: trouble }] } },
    })
    const metrics = (await api.ask('GET', '/metrics')).text
    t.match(metrics, /^switchhook_call_records_waiting 1$/m)
    t.match(metrics, /^switchhook_call_records_total\{outcome="late"\} 1$/m)
    t.match(metrics, /^switchhook_call_records_total\{outcome="written"\} 0$/m)
    t.match((await get('')).json.calls, [{ recorded: false }])
  },
)

t.test('[FH6] filters out of form are refused, naming the field', async t => {
  const { get } = await stand(t)
  for (const [query, field] of [
    ['until=never', 'until'],
    ['until=2026-99-01T00:00:00Z', 'until'],
    ['reason=bored', 'reason'],
    ['by=a..b', 'by'],
    [`to=${'9'.repeat(129)}`, 'to'],
    ['from=%00', 'from'],
    ['cursor=12', 'cursor'],
  ] as const) {
    const { status, json } = await get(`?${query}`)
    t.match([status, json.error?.code], [400, 'invalid'], query)
    t.match(json.error.message, field)
  }
  t.same((await get('?until=2030-01-01T00:00:00Z&reason=busy&by=alice&to=x&from=y')).json, { calls: [] })
})

t.test('a disk that can not be read is an internal error, and the rest goes on', async t => {
  const memory = new MemoryDisk()
  const before = await stand(t, await openLog(t, memory))
  const { call } = (await before.place(undefined, '?waitMs=60000')).json
  const { get, place } = await stand(t, await before.crash())
  memory.fail('read', 'EIO')
  t.match(await get(`/${call}`), { status: 500, json: { error: { code: 'internal' } } })
  memory.heal()
  t.equal((await place(undefined)).status, 201)
})
