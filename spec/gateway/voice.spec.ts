// The voice SDK's language on the bare wire: who is there, calls both ways, what a lost connection costs, refusals,
// and whatever a broken client may say.

import fc from 'fast-check'

import t from 'tap'
import type { Caller } from '../../src/router/index.js'
import { newStand, type Stand, until } from '../support/gateway.js'
import { acme } from '../support/room.js'
import {
  browserinfo,
  listening,
  registered,
  someSdp,
  type VoiceWire,
  voiceWire,
} from '../support/voice-wire.js'

const resourceOf = ({ room }: Stand, account: string) =>
  room.presence.resource(acme, account as never, { view: 'full', devices: true })
const statusOf = (stand: Stand, account: string): string => resourceOf(stand, account).status
const devicesOf = (stand: Stand, account: string) => resourceOf(stand, account).accounts![0]!.devices!

/** Rings an account from outside; the words that its caller hears. */
const ring = (stand: Stand, to: string, more: object = {}) => {
  const heard: string[] = []
  const { router } = stand.room
  const caller: Caller = {
    account: 'gateway' as never,
    send: frame => void heard.push('reason' in frame ? `${frame.type} ${frame.reason}` : frame.type),
  }
  const placed = router.place({ tenant: acme, to, from: '+15550199', direction: 'inbound', caller, ...more })
  if (!placed.ok) throw new Error(placed.message)
  return { call: placed.value as string, heard, giveUp: () => router.hangup(caller, placed.value) }
}

/** Calls, and gives what the call is known by. */
const dial = (wire: VoiceWire, query: string, name = 'TJS1'): string => {
  wire.say('invite', { callsid: name, sdp: someSdp(name), twilio: { params: query } })
  return name
}

/** Two clients in a call that `alice` placed. */
const talking = async (stand: Stand) => {
  const alice = await registered(stand, 'alice')
  const bob = await registered(stand, 'bob')
  dial(alice, 'To=bob')
  const invite = await bob.next('invite')
  bob.say('answer', { callsid: invite.callsid, sdp: someSdp('bob') })
  const answer = await alice.next('answer')
  return { alice, bob, call: invite.callsid as string, invite, answer }
}

/** Everything that came until now has been read and answered. */
const settled = async (wire: VoiceWire): Promise<void> => {
  wire.say('nothing')
  await wire.next('error')
}

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

t.test('an echo says that what was written before has arrived', async t => {
  const stand = await newStand(t)
  const wire = await listening(stand, 'alice')
  wire.ws.send('\n')
  wire.echoes = false
  await wire.ask('register', { media: { audio: true } }, 'ready')
  const { call, giveUp } = ring(stand, 'alice')
  const invite = await wire.next('invite')
  await stand.room.clock.settle(5_000)
  await until(() => wire.beats === 1)
  giveUp()
  await wire.next('cancel')
  wire.ws.send('\n')
  await settled(wire)
  wire.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const other = await listening(stand, 'alice')
  other.say('invite', { callsid: call, reconnect: invite.reconnect, sdp: someSdp('1') })
  await other.next('cancel')
  t.notOk(other.types.includes('invite'), 'only what came after the beat is said again')
  t.match(await other.next('hangup'), { callsid: call, error: { code: 31008 } })
})

t.test('a client that answers nothing is given up', async t => {
  const stand = await newStand(t)
  const wire = await registered(stand, 'alice')
  wire.echoes = false
  await stand.room.clock.settle(7_750)
  await until(() => wire.beats > 0)
  await stand.room.clock.settle(5_250)
  await wire.closed
  t.equal(stand.gateway.counts.lingering, 1)
})

t.test('a call is taken up again over a new connection, by what came with it', async t => {
  const stand = await newStand(t)
  const { alice, bob, call, invite, answer } = await talking(stand)
  bob.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const device = devicesOf(stand, 'bob')[0]!.device
  const back = await listening(stand, 'bob')
  back.say('invite', { callsid: call, reconnect: invite.reconnect, sdp: someSdp('bob'), twilio: {} })
  back.say('invite', { callsid: 'unknown', reconnect: invite.reconnect, sdp: someSdp('bob'), twilio: {} })
  back.say('register', { media: { audio: true } })
  await back.next('ready')
  t.match(await back.next('answer'), { callsid: call, reconnect: invite.reconnect })
  t.match(await back.next('hangup'), { callsid: 'unknown', error: { code: 31008 } })
  t.same(
    devicesOf(stand, 'bob').map(({ device }) => device),
    [device],
    'as the device that it was',
  )
  alice.say('message', { callsid: call, content: 'there?', voiceeventsid: 'KX1' })
  await back.next('message')
  // On a fresh token the SDK asks for its calls on the connection that has them.
  alice.say('listen', { token: await stand.token('alice') })
  alice.say('invite', { callsid: call, reconnect: answer.reconnect, sdp: someSdp('alice') })
  t.match(await alice.next('answer'), { callsid: call })
  back.say('hangup', { callsid: call })
  t.same(await alice.next('hangup'), { callsid: call })
})

