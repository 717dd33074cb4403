// The faults of a network between real softphones and a real hub, and what each side makes of them.

import t, { type Test } from 'tap'
import { Softphone } from '../../src/client/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import type { End } from '../../src/testing/cable.js'
import { type TestHub, type TestHubOptions, testHub } from '../../src/testing/index.js'
import { Link } from '../../src/testing/link.js'
import { Sequence } from '../../src/testing/sequence.js'

const begin = async (t: Test, options?: TestHubOptions) => {
  const hub = await testHub(options)
  t.teardown(() => hub.close())
  return hub
}

const support = { groups: { support: { members: ['alice', 'bob'] } } }

/** Every version of a destination that a wallboard sees. */
const watched = async (hub: TestHub, destination: string) => {
  const wallboard = new Softphone(hub.line('wallboard', { claims: { scopes: ['presence:read'] } }).options)
  const seen: string[] = []
  wallboard.subscribe(destination).on('change', ({ status }) => seen.push(status))
  await wallboard.connect()
  await hub.advance()
  return seen
}

t.test('[U11] connections that break and come back in time, again and again, are seen by nobody', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice')
  const seen = await watched(hub, 'support')
  const { version } = await hub.api.presence('support')
  for (let round = 0; round < 20; round++) {
    alice.link.drop()
    await hub.advance(5_000)
    alice.link.down()
    await hub.advance(3_000)
    alice.link.up()
    await hub.advance(20_000)
    t.equal(alice.softphone.connection.state, 'online')
  }
  // A page in the background whose timers and sockets are held back for a while.
  alice.link.pause()
  await hub.advance(12_000)
  alice.link.resume()
  await hub.advance(60_000)
  t.same(seen, ['available'])
  t.equal((await hub.api.presence('support')).version, version)
})

t.test(
  '[U8] a device that died without a word is offered one call, passed over in 3 s, and offline in 40 s',
  async t => {
    const hub = await begin(t, support)
    const alice = await hub.phone('alice')
    await hub.advance(1_000)
    const bob = await hub.phone('bob')
    alice.link.lose()
    const call = await hub.call('support')
    t.equal(bob.ringing, undefined)
    await hub.advance(3_000)
    await bob.accept()
    await bob.hangup()
    await call.over
    for (let next = 0; next < 5; next++) {
      await hub.advance(1_000)
      await (await hub.call('support')).hangup()
    }
    t.equal(bob.invites.length, 6)
    t.equal(alice.invites.length, 0)
    const offers = (await hub.api.calls()).calls.flatMap(({ timeline = [] }) =>
      timeline.filter(({ event, account }) => event === 'offered' && account === 'alice'),
    )
    t.equal(offers.length, 1)
    alice.link.down()
    await hub.advance(17_000)
    t.equal((await hub.api.presence('alice')).status, 'available')
    await hub.advance(17_000)
    t.equal((await hub.api.presence('alice')).status, 'offline')
  },
)

t.test('a paused link loses nothing and mixes nothing up: all comes when it resumes', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice')
  alice.link.pause('down')
  const call = await hub.call('alice')
  await t.rejects(alice.rings(), /does not ring/)
  alice.link.resume('down')
  await alice.rings()
  alice.link.pause('up')
  const accepting = alice.accept()
  await accepting
  t.equal(call.state, 'ringing', 'the button was pressed, and is not heard')
  await t.rejects(alice.place('bob'), new Error('alice at phone has not placed the call: online, ringing'))
  await call.hangup()
  t.match(await alice.invites[0]?.over, { reason: 'caller-canceled' })
  alice.link.resume()
  await hub.advance()
  t.match(await call.over, { reason: 'canceled' })
  t.equal(alice.softphone.connection.state, 'online')
})

t.test('an accept that loses the race by its way is told so, and the winner alone is connected', async t => {
  const hub = await begin(t, { groups: { team: { members: ['alice', 'bob'], strategy: 'all' } } })
  const alice = await hub.phone('alice')
  const bob = await hub.phone('bob')
  const call = await hub.call('team')
  alice.link.delay(80)
  bob.link.delay(20)
  const lost = (await alice.rings()).accept().catch(error => error)
  const won = (await bob.rings()).accept()
  await hub.advance(100)
  await won
  t.match(call.by, { account: 'bob' })
  await hub.advance(100)
  t.match(await lost, { code: 'call-gone' })
  t.match(await alice.invites[0]?.over, { reason: 'answered-elsewhere', by: { account: 'bob' } })
})

t.test('without a network nobody comes in; a hub behind a paused one is waited for in vain', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice')
  alice.link.down()
  await hub.advance(60_000)
  t.match(alice.softphone.connection, { state: 'reconnecting', error: { message: /ECONNREFUSED/ } })
  t.equal((await hub.api.presence('alice')).status, 'offline')
  alice.link.up()
  alice.link.pause()
  await alice.connect()
  t.match(alice.softphone.connection, { state: 'connecting' })
  await hub.advance(25_000)
  t.match(alice.softphone.connection, { state: 'reconnecting', error: { message: /no sign of life/ } })
  alice.link.resume()
  await hub.advance(30_000)
  t.equal(alice.softphone.connection.state, 'online')
})

t.test('what takes time to arrive takes that time, and keeps its order', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice')
  alice.link.delay(100, 400)
  const told: string[] = []
  const pings = Array.from({ length: 20 }, (_, index) =>
    alice.softphone.request('ping', {}).then(() => told.push(String(index))),
  )
  await hub.advance(195)
  t.same(told, [])
  await hub.advance(900)
  await Promise.all(pings)
  t.same(
    told,
    Array.from({ length: 20 }, (_, index) => String(index)),
  )
})

const cable = () => {
  const air = { clock: new VirtualClock(), sequence: new Sequence(), random: () => 0 }
  const far: End[] = []
  const link = new Link(air, '10.0.0.1', end => far.push(end))
  const near = link.connect()
  return { link, near, far, quiet: () => air.sequence.quiet() }
}

t.test('who does not read holds up who writes, and no more is kept than a window', async t => {
  const { near, far, quiet } = cable()
  await quiet()
  const [end] = far as [End]
  t.equal(end.remoteAddress, '10.0.0.1')
  let written = 0
  for (let part = 0; part < 20; part++) near.write(Buffer.alloc(16 * 1024), () => written++)
  near.end('last')
  await quiet()
  t.ok(written < 8, `${written} of 20 parts were taken`)
  let bytes = 0
  end.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  await quiet()
  t.equal(written, 20)
  t.equal(bytes, 20 * 16 * 1024 + 4)
  t.ok(end.readableEnded)
})

t.test('writing to an end that is gone resets the connection', async t => {
  const { near, far, quiet } = cable()
  await quiet()
  far[0]?.destroy()
  await quiet()
  const failed = new Promise(resolve => near.once('error', resolve))
  near.write('is anybody there?')
  t.match(await failed, { code: 'ECONNRESET' })
})

t.test('what is on a link that loses its connections never arrives, even if it resumes', async t => {
  const { link, near, far, quiet } = cable()
  await quiet()
  const heard: string[] = []
  far[0]?.on('data', chunk => heard.push(String(chunk)))
  near.write('one')
  await quiet()
  link.pause()
  near.write('two')
  await quiet()
  link.lose()
  near.write('three')
  link.resume()
  await quiet()
  t.same(heard, ['one'])
  t.notOk(near.destroyed)
})
