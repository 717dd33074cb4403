import t from 'tap'
import { type Resource, Softphone, type View } from '../../src/client/index.js'
import { testHub } from '../../src/testing/index.js'
import { reaches, ScriptedHub, type ScriptedLine } from '../support/scripted-hub.js'

const counts = { available: 1, ringing: 0, busy: 0, away: 0, dnd: 0, offline: 0 }
const head = (destination: string, version: number) => ({
  destination,
  kind: 'group',
  version,
  status: 'available',
  since: '2026-01-01T00:00:00.000Z',
  counts,
})
const snapshot = (destination: string, version: number) => ({
  type: 'presence',
  snapshot: true,
  ...head(destination, version),
  accounts: [],
})
const diff = (destination: string, prev: number, version: number) => ({
  type: 'presence',
  snapshot: false,
  prev,
  ...head(destination, version),
})

const settled = async (phone: Softphone, line: ScriptedLine): Promise<void> => {
  const asked = phone.request('ping', {})
  await line.answer('ping', { type: 'pong' })
  await asked
}

const reconnected = async (hub: ScriptedHub, phone: Softphone, facts: object): Promise<ScriptedLine> => {
  const { inMs } = await reaches(phone, 'reconnecting')
  hub.clock.advance(inMs + 5)
  const line = await hub.accept(facts)
  await reaches(phone, 'online')
  return line
}

/** A watch that has its first snapshot. */
const watched = async (hub: ScriptedHub, options: { view?: View } = {}) => {
  const { phone, line } = await hub.online()
  const watch = phone.subscribe('support', options)
  await line.answer('subscribe')
  line.send(snapshot('support', 1))
  await watch.ready
  return { phone, line, watch }
}

t.test('[C12] a watch shows the snapshot, then each change, never changed in place', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const [support, sales] = phone.subscribe(['support', 'sales'], { view: 'summary' })
  t.equal(support.resource, undefined)
  t.match(await line.answer('subscribe'), { destinations: ['support', 'sales'], view: 'summary' })
  const versions: number[] = []
  const stop = support.on('change', ({ version }) => versions.push(version))
  line.send(snapshot('support', 4), snapshot('sales', 1), diff('support', 4, 5))
  t.match(await sales.ready, { version: 1 })
  const first: Resource = await support.ready
  await settled(phone, line)
  t.equal(first.version, 4)
  t.strictSame(support.resource, { ...head('support', 5), accounts: [] })
  stop()
  line.send(diff('support', 5, 6), diff('nowhere', 1, 2))
  await settled(phone, line)
  t.strictSame(versions, [4, 5])
})

t.test('a gap asks for one snapshot, and what comes before it is passed over', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, watch } = await watched(hub)
  const versions: number[] = []
  watch.on('change', ({ version }) => versions.push(version))
  line.send(diff('support', 2, 3), diff('support', 3, 4))
  t.match(await line.answer('subscribe'), { destinations: ['support'], view: 'full' })
  line.send(diff('support', 4, 5), snapshot('support', 5), diff('support', 4, 5), diff('support', 5, 6))
  await settled(phone, line)
  t.strictSame(versions, [5, 6])
  t.notOk(line.untaken.some(({ type }) => type === 'subscribe'))
})

t.test('watches of one destination share a subscription, of the widest view', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, watch } = await watched(hub, { view: 'summary' })
  const same = phone.subscribe('support', { view: 'summary' })
  t.strictSame(same.resource, watch.resource, 'what is known is shown at once')
  const wider = phone.subscribe(['support'])[0]
  t.match(await line.answer('subscribe'), { view: 'full' })
  const changed = wider.once('change')
  line.send(snapshot('support', 2))
  await changed
  t.equal(watch.resource, wider.resource)
  wider.close()
  t.match(await line.answer('subscribe'), { view: 'summary' }, 'who is left asks for less')
  line.send(snapshot('support', 1))
  await watch.once('change')
  same.close()
  same.close()
  watch.close()
  t.match(await line.answer('unsubscribe'), { destinations: ['support'] })
  line.send(diff('support', 1, 2))
  await settled(phone, line)
  t.match(watch.resource, { version: 1 })
  t.equal(line.untaken.length, 0)
})

t.test('a destination that may not be watched is refused, the others are not', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const [secret, support] = phone.subscribe(['secret', 'support'])
  const refused = secret.once('refused')
  await line.answer('subscribe', { type: 'ok', refused: [{ destination: 'secret', code: 'forbidden' }] })
  line.send(snapshot('support', 1))
  t.match(await refused, { code: 'forbidden', message: 'may not watch secret in view full' })
  await t.rejects(secret.ready, { code: 'forbidden' })
  t.match(await support.ready, { version: 1 })
  secret.close()
  await settled(phone, line)
  t.equal(line.untaken.length, 0, 'what is not watched is not given up')
})

