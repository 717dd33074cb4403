import t from 'tap'
import { reaches, ScriptedHub } from '../support/scripted-hub.js'

t.test('each request is settled by its own reply, whatever the order', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const first = phone.presence(['alice'], { view: 'summary' })
  const second = phone.presence(['bob', 'carol'])
  const asked = [await line.next('presence'), await line.next('presence')]
  t.match(asked[0], { destinations: ['alice'], view: 'summary' })
  t.match(asked[1], { destinations: ['bob', 'carol'] })
  line.send(
    { type: 'resources', ref: asked[1]!.ref, resources: [{ destination: 'bob' }, { destination: 'carol' }] },
    { type: 'resources', ref: 'of nobody', resources: [] },
    { type: 'ok' },
    { type: 'error', ref: asked[0]!.ref, code: 'forbidden', message: 'no', retry: false },
  )
  t.match(await second, [{ destination: 'bob' }, { destination: 'carol' }])
  await t.rejects(first, { code: 'forbidden', retry: false, retryAfterMs: undefined })
})

t.test('[U2] requests made while there is no connection wait for the next one, in order', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  const asked = [phone.status({ status: 'away', for: 'account' }), phone.presence(['bob'])]
  phone.connect()
  const { line } = await hub.hello()
  t.equal(line.heard.length, 1, 'nothing is said before the welcome')
  line.welcome()
  await line.answer('presence', { type: 'resources', resources: [] })
  await line.answer('status')
  await Promise.all(asked)
  t.strictSame(
    line.heard.map(({ type }) => type),
    ['hello', 'status', 'presence'],
  )
})

t.test('no more wait than the hub would hold', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  const waiting = Array.from({ length: 32 }, () => phone.presence(['bob']))
  await t.rejects(phone.presence(['bob']), { code: 'too-many', retry: true })
  await phone.close()
  for (const request of waiting) await t.rejects(request, { code: 'closed' })
})

t.test('a request that is not answered in time fails', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online({}, { heartbeatMs: 60_000 })
  const asked = phone.presence(['bob'])
  const { ref } = await line.next('presence')
  hub.clock.advance(30_005)
  await t.rejects(asked, { code: 'timeout', retry: true, message: 'no answer to presence in time' })
  line.send(
    { type: 'resources', ref, resources: [] },
    { type: 'error', ref, code: 'busy', message: '', retry: true },
  )
  const again = phone.presence(['bob'])
  await line.answer('presence', { type: 'resources', resources: [] })
  t.strictSame(await again, [], "a late answer is nobody's")
})

t.test(
  'what was under way when the connection broke is asked again, unless twice would be too often',
  async t => {
    const hub = await ScriptedHub.start(t)
    const { phone, line } = await hub.online()
    const presence = phone.presence(['bob'])
    const place = phone.place({ to: 'support' })
    const signal = phone.request('signal', { call: 'c1', data: 1 })
    const status = phone.status({ status: 'busy' })
    await line.next('status')
    line.cut()
    await t.rejects(place, { code: 'disconnected', retry: false, message: /before the answer to place/ })
    await t.rejects(signal, { code: 'disconnected' })
    const { inMs } = await reaches(phone, 'reconnecting')
    const later = phone.request('signal', { call: 'c1', data: 2 })
    hub.clock.advance(inMs + 5)
    const second = await hub.accept({ resumed: true })
    await second.answer('presence', { type: 'resources', resources: [] })
    await second.answer('status')
    t.match(await second.answer('signal'), { data: 2 }, 'what was not said yet waits its turn')
    await Promise.all([presence, status, later])
  },
)

t.test('what was not said yet outlasts attempts that fail', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  const placed = phone.place({ to: 'support' })
  phone.connect()
  const { line } = await hub.hello()
  line.close(1013)
  const { inMs } = await reaches(phone, 'reconnecting')
  hub.clock.advance(inMs + 5)
  await (await hub.accept()).answer('place', { type: 'placed', call: 'c1' })
  t.equal((await placed).id, 'c1')
})

t.test('a request larger than the hub takes is refused before it is sent', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone } = await hub.online()
  await t.rejects(phone.place({ to: 'support', sdp: 'é'.repeat(40_000) }), { code: 'too-large' })
  t.equal(phone.connection.state, 'online')
})

t.test('what the device declared is said again to a hub that may have forgotten', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online({ status: 'available' })
  const next = async () => {
    const { inMs } = await reaches(phone, 'reconnecting')
    hub.clock.advance(inMs + 5)
    const { line, hello } = await hub.hello()
    line.welcome()
    return { line, hello }
  }
  const change = { status: 'away', note: 'lunch', until: '2026-01-01T00:00:00.500Z' } as const
  const said = phone.status(change)
  t.match(await line.answer('status'), change)
  await said
  line.cut()

  const second = await next()
  t.match(second.hello, { status: 'away', note: 'lunch' })
  t.match(
    await second.line.answer('status', { type: 'error', code: 'invalid', message: 'late', retry: false }),
    change,
  )
  const override = phone.status({ status: null, for: 'account' })
  await second.line.answer('status')
  await override
  second.line.cut()

  const third = await next()
  t.equal(third.hello.status, 'available', 'its time has passed')
  t.equal(third.hello.note, undefined)
  const cleared = phone.status({ status: null })
  await third.line.answer('status')
  await cleared
  third.line.cut()
  t.equal((await next()).hello.status, undefined)
})