t.test('a client that has registered before it takes up a call stays so', async t => {
  const stand = await newStand(t)
  const { bob, call, invite } = await talking(stand)
  bob.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const back = await registered(stand, 'bob')
  back.say('invite', { callsid: call, reconnect: invite.reconnect, sdp: someSdp('bob') })
  await back.next('answer')
  back.say('hangup', { callsid: call })
  await settled(back)
  t.match(devicesOf(stand, 'bob'), [{ status: 'available' }])
})

t.test('a call that is over is not taken up again', async t => {
  const stand = await newStand(t)
  const { alice, bob, call, invite } = await talking(stand)
  bob.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  alice.say('hangup', { callsid: call })
  await settled(alice)
  const back = await listening(stand, 'bob')
  const again = { callsid: call, sdp: someSdp('bob') }
  back.say('invite', { ...again, reconnect: invite.reconnect })
  t.match(await back.next('hangup'), { callsid: call })
  const strange = Buffer.from('no-session phone').toString('base64url')
  t.match(await back.ask('invite', { ...again, reconnect: strange }, 'hangup'), { error: { code: 31008 } })
  t.match(await back.ask('invite', { ...again, reconnect: 'garbage' }, 'hangup'), { error: { code: 31008 } })
  const odd = Buffer.from('session ..').toString('base64url')
  back.say('invite', { ...again, reconnect: odd })
  t.match(await back.next('error'), { error: { code: 31100 } })
  t.match(await back.next('hangup'), { error: { code: 31008 } })
  await back.ask('register', { media: { audio: true } }, 'ready')
  t.match(devicesOf(stand, 'bob'), [{ device: 'phone', status: 'available' }])
})

t.test('a client that the hub refuses is told why, and to leave by itself', async t => {
  const stand = await newStand(t)
  const { clock } = stand.room
  const told = async (token: string, wire?: VoiceWire): Promise<[unknown, { code: number }]> => {
    const client = wire ?? (await voiceWire(stand))
    const { error } = await client.ask('listen', { token }, 'error')
    await client.next('close')
    t.equal(client.ws.readyState, 1, 'the hub does not close first')
    await clock.settle(stand.bounds.of.closeMs)
    return [error.code, await client.closed]
  }
  const short = await stand.token('alice', { expiresInSeconds: 1 })
  t.match(await told('none'), [31204, { code: 4401 }])
  t.match(await told(await stand.token('alice', { scopes: [] })), [31201, { code: 4502 }])
  await clock.settle(62_000)
  t.match(await told(short), [31205, { code: 4401 }])
  const other = await registered(stand, 'alice')
  t.match(await told(await stand.token('bob'), other), [31201, { code: 4502 }], "another's token")
  const silent = await voiceWire(stand)
  await clock.settle(stand.bounds.of.helloMs)
  t.match(await silent.next('error'), { error: { code: 31003 } })
  await silent.next('close')
  silent.ws.close()
  await silent.closed
})

t.test('a client whose token ends is told so once its call is over, and comes back with another', async t => {
  const stand = await newStand(t)
  const { alice, bob, call } = await talking(stand)
  await alice.ask('listen', { token: await stand.token('alice', { expiresInSeconds: 30 }) }, 'connected')
  await stand.room.clock.settle(31_000)
  t.notOk(alice.types.includes('error'))
  bob.say('hangup', { callsid: call })
  await alice.next('hangup')
  await stand.room.clock.settle(1)
  t.match(await alice.next('error'), { error: { code: 31205 } })
  await alice.next('close')
  alice.ws.close()
  await alice.closed
  const again = await registered(stand, 'alice')
  t.ok(again.types.includes('ready'))
})

t.test('a hub that goes down closes, so that its clients come back by themselves', async t => {
  const stand = await newStand(t)
  const waiting = await voiceWire(stand)
  const wire = await registered(stand, 'alice')
  stand.gateway.drain()
  waiting.say('listen', { token: await stand.token('alice') })
  t.match(await waiting.next('error'), { error: { code: 31000 } })
  t.match(await waiting.closed, { code: 1012 })
  t.notOk(waiting.types.includes('close'))
  void stand.gateway.close()
  t.match(await wire.closed, { code: 1012 })
  t.notOk(wire.types.includes('close'))
})

t.test('too much is refused with the time to wait', async t => {
  const stand = await newStand(t, { limits: { framesPerSecond: 4 } })
  const wire = await listening(stand, 'alice')
  for (let count = 0; count < 30; count++) wire.say('register', { media: { audio: true } })
  t.match(await wire.next('error'), { error: { code: 31206, retryAfter: Number } })
  await wire.next('close')
})

