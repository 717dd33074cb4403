// The voice SDK's language on the bare wire: who is there, and calls both ways.

import t from 'tap'
import { newStand, until } from '../support/gateway.js'
import {
  browserinfo,
  devicesOf,
  dial,
  listening,
  registered,
  resourceOf,
  ring,
  settled,
  someSdp,
  statusOf,
  talking,
  voiceWire,
} from '../support/voice-wire.js'

t.test('a client is there once it has registered, until it says that it is not', async t => {
  const stand = await newStand(t)
  const wire = await voiceWire(stand)
  const token = await stand.token('alice', { expiresInSeconds: 600 })
  t.same(await wire.ask('listen', { token, browserinfo }, 'connected'), {
    token: { identity: 'alice', ttl: 600 },
    edge: 'roaming',
    region: 'gll',
  })
  t.equal(statusOf(stand, 'alice'), 'offline', 'connected is not registered')
  t.same(await wire.ask('register', { media: { audio: true } }, 'ready'), {})
  t.equal(statusOf(stand, 'alice'), 'available')
  t.match(devicesOf(stand, 'alice'), [{ device: /^voice-/, client: 'voice-sdk/2.18.5' }])
  const { version } = resourceOf(stand, 'alice')
  await wire.ask('register', { media: { audio: true } }, 'ready')
  t.equal(resourceOf(stand, 'alice').version, version, 'to say it again changes nothing')
  await wire.ask('register', { media: { audio: false } }, 'offline')
  t.equal(statusOf(stand, 'alice'), 'offline')
  await wire.next('offline')
  await wire.ask('register', { media: { audio: true } }, 'ready')
  t.equal(statusOf(stand, 'alice'), 'available')
})

t.test('who may not be called is told so on registering, and may call all the same', async t => {
  const stand = await newStand(t)
  await registered(stand, 'bob')
  for (const scopes of [['presence:register', 'call:place'], ['call:place']]) {
    const wire = await voiceWire(stand)
    await wire.ask('listen', { token: await stand.token('alice', { scopes }) }, 'connected')
    wire.say('register', { media: { audio: true } })
    t.match(await wire.next('error'), { error: { code: 31201, message: /call:receive/ } })
    await wire.next('offline')
    await wire.next('offline')
    t.equal(statusOf(stand, 'alice'), 'offline')
    dial(wire, 'To=client:bob')
    t.match(await wire.next('ringing'), { callsid: /^call-/ })
    wire.say('hangup', { callsid: 'TJS1' })
    await settled(wire)
    t.notOk(wire.types.includes('ready'))
  }
})

t.test('rights that come with a fresh token count from then on', async t => {
  const stand = await newStand(t)
  const wire = await listening(stand, 'alice', { scopes: ['presence:register'] })
  t.match(devicesOf(stand, 'alice'), [{ client: 'voice-sdk/2.18.5' }])
  const token = await stand.token('alice', { expiresInSeconds: 60 })
  t.match(await wire.ask('listen', { token }, 'connected'), { token: { ttl: 60 } })
  await stand.room.clock.settle()
  await wire.ask('register', { media: { audio: true } }, 'ready')
  t.equal(statusOf(stand, 'alice'), 'available')
  t.match(await wire.ask('listen', { token: 'none' }, 'error'), { error: { code: 31204 } })
  t.equal(statusOf(stand, 'alice'), 'available', 'the former token holds on')
  t.equal(wire.ws.readyState, 1)
})

t.test('a call that is offered has all that an application may read of it', async t => {
  const stand = await newStand(t)
  const wire = await registered(stand, 'alice')
  const params = { room: 'a & b', 'the=key': 'ü \ud800' }
  const { call, heard } = ring(stand, 'alice', { params, sdp: someSdp('caller') })
  const invite = await wire.next('invite')
  t.match(invite, {
    callsid: call,
    sdp: someSdp('caller'),
    parameters: { CallSid: call, AccountSid: 'acme', From: '+15550199', To: 'client:alice' },
    reconnect: /^[\w-]{20,}$/,
  })
  t.same(
    [...new URLSearchParams(invite.parameters.Params)],
    [
      ['room', 'a & b'],
      ['the=key', 'ü \ufffd'],
    ],
  )
  wire.say('answer', { callsid: call, sdp: someSdp('alice') })
  await until(() => heard.includes('answered'))
  t.equal(statusOf(stand, 'alice'), 'busy')
  wire.say('hangup', { callsid: call, message: 'enough' })
  await until(() => heard.includes('ended completed'))
  t.equal(statusOf(stand, 'alice'), 'available')
  await settled(wire)
  t.notOk(wire.types.includes('answer'), 'who has answered is not told that they have')
})

