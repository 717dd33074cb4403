// A hub in the test's own process and time, as its users see it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { HubApi, Softphone } from '../../src/client/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { type TestHubOptions, testHub } from '../../src/testing/index.js'
import { openOutside } from '../../src/testing/outside.js'
import { Sequence } from '../../src/testing/sequence.js'

const begin = async (t: Test, options?: TestHubOptions) => {
  const hub = await testHub(options)
  t.teardown(() => hub.close())
  return hub
}

const support = {
  groups: { support: { members: ['alice', 'bob', 'carol'] } },
  routes: [{ to: '+15550100', instructions: { steps: [{ dial: { to: ['support'] } }] } }],
}

const events = (lines: readonly { readonly event: string }[]): string[] => lines.map(({ event }) => event)

t.test(
  '[U20] a call from outside rings who is free, and goes on to the next when nobody answers',
  async t => {
    const hub = await begin(t, support)
    const alice = await hub.phone('alice', { status: 'busy' })
    const bob = await hub.phone('bob')
    await hub.advance(1_000)
    const carol = await hub.phone('carol')

    const call = await hub.call('+15550100')
    t.equal((await bob.rings()).from, '+15550199')
    await hub.advance(11_999)
    t.equal(carol.ringing, undefined)
    await hub.advance(1)
    t.equal(bob.ringing, undefined)
    await carol.accept({ sdp: 'answer' })
    t.match(call, { state: 'connected', sdp: 'answer', by: { account: 'carol', device: 'phone' } })
    t.equal(carol.talking?.id, call.id)
    await carol.hangup()
    t.match(await call.over, { reason: 'completed' })
    t.same(alice.invites, [])
    t.same(events(await hub.timeline(call)).slice(-5), [
      'timed-out',
      'offered',
      'ringing',
      'answered',
      'ended',
    ])
  },
)

t.test('[U20] and the same over HTTP, with any HTTP client, in no more time', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice')
  const { call } = await hub.api.place({ to: '+15550100', from: '+15550177', sdp: 'offer' })
  t.match(await alice.accept(), { id: call, from: '+15550177', sdp: 'offer' })
  t.match(await hub.api.call(call), { state: 'connected', by: { account: 'alice' } })
  await hub.api.hangup(call)
  t.equal((await alice.invites[0]?.over)?.reason, 'completed')
  t.same((await hub.api.presence('support')).counts.available, 1)

  const token = await hub.token('stranger', { scopes: ['call:inbound'] })
  const stranger = new HubApi({ url: 'https://anywhere.test', token, fetch: hub.fetch })
  await t.rejects(stranger.call(call), { code: 'not-found' })
  const answer = await hub.fetch('http://hub.test/healthz')
  t.same([answer.status, await answer.json()], [200, { status: 'ok' }])
})

t.test('time moves only when told, one step at a time, and takes everyone along', async t => {
  const hub = await begin(t, { ...support, epoch: Date.UTC(2030, 0, 1) })
  const alice = await hub.phone('alice')
  t.equal(hub.now.toISOString(), '2030-01-01T00:00:00.000Z')
  const until = new Date(hub.now.getTime() + 60_000).toISOString()
  await alice.status({ status: 'away', until })
  await Promise.all([hub.advance(30_000), hub.advance(29_000)])
  t.equal(hub.now.toISOString(), '2030-01-01T00:00:59.000Z')
  t.equal((await hub.api.presence('alice')).status, 'away')
  await hub.advance(1_000)
  t.equal((await hub.api.presence('alice')).status, 'available')
  t.equal(alice.softphone.self?.status, 'available')
  await hub.advance(2 * 3_600_000)
  t.equal(alice.softphone.connection.state, 'online', 'hours on, with fresh tokens and a heart that beats')
})

t.test('what a listener does in the middle of a step happens in it', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice')
  const bob = await hub.phone('bob')
  bob.softphone.on('invite', () => bob.accept())
  const call = await hub.call('+15550100')
  await alice.rings()
  await hub.advance(60_000)
  t.match(call, { state: 'connected', by: { account: 'bob' } })
  t.match(events(await hub.timeline(call)).slice(-2), ['ringing', 'answered'])
})

