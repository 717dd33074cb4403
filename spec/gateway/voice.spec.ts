// The voice SDK's language on the bare wire: who is there, calls both ways, what a lost connection costs, refusals,
// and whatever a broken client may say.

import fc from 'fast-check'
import t from 'tap'
import { type Stand, newStand, until } from '../support/gateway.js'
import { acme } from '../support/room.js'
import { browserinfo, listening, registered, someSdp, VoiceWire, voiceWire } from '../support/voice-wire.js'

const resourceOf = ({ room }: Stand, account: string) =>
  room.presence.resource(acme, account as never, { view: 'full', devices: true })
const statusOf = (stand: Stand, account: string): string => resourceOf(stand, account).status
const devicesOf = (stand: Stand, account: string) => resourceOf(stand, account).accounts![0]!.devices!

/** Rings an account from outside; the frames that its caller hears. */
const ring = (stand: Stand, to: string, more: object = {}) => {
  const frames: { type: string; call: string }[] = []
  const placed = stand.room.router.place({
    tenant: acme,
    to,
    from: '+15550199',
    direction: 'inbound',
    caller: { account: 'gateway' as never, send: frame => void frames.push(frame) },
    ...more,
  })
  if (!placed.ok) throw new Error(placed.message)
  return { call: placed.value as string, frames }
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
  await wire.ask('register', { media: { audio: true } }, 'ready')
  await wire.ask('register', { media: { audio: false } }, 'offline')
  t.equal(statusOf(stand, 'alice'), 'offline')
  await wire.next('offline')
  await wire.ask('register', { media: { audio: true } }, 'ready')
  t.equal(statusOf(stand, 'alice'), 'available')
})

t.test('a client without a version is called by its name alone', async t => {
  const stand = await newStand(t)
  const wire = await voiceWire(stand)
  await wire.ask('listen', { token: await stand.token('alice') }, 'connected')
  t.match(devicesOf(stand, 'alice'), [{ client: 'voice-sdk' }])
})

t.test('who may not be called is told so when it registers, and may call all the same', async t => {
  const stand = await newStand(t)
  await registered(stand, 'bob')
  const { expires } = { expires: 600 }
  const wire = await listening(stand, 'alice', { scopes: ['presence:register', 'call:place'], expiresInSeconds: expires })
  wire.say('register', { media: { audio: true } })
  t.match(await wire.next('error'), { error: { code: 31201, message: /call:receive/ } })
  await wire.next('offline')
  await wire.next('offline')
  t.equal(statusOf(stand, 'alice'), 'offline')
  wire.say('invite', { callsid: 'TJS1', sdp: someSdp('1'), twilio: { params: 'To=bob' } })
  await wire.next('ringing').catch(() => {})
})
