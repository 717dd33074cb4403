// The voice SDK's language on the bare wire, where something is wrong: connections that are lost, and what is taken up
// over the next one; refusals; and whatever a broken client may say.

import { createHmac } from 'node:crypto'
import fc from 'fast-check'

import t from 'tap'
import { newStand, type Stand, until } from '../support/gateway.js'
import { aSecret } from '../support/room.js'
import {
  devicesOf,
  dial,
  listening,
  registered,
  ring,
  settled,
  someSdp,
  talking,
  type VoiceWire,
  voiceWire,
} from '../support/voice-wire.js'

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
  t.notOk(back.types.includes('invite'), 'what was answered is not offered again')
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

const b64 = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A token in the form that the SDK's own backends make. */
const accessToken = ({ room }: Stand, account: string, endpoint_id?: string): string => {
  const voice = { incoming: { allow: true }, outgoing: { application_sid: 'desk-calls' }, endpoint_id }
  const exp = Math.floor(room.clock.wall() / 1000) + 600
  const claims = { iss: 'SK1', sub: 'acme', exp, grants: { identity: account, voice } }
  const input = `${b64({ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' })}.${b64(claims)}`
  return `${input}.${createHmac('sha256', aSecret).update(input).digest('base64url')}`
}
const accessTenant = {
  keys: [{ kid: 'SK1', alg: 'HS256', secret: aSecret }],
  applications: { 'desk-calls': { steps: [{ dial: { to: ['bob'] } }] } },
  accounts: { alice: { capacity: 2 } },
}

t.test('a device that its token names has its calls on its newest connection', async t => {
  const stand = await newStand(t, { tenant: accessTenant })
  const connected = async (account: string, endpointId?: string) => {
    const wire = await voiceWire(stand)
    await wire.ask('listen', { token: accessToken(stand, account, endpointId) }, 'connected')
    await wire.ask('register', { media: { audio: true } }, 'ready')
    return wire
  }
  const first = await connected('alice', 'desk')
  t.match(devicesOf(stand, 'alice'), [{ device: 'desk' }])
  const { call } = ring(stand, 'alice')
  const offered = await first.next('invite')
  const second = await connected('alice', 'desk')
  t.match(await first.next('error'), { error: { code: 31000 } })
  await first.next('close')
  t.same(
    second.messages.slice(1, 3).map(({ type, payload }) => [type, payload.callsid]),
    [
      ['cancel', call],
      ['invite', call],
    ],
    'what rang rings anew',
  )
  second.say('answer', { callsid: call, sdp: someSdp('alice') })
  await settled(second)
  second.ws.terminate()
  const third = await connected('alice', 'desk')
  third.say('invite', { callsid: call, reconnect: offered.reconnect, sdp: someSdp('alice') })
  t.match(await third.next('answer'), { callsid: call })
  // A call that was placed and not answered is lost with its connection: the SDK gives it up, and says nothing.
  const bob = await connected('bob')
  dial(third, '', 'TJS1')
  const invited = await bob.next('invite')
  t.equal(invited.parameters.From, 'client:alice', 'to whom the application says')
  await third.next('ringing')
  third.ws.terminate()
  const fourth = await connected('alice', 'desk')
  t.same(await bob.next('cancel'), { callsid: invited.callsid })
  // One that was answered is taken up, by whoever placed it too.
  fourth.say('hangup', { callsid: call })
  dial(fourth, '', 'TJS2')
  const { callsid } = await bob.next('invite')
  bob.say('answer', { callsid, sdp: someSdp('bob') })
  const { reconnect } = await fourth.next('answer')
  fourth.ws.terminate()
  const fifth = await connected('alice', 'desk')
  fifth.say('invite', { callsid, reconnect, sdp: someSdp('alice') })
  t.match(await fifth.next('answer'), { callsid })
})

t.test('a call that rang when the connection was lost rings anew where another is taken up', async t => {
  const stand = await newStand(t, { tenant: { accounts: { bob: { capacity: 3 } } } })
  const { alice, bob, call, invite } = await talking(stand)
  const over = ring(stand, 'bob')
  await bob.next('invite')
  bob.say('reject', { callsid: over.call })
  await until(() => over.heard.includes('ended rejected'))
  const rings = ring(stand, 'bob')
  await bob.next('invite')
  bob.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const back = await listening(stand, 'bob')
  back.say('invite', { callsid: call, reconnect: invite.reconnect, sdp: someSdp('bob') })
  await back.next('answer')
  t.same(
    back.messages.filter(({ payload }) => payload.callsid === rings.call).map(({ type }) => type),
    ['cancel', 'invite'],
  )
  t.notOk(back.messages.some(({ type, payload }) => type === 'invite' && payload.callsid === over.call))
  alice.say('message', { callsid: call, content: '1', voiceeventsid: 'KX1' })
  const { voiceeventsid } = await back.next('message')
  back.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const again = await listening(stand, 'bob')
  again.say('invite', { callsid: call, reconnect: invite.reconnect, sdp: someSdp('bob') })
  t.match(await again.next('message'), { content: '1', voiceeventsid }, 'said again, by the same name')
})

t.test('a call that rings anew is not ended by the claim to the one it was', async t => {
  const stand = await newStand(t)
  const bob = await registered(stand, 'bob')
  const { call } = ring(stand, 'bob')
  const { reconnect } = await bob.next('invite')
  // Its answer was lost with the connection.
  bob.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const back = await listening(stand, 'bob')
  back.say('invite', { callsid: call, reconnect, sdp: someSdp('bob') })
  await back.next('invite')
  await settled(back)
  back.say('invite', { callsid: call, reconnect, sdp: someSdp('bob') })
  await settled(back)
  t.same(
    back.messages.filter(({ payload }) => payload.callsid === call).map(({ type }) => type),
    ['cancel', 'invite'],
  )
})

t.test('a translator of another language leaves nothing to take up', async t => {
  const stand = await newStand(t, { tenant: accessTenant })
  const { client } = await stand.phone('alice', {
    device: 'desk',
    token: accessToken(stand, 'alice', 'desk'),
  })
  const { call } = ring(stand, 'alice')
  await client.next('invite')
  await client.ask({ type: 'accept', call }, 'ok')
  const wire = await voiceWire(stand)
  await wire.ask('listen', { token: accessToken(stand, 'alice', 'desk') }, 'connected')
  wire.say('hangup', { callsid: call })
  await settled(wire)
  t.match(stand.room.router.counts, { live: 0 })
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

t.test('a token that has ended when it is brought lets nobody register', async t => {
  const stand = await newStand(t)
  const { alice } = await talking(stand)
  const token = await stand.token('alice', { expiresInSeconds: 10 })
  await alice.ask('register', { media: { audio: false } }, 'offline')
  await alice.next('offline')
  // Clocks may differ by a minute, so that it is taken.
  await stand.room.clock.settle(30_000)
  alice.say('listen', { token })
  alice.say('register', { media: { audio: true } })
  t.match(await alice.next('connected'), { token: { ttl: 0 } })
  t.match(await alice.next('error'), { error: { code: 31205 } })
  await alice.next('offline')
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