t.test('a call is rejected, let ring, or given up', async t => {
  const stand = await newStand(t)
  const wire = await registered(stand, 'alice')
  const rejected = ring(stand, 'alice')
  await wire.next('invite')
  wire.say('reject', { callsid: rejected.call })
  await until(() => rejected.heard.includes('ended rejected'))
  const missed = ring(stand, 'alice')
  await wire.next('invite')
  await stand.room.clock.settle(12_000)
  t.same(await wire.next('cancel'), { callsid: missed.call })
  t.ok(missed.heard.includes('ended no-answer'))
  const left = ring(stand, 'alice')
  await wire.next('invite')
  left.giveUp()
  t.same(await wire.next('cancel'), { callsid: left.call })
  wire.say('answer', { callsid: left.call, sdp: someSdp('alice') })
  t.match(await wire.next('hangup'), { callsid: left.call, error: { code: 31008 } }, 'too late')
})

t.test('a call without a description rings with silence, and is answered without one', async t => {
  const stand = await newStand(t)
  const wire = await registered(stand, 'alice')
  const caller = await stand.phone('bob')
  caller.client.send({ type: 'place', to: 'alice' })
  const invite = await wire.next('invite')
  t.match(invite.sdp, /^v=0[\s\S]*a=inactive/)
  wire.say('answer', { callsid: invite.callsid, sdp: someSdp('alice') })
  t.notOk('sdp' in (await caller.client.next('answered')), 'nobody has offered what that would answer')
  caller.client.send({ type: 'hangup', call: invite.callsid })
  t.same(await wire.next('hangup'), { callsid: invite.callsid })
})

t.test('a call is placed to whom its parameters say, and goes its way', async t => {
  const stand = await newStand(t)
  const alice = await registered(stand, 'alice')
  const bob = await registered(stand, 'bob')
  dial(alice, 'To=client%3Abob&topic=a%20%26%20b')
  const { callsid, sdp, parameters } = await bob.next('invite')
  t.match(parameters, { From: 'client:alice', To: 'client:bob', Params: 'topic=a+%26+b' })
  t.equal(sdp, someSdp('TJS1'), 'as it was given')
  t.same(await alice.next('ringing'), { callsid })
  bob.say('answer', { callsid, sdp: someSdp('bob') })
  t.match(await alice.next('answer'), { callsid, sdp: someSdp('bob'), reconnect: /./ })
  bob.say('hangup', { callsid })
  t.same(await alice.next('hangup'), { callsid })
})

t.test('an answer without a description is one that declines', async t => {
  const stand = await newStand(t)
  const alice = await registered(stand, 'alice')
  const { client } = await stand.phone('bob')
  dial(alice, 'To=bob')
  const { call } = await client.next('invite')
  await client.ask({ type: 'accept', call }, 'ok')
  t.match(await alice.next('answer'), { callsid: call, sdp: /^v=0[\s\S]*m=audio 0 / })
})

t.test('what became of a call that was not answered is told by a number', async t => {
  const stand = await newStand(t, { tenant: { accounts: { zoe: {} } } })
  const alice = await registered(stand, 'alice')
  const { client } = await stand.phone('bob')
  const end = async (query: string, act: (call: string) => unknown = () => {}): Promise<unknown> => {
    dial(alice, query)
    if (query === 'To=bob') await act((await client.next('invite')).call)
    return alice.next('hangup')
  }
  const reject = (reason: string) => (call: string) => client.send({ type: 'reject', call, reason })
  t.match(await end('To=nobody'), { callsid: 'TJS1', error: { code: 31404 } })
  t.match(await end('To=zoe'), { callsid: 'TJS1', error: { code: 31480, message: 'unavailable' } })
  t.match(await end('To=bob', reject('declined')), { callsid: 'TJS1', error: { code: 31603 } })
  t.match(await end('To=bob', reject('busy')), { error: { code: 31486, message: 'busy' } })
  t.match(await end('To=bob', () => stand.room.clock.settle(12_000)), { error: { code: 31480 } })
  t.match(await end('To=a%20b'), { callsid: 'TJS1', error: { code: 31100 } })
  t.match(await end(''), { callsid: 'TJS1', error: { code: 31100 } })
  alice.say('invite', { callsid: 'TJS1', sdp: someSdp('1') })
  t.match(await alice.next('hangup'), { callsid: 'TJS1', error: { code: 31100 } })
})

t.test('a caller gives up while it rings, or before the call has a name', async t => {
  const stand = await newStand(t)
  const alice = await registered(stand, 'alice')
  const bob = await registered(stand, 'bob')
  dial(alice, 'To=bob')
  const { callsid } = await bob.next('invite')
  alice.say('hangup', { callsid: 'TJS1' })
  t.same(await bob.next('cancel'), { callsid })
  // While the token is looked at, the call waits, and so has no name yet.
  alice.say('listen', { token: await stand.token('alice') })
  dial(alice, 'To=bob', 'TJS2')
  alice.say('hangup', { callsid: 'TJS2' })
  await settled(alice)
  await stand.room.clock.settle()
  t.match(stand.room.router.counts, { placed: 2, live: 0 })
  t.equal(statusOf(stand, 'alice'), 'available')
  alice.say('hangup', { callsid: 'unknown' })
  await settled(alice)
})