t.test('a wider view that is refused leaves the narrower one as it was', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, watch } = await watched(hub)
  const routing = phone.subscribe('support', { view: 'routing' })
  const refused = routing.once('refused')
  await line.answer('subscribe', { type: 'error', code: 'forbidden', message: 'no routing', retry: false })
  t.match(await refused, { code: 'forbidden', message: 'no routing' })
  t.match(await line.answer('subscribe'), { destinations: ['support'], view: 'full' })
  line.send(snapshot('support', 2))
  await watch.once('change')
  t.match(watch.resource, { version: 2 })
})

t.test('a refusal that a newer request has overtaken refuses nobody', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const summary = phone.subscribe('support', { view: 'summary' })
  const full = phone.subscribe('support')
  const gone = phone.subscribe('gone')
  gone.close()
  const refused = { type: 'ok', refused: [{ destination: 'support', code: 'forbidden' }] }
  await line.answer('subscribe', refused)
  await line.answer('subscribe')
  await line.answer('subscribe', { type: 'ok', refused: [{ destination: 'gone', code: 'forbidden' }] })
  line.send(snapshot('support', 1))
  await Promise.all([summary.ready, full.ready])
})

t.test('a new session subscribes to all again, a hundred in a frame', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  const destinations = Array.from({ length: 150 }, (_, index) => `group-${index}`)
  phone.subscribe(destinations)
  phone.subscribe('support', { view: 'summary' })
  phone.connect()
  const line = await hub.accept()
  const all = async (line: ScriptedLine) => {
    const asked = [await line.next('subscribe'), await line.next('subscribe'), await line.next('subscribe')]
    t.strictSame(
      asked.map(({ view, destinations }) => `${view} ${(destinations as string[]).length}`),
      ['summary 1', 'full 100', 'full 50'],
    )
  }
  await all(line)
  line.cut()
  await all(await reconnected(hub, phone, { session: 's2' }))
})

t.test('[U11] a resumed session watches on, and asks again only for what never came', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const [support, early] = phone.subscribe(['support', 'early'])
  line.send(snapshot('support', 1))
  await support.ready
  line.cut()
  await reaches(phone, 'reconnecting')
  t.match(support.resource, { version: 1 }, 'what was last seen stays')
  const second = await reconnected(hub, phone, { resumed: true })
  t.match(await second.answer('subscribe'), { destinations: ['early'] })
  second.send(snapshot('support', 3), snapshot('early', 7))
  t.match(await early.ready, { version: 7 })
  t.match(support.resource, { version: 3 })
  await settled(phone, second)
  t.equal(second.untaken.length, 0)
})

t.test('a softphone that closes tells who waits for a first snapshot', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone } = await hub.online()
  const watch = phone.subscribe('support')
  await phone.close()
  await t.rejects(watch.ready, { code: 'closed' })
  phone.connect()
  const line = await hub.accept()
  await line.answer('subscribe')
  line.send(snapshot('support', 3))
  t.match(await watch.once('change'), { version: 3 }, 'and goes on watching when it connects anew')
})

t.test('a watch listener that throws is told of by the softphone', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, watch } = await watched(hub)
  const fault = phone.once('error')
  watch.on('change', () => {
    throw new Error('thrown')
  })
  line.send(diff('support', 1, 2))
  t.match(await fault, { message: 'thrown' })
})

t.test('a name that makes the hub refuse a whole request costs the others nothing', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const watches = phone.subscribe(['a', 'b', 'no name', 'c'])
  const asked: unknown[] = []
  for (let request = 0; request < 5; request++) {
    const { destinations, ref } = await line.next('subscribe')
    asked.push(destinations)
    if (request === 0) watches[1].close()
    if ((destinations as string[]).includes('no name')) {
      line.send({ type: 'error', ref, code: 'invalid', message: 'must be a name', retry: false })
    } else {
      line.send({ type: 'ok', ref }, ...(destinations as string[]).map(name => snapshot(name, 1)))
    }
  }
  t.strictSame(asked, [['a', 'b', 'no name', 'c'], ['a'], ['no name', 'c'], ['no name'], ['c']])
  await t.rejects(watches[2].ready, { code: 'invalid', message: 'must be a name' })
  t.match(await Promise.all([watches[0].ready, watches[3].ready]), [
    { destination: 'a' },
    { destination: 'c' },
  ])
  await settled(phone, line)
  t.strictSame(
    line.untaken.map(({ type }) => type),
    ['unsubscribe'],
  )
})