t.test('a button that has nothing to act on, or that the hub refuses, says so at once', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice', { status: 'dnd' })
  await t.rejects(alice.rings(), new Error('alice at phone does not ring: online, dnd'))
  await t.rejects(alice.accept(), /does not ring/)
  await t.rejects(alice.hangup(), /alice at phone is not in a call/)
  await t.rejects(hub.carrier.rings(), new Error('carrier does not ring: idle, not registered'))
  await t.rejects(alice.place(''), { code: 'invalid' })
  await alice.close()
  await t.rejects(alice.status({ status: 'away' }), { code: 'closed' })
  await t.rejects(hub.phone('support'), { code: 'name-taken' })
  await t.rejects(hub.phone('bob', { token: 'none at all' }), { code: 'unauthorized' })
  await t.rejects(testHub({ groups: { a: { members: ['a'] } } }), { code: 'invalid', message: /groups\.a/ })
})

t.test('people call each other, refuse, and have several devices', async t => {
  const hub = await begin(t, support)
  const alice = await hub.phone('alice')
  const tablet = await hub.phone('alice', { client: 'tablet' })
  const bob = await hub.phone('bob', {
    claims: { scopes: ['presence:register', 'call:receive', 'call:place:alice'] },
  })
  t.same([alice.device, tablet.device], ['phone', 'phone-2'])
  const call = await bob.place('alice', { params: { about: 'lunch' } })
  t.match((await tablet.rings()).params, { about: 'lunch' })
  await tablet.reject()
  t.equal(call.state, 'ringing')
  await alice.reject('busy')
  t.match(await call.over, { reason: 'rejected' })
  await t.rejects(bob.place('carol'), { code: 'forbidden' })
})

t.test('a softphone of your own lives on a line of the hub, with its own token', async t => {
  const hub = await begin(t, support)
  let asked = 0
  const token = async () => {
    asked++
    return hub.token('alice', { scopes: ['presence:read'] })
  }
  const { options, link } = hub.line('alice', { token })
  const wallboard = new Softphone(options)
  t.match(await wallboard.connect(), { account: 'alice', device: null })
  const watch = wallboard.subscribe('support')
  await hub.advance()
  t.equal(watch.resource?.status, 'offline')
  await hub.phone('bob')
  t.equal(watch.resource?.status, 'available')
  await hub.advance(3_600_000)
  t.equal(asked, 2, 'the provider is asked again before the hour is over')
  link.down()
  t.equal(wallboard.connection.state, 'online')
  await hub.advance()
  t.equal(wallboard.connection.state, 'reconnecting')
})

const application =
  (documents: Readonly<Record<string, string>>) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const document = documents[`${request.headers.host}${request.url}`]
    if (document === undefined) response.writeHead(404).end()
    else response.setHeader('content-type', 'text/xml').end(document)
  }

const voice = {
  groups: support.groups,
  routes: [
    { to: 'one', instructions: 'https://voice.example.com/inbound' },
    {
      to: 'two',
      instructions: {
        url: 'http://voice.example.com:8080/slow',
        fallbackUrl: 'http://spare.example.com/spare',
      },
    },
  ],
}

t.test('a voice application answers in process, whatever its address, over a link that can fail', async t => {
  const bobs = '<Response><Dial><Client>bob</Client></Dial></Response>'
  const hub = await begin(t, {
    ...voice,
    web: application({
      'voice.example.com/inbound': '<Response><Redirect>https://other.example.com/next</Redirect></Response>',
      'other.example.com/next': bobs,
      'voice.example.com:8080/slow': '<Response><Hangup/></Response>',
      'spare.example.com/spare': bobs,
    }),
  })
  const bob = await hub.phone('bob')
  await hub.call('one')
  await bob.reject()

  hub.web.delay(3_000)
  await hub.call('two')
  await hub.advance(4_995)
  t.equal(bob.ringing, undefined)
  const late = await hub.call('one')
  hub.web.down()
  t.equal((await late.over).message, 'https://voice.example.com/inbound the connection failed (ECONNREFUSED)')
  hub.web.up()
  hub.web.delay(0)

  hub.web.pause()
  const slow = await hub.call('two')
  await hub.advance(3_000)
  hub.web.resume()
  await bob.rings()
  await slow.hangup()
})