t.test('what is no message ends the connection; what is none that is known is answered', async t => {
  const stand = await newStand(t)
  const wire = await registered(stand, 'alice')
  const answered = [
    ['nothing', {}],
    ['constructor', {}],
    ['register', {}],
    ['register', { media: { audio: 'yes' } }],
    ['listen', { token: 5 }],
    ['invite', { callsid: '', sdp: '' }],
    ['answer', { callsid: 'x'.repeat(129), sdp: '' }],
    ['message', { callsid: 'c', content: 'c' }],
  ] as const
  for (const [type, payload] of answered) {
    t.match(await wire.ask(type, payload, 'error'), { error: { code: 31100 } }, type)
  }
  for (const text of [
    '{"type":"register"}',
    '{"type":"register","payload":[]}',
    '{"type":"dtmf","payload":null}',
  ]) {
    wire.ws.send(text)
    t.match(await wire.next('error'), { error: { code: 31100 } }, text)
  }
  await wire.ask('register', { media: { audio: true } }, 'ready')
  for (const text of ['{', '', '[]', 'null', '"listen"', '{}', '{"type":1}', '\n\n']) {
    const broken = await voiceWire(stand)
    broken.ws.send(text)
    t.match(await broken.next('error'), { error: { code: 31100 } }, text)
    await broken.next('close')
    broken.ws.close()
    t.match(await broken.closed, { code: 1005 })
  }
  const huge = await voiceWire(stand)
  huge.ws.send(`{"type":"${'x'.repeat(stand.bounds.of.messageBytes)}"}`)
  t.match(await huge.closed, { code: 1009 })
})

t.test('whatever a client says, nothing breaks, and nobody else hears of it', async t => {
  const faults: unknown[] = []
  const stand = await newStand(t, {
    limits: { framesPerSecond: 100_000, bytesPerSecond: 100_000_000 },
    log: { info() {}, warn() {}, error: (fields, message) => void faults.push([message, fields]) },
  })
  const { alice, bob, call, invite } = await talking(stand)
  const native = await stand.phone('carol')
  const token = await stand.token('mallory')
  const sid = fc.constantFrom(call, 'TJS1', 'TJS2', '', 'unknown')
  const short = fc.oneof(
    fc.constantFrom('To=bob', 'To=mallory', 'v=0', '__proto__=1', '%', '\ud800'),
    fc.string(),
  )
  const payload = fc.record(
    {
      token: fc.constantFrom(token, 'none', ''),
      callsid: sid,
      sdp: short,
      media: fc.record({ audio: fc.boolean() }),
      twilio: fc.record({ params: short }, { requiredKeys: [] }),
      reconnect: fc.oneof(fc.constantFrom(invite.reconnect, Buffer.from('a b').toString('base64url')), short),
      dtmf: short,
      content: fc.jsonValue(),
      contenttype: short,
      messagetype: short,
      voiceeventsid: short,
      browserinfo: fc.oneof(fc.jsonValue(), fc.constant({ v: '2.18.5' })),
    },
    { requiredKeys: ['callsid', 'sdp'] },
  )
  const type = fc.constantFrom(
    ...['listen', 'register', 'invite', 'answer', 'reject', 'hangup', 'reinvite', 'dtmf', 'message', 'none'],
  )
  const sensible = fc.record({ type, payload }).map(message => JSON.stringify(message))
  const text = fc.oneof({ weight: 12, arbitrary: sensible }, fc.constant('\n'), fc.json(), fc.string())
  const seed = 20260729
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), async texts => {
      const wire = await voiceWire(stand)
      wire.say('listen', { token })
      for (const said of texts) wire.ws.send(said)
      wire.say('nothing')
      // The last word is answered, or the connection is over.
      await until(
        () =>
          wire.types.includes('close') ||
          wire.messages.some(({ payload }) => /"nothing"/.test(payload?.error?.message)),
      )
      await stand.room.clock.settle(100)
      wire.ws.terminate()
      await wire.closed
    }),
    { seed, numRuns: 60 },
  )
  t.same(faults, [], `seed ${seed}`)
  alice.say('message', { callsid: call, content: 'still', voiceeventsid: 'KX9' })
  t.match(await alice.next('ack'), { voiceeventsid: 'KX9' })
  t.match(await bob.next('message'), { content: 'still' })
  t.match(await native.client.ask({ type: 'ping' }, 'pong'), {})
  for (const wire of [alice, bob]) t.notOk(wire.types.includes('error'))
  await stand.room.clock.settle(200_000)
  t.match(stand.gateway.counts, { lingering: 0 }, 'and nothing is left of it')
})