t.test('what the hub can not do just now is asked again, when it says and not before 5 s', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const watch = phone.subscribe('support')
  watch.on('refused', () => t.fail('nothing was refused'))
  const error = { type: 'error', message: '', retry: true }
  await line.answer('subscribe', { ...error, code: 'overloaded', retryAfterMs: 7000 })
  await settled(phone, line)
  hub.clock.advance(6000)
  await settled(phone, line)
  t.strictSame(line.untaken, [])
  hub.clock.advance(1005)
  await line.answer('subscribe', { ...error, code: 'unauthorized', retry: false })
  await settled(phone, line)
  t.strictSame(line.untaken, [])
  hub.clock.advance(5005)
  await line.answer('subscribe')
  line.send(snapshot('support', 1))
  t.match(await watch.ready, { version: 1 }, 'an expired token is no refusal either: a fresh one comes')
})

t.test('what was given up while there was no connection is given up when it is resumed', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, watch } = await watched(hub)
  line.cut()
  await reaches(phone, 'reconnecting')
  watch.close()
  const second = await reconnected(hub, phone, { resumed: true })
  t.match(await second.answer('unsubscribe'), { destinations: ['support'] })
  const again = phone.subscribe('support')
  await second.answer('subscribe')
  second.send(snapshot('support', 3))
  await again.ready
  second.cut()
  await reaches(phone, 'reconnecting')
  again.close()
  const third = await reconnected(hub, phone, { session: 's2' })
  await settled(phone, third)
  t.strictSame(third.untaken, [], 'a new session knows of nothing')
})

t.test('a watch that is closed before its first snapshot leaves nobody waiting', async t => {
  const hub = await ScriptedHub.start(t)
  const watch = hub.phone().subscribe('support')
  watch.close()
  await t.rejects(watch.ready, { code: 'closed', message: 'the watch was closed' })
})

t.test('who hears a change may watch anew, and who is refused may ask again, once for each time', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const seen: number[] = []
  phone.subscribe('support')
  const begin = () => {
    const watch = phone.subscribe('support')
    watch.on('change', ({ version }) => {
      seen.push(version)
      watch.close()
      if (seen.length < 10) begin()
    })
  }
  begin()
  await line.answer('subscribe')
  line.send(snapshot('support', 1))
  await settled(phone, line)
  t.strictSame(seen, [1])

  const codes: string[] = []
  const insist = () => {
    const watch = phone.subscribe('secret')
    watch.on('refused', ({ code }) => {
      codes.push(code)
      if (codes.length < 3) insist()
    })
  }
  insist()
  const refused = { type: 'ok', refused: [{ destination: 'secret', code: 'forbidden' }] }
  for (const times of [1, 2, 3]) {
    await line.answer('subscribe', refused)
    await settled(phone, line)
    t.equal(codes.length, times)
  }
  t.strictSame(line.untaken, [])
})

t.test('[U3] with another token all is asked for again, so that lesser rights are told', async t => {
  const hub = await ScriptedHub.start(t)
  let given = 0
  const { phone, line } = await hub.online({ token: () => `token-${++given}` })
  const watch = phone.subscribe('support')
  await line.answer('subscribe')
  line.send(snapshot('support', 1))
  await watch.ready
  line.send({ type: 'token-expiring', inMs: 60_000 })
  await line.answer('token')
  t.match(await line.answer('subscribe'), { destinations: ['support'] })
  line.send(snapshot('support', 1))
  await settled(phone, line)
  line.cut()
  const same = await reconnected(hub, phone, { resumed: true })
  await settled(phone, same)
  t.strictSame(same.untaken, [], 'the same rights: it is trusted to go on')
  same.cut()
  const second = await reconnected(hub, phone, { resumed: true, scopes: ['call:receive'] })
  const refused = watch.once('refused')
  await second.answer('subscribe', { type: 'ok', refused: [{ destination: 'support', code: 'forbidden' }] })
  t.match(await refused, { code: 'forbidden' })
})

t.test('[U3] a hub that is given a lesser token has its watchers know what they no longer see', async t => {
  const members = ['bob']
  const hub = await testHub({ groups: { support: { members }, sales: { members } } })
  t.teardown(() => hub.close())
  const rights = ['presence:read', 'presence:read:sales']
  const token = () => hub.token('wallboard', { scopes: [rights.shift() ?? 'presence:read:sales'] })
  const phone = new Softphone(hub.line('wallboard', { token }).options)
  await phone.connect()
  const [support, sales] = phone.subscribe(['support', 'sales'])
  const codes: string[] = []
  support.on('refused', ({ code }) => codes.push(code))
  await hub.advance(3_600_000)
  t.strictSame([rights, codes], [[], ['forbidden']])
  await hub.phone('bob')
  t.equal(sales.resource?.status, 'available')
})