t.test('an application that really takes its time is waited for; one that never answers is not', async t => {
  const hub = await begin(t, {
    ...voice,
    web: async (_, response) => {
      await new Promise(resolve => setTimeout(resolve, 20))
      response.setHeader('content-type', 'application/json').end('{"steps":[{"reject":{"reason":"busy"}}]}')
    },
  })
  const call = await hub.call('one')
  t.match(call, { state: 'ended' })
  t.equal((await call.over).reason, 'busy')

  const clock = new VirtualClock()
  const sequence = new Sequence()
  const link = openOutside({ clock, sequence, random: () => 0 }, () => {}, 1)
  const near = link.connect()
  near.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await sequence.quiet()
  t.notOk(near.readableEnded)
  link.down()
})

t.test('without an application outside, nothing answers there', async t => {
  const logged: string[] = []
  const keep = (_: object, line: string) => void logged.push(line)
  const hub = await begin(t, { ...voice, log: { info: keep, warn: keep, error: keep } })
  t.same(logged, ['no dataDir: nothing is kept over a restart'])
  const call = await hub.call('one')
  t.match(await call.over, { reason: 'failed', message: /the connection failed \(ECONNREFUSED\)/ })
})

t.test('reload, drain and restart are what they are to a hub that serves', async t => {
  const hub = await begin(t, { ...support, config: { dataDir: t.testdir(), drainMs: 10_000 } })
  const alice = await hub.phone('alice')
  await alice.status({ status: 'away', for: 'account' })
  await hub.reload({ groups: { sales: { members: ['alice'] } } })
  t.match(await hub.api.presence('sales'), { kind: 'group', status: 'away' })
  await t.rejects(hub.reload({ groups: { '..': {} } }), { code: 'invalid' })

  const talk = await hub.call('alice', { from: '+1' })
  t.equal(talk.state, 'ended')
  await alice.status({ status: null, for: 'account' })
  const call = await hub.call('alice')
  await alice.accept()
  const drained = hub.drain()
  await hub.advance(9_999)
  t.equal(call.state, 'connected')
  await hub.advance(1)
  await drained

  await alice.status({ status: 'dnd', for: 'account' })
  await hub.restart(5_000)
  t.equal(alice.softphone.connection.state, 'reconnecting')
  await hub.advance(30_000)
  t.match(alice.softphone, {
    connection: { state: 'online', welcome: { resumed: false } },
    self: { status: 'dnd' },
  })
  t.match(await hub.api.presence('support'), { kind: 'group' }, 'begun with what it was made with')
})

t.test(
  'the same seed and script are the same run; another seed, where order is free, may be another',
  async t => {
    const run = async (seed: number): Promise<string> => {
      const hub = await testHub({
        groups: { team: { members: ['a', 'b', 'c'], strategy: 'all' } },
        seed,
        reorder: true,
      })
      const phones = await Promise.all(['a', 'b', 'c'].map(name => hub.phone(name)))
      for (const phone of phones) phone.link.delay(10, 100)
      for (const phone of phones) phone.softphone.on('invite', call => void call.accept().catch(() => {}))
      const call = await hub.call('team')
      phones[0]?.link.drop()
      await hub.advance(60_000)
      const lines = await hub.timeline(call)
      await hub.close()
      return JSON.stringify(lines)
    }
    const runs = await Promise.all([1, 2, 3, 4, 5, 6].map(run))
    t.same(await Promise.all([6, 5, 4, 3, 2, 1].map(run)), [...runs].reverse())
    t.ok(new Set(runs).size > 1)
  },
)

t.test('whom a strategy leaves to chance is decided by the seed', async t => {
  const run = async (seed: number): Promise<string> => {
    const members = ['a', 'b', 'c', 'd']
    const hub = await testHub({ groups: { team: { members, strategy: 'random' } }, seed })
    await Promise.all(members.map(name => hub.phone(name)))
    const { dials } = await hub.api.explain({ to: 'team' })
    await hub.close()
    return String(dials[0]?.destinations[0]?.order.map(({ account }) => account))
  }
  const runs = await Promise.all([1, 2, 3, 4, 5, 6].map(run))
  t.same(await Promise.all([6, 5, 4, 3, 2, 1].map(run)), [...runs].reverse())
  t.ok(new Set(runs).size > 1)
})