t.test('ringing is told to a caller only where it can not be taken for word of another call', async t => {
  const stand = await newStand(t, { tenant: { accounts: { alice: { capacity: 3 } } } })
  const alice = await registered(stand, 'alice')
  const { client } = await stand.phone('bob')
  const early = ring(stand, 'alice')
  await alice.next('invite')
  dial(alice, 'To=bob')
  const first = await client.next('invite')
  client.send({ type: 'ringing', call: first.call })
  t.same(await alice.next('ringing'), { callsid: first.call }, 'to call is to let ring what rang before')
  alice.say('hangup', { callsid: first.call })
  await client.next('cancel')
  alice.say('reject', { callsid: early.call })
  dial(alice, 'To=bob', 'TJS2')
  const second = await client.next('invite')
  const late = ring(stand, 'alice')
  await alice.next('invite')
  client.send({ type: 'ringing', call: second.call })
  await client.ask({ type: 'accept', call: second.call, sdp: someSdp('bob') }, 'ok')
  t.match(await alice.next('answer'), { callsid: second.call })
  t.equal(alice.types.filter(type => type === 'ringing').length, 1)
  alice.say('answer', { callsid: late.call, sdp: someSdp('alice') })
  await until(() => late.heard.includes('answered'))
})

t.test('messages go both ways, each with its receipt', async t => {
  const stand = await newStand(t)
  const { alice, bob, call } = await talking(stand)
  const sent = {
    callsid: call,
    content: { text: 'hello' },
    contenttype: 'application/json',
    messagetype: 'note',
    voiceeventsid: 'KX1',
  }
  alice.say('message', sent)
  t.same(await alice.next('ack'), { acktype: 'message', callsid: call, voiceeventsid: 'KX1' })
  const got = await bob.next('message')
  t.match(got, { ...sent, voiceeventsid: /^KX[0-9a-f]{32}$/ })
  bob.say('message', { callsid: call, content: 'yes', voiceeventsid: 'KX2' })
  t.match(await alice.next('message'), {
    content: 'yes',
    contenttype: 'application/json',
    messagetype: 'user-defined-message',
  })
  const long = { ...sent, content: 'x'.repeat(17_000) }
  t.match(await alice.ask('message', long, 'error'), {
    callsid: call,
    voiceeventsid: 'KX1',
    error: { code: 31100 },
  })
})

t.test('of what else the other side relays, it hears what it has words for', async t => {
  const stand = await newStand(t)
  const alice = await registered(stand, 'alice')
  const { client } = await stand.phone('bob')
  dial(alice, 'To=bob')
  const { call } = await client.next('invite')
  await client.ask({ type: 'accept', call, sdp: someSdp('bob') }, 'ok')
  const { callsid } = await alice.next('answer')
  const signal = (data: unknown) => client.send({ type: 'signal', call, data })
  alice.say('dtmf', { callsid, dtmf: '12#' })
  t.same((await client.next('signal')).data, { dtmf: '12#' })
  signal({ offer: someSdp('new') })
  t.same((await client.next('signal')).data, { refused: true }, 'it can not be given a new offer')
  signal({ answer: someSdp('unasked') })
  alice.say('reinvite', { callsid, sdp: someSdp('restart') })
  t.same((await client.next('signal')).data, { offer: someSdp('restart') })
  signal({ answer: someSdp('answer') })
  t.same(await alice.next('answer'), { callsid, sdp: someSdp('answer') })
  for (const data of [{ hold: true }, { dtmf: '1' }, null, 'text', { message: 'text' }, { candidate: {} }]) {
    signal(data)
  }
  signal({ message: { content: 'plain' } })
  t.match(await alice.next('message'), { content: 'plain', contenttype: 'text/plain' })
  t.equal(alice.types.filter(type => type === 'message' || type === 'answer').length, 3)
  // Passed on to someone else, who has another description: words for that are none.
  await client.ask({ type: 'transfer', call, to: 'nobody' }, 'error')
  alice.say('reinvite', { callsid: 'unknown', sdp: someSdp('x') })
  alice.say('dtmf', { callsid: 'unknown', dtmf: '1' })
  await settled(alice)
})

t.test('a call that is passed on goes on without a new description', async t => {
  const stand = await newStand(t)
  const { alice, bob, call } = await talking(stand)
  const carol = await registered(stand, 'carol')
  const native = await stand.phone('dora')
  bob.say('hangup', { callsid: call })
  await alice.next('hangup')
  dial(alice, 'To=dora', 'TJS2')
  const offered = await native.client.next('invite')
  await native.client.ask({ type: 'accept', call: offered.call, sdp: someSdp('dora') }, 'ok')
  await alice.next('answer')
  await native.client.ask({ type: 'transfer', call: offered.call, to: 'carol' }, 'ok')
  const { callsid } = await carol.next('invite')
  carol.say('answer', { callsid, sdp: someSdp('carol') })
  await settled(carol)
  await settled(alice)
  t.equal(alice.types.filter(type => type === 'answer' || type === 'ringing').length, 3)
  alice.say('hangup', { callsid: offered.call })
  t.same(await carol.next('hangup'), { callsid })
})
