// The voice SDK as it is published, against a whole hub: it registers, calls and is called, by its like and by others,
// and finds its way back.

import t, { type Test } from 'tap'
import twilio from 'twilio'
import { mintToken } from '../../src/gateway/token/index.js'
import { createHub } from '../../src/hub.js'
import { configOf, secret, startHub, tokenOf, type World } from '../support/hub.js'
import { type SdkCall, type SdkError, sdkDevice, sockets, Told } from '../support/voice-sdk.js'

const portOf = ({ listening }: World): string => new URL(listening.url).port

/** A device that is registered, what it tells, and its connection. */
const phone = async (t: Test, port: string, token: string, options: object = {}) => {
  const device = sdkDevice(token, port, options)
  t.teardown(() => device.destroy())
  const told = new Told(device)
  await device.register()
  await told.next('registered')
  return { device, told, socket: sockets.at(-1)!, incoming: () => told.next('incoming') as Promise<SdkCall> }
}

/** Two people with the SDK on one hub. */
const pair = async (t: Test) => {
  const world = await startHub(t)
  const port = portOf(world)
  const alice = await phone(t, port, await tokenOf('alice'))
  const bob = await phone(t, port, await tokenOf('bob'))
  return { world, port, alice, bob }
}

type Phone = Awaited<ReturnType<typeof phone>>

/** A call between them, that is up. */
const connect = async (from: Phone, to: Phone, name: string) => {
  const placed = await from.device.connect({ params: { To: name, topic: 'a & b' } })
  const out = { call: placed, told: new Told(placed) }
  const offered = await to.incoming()
  const into = { call: offered, told: new Told(offered) }
  offered.accept()
  await into.told.next('accept')
  await out.told.next('accept')
  return { out, into }
}

const codeOf = (error: unknown): number => (error as SdkError).code

t.test('it registers, calls and is called, sends and hears messages, and hangs up at either end', async t => {
  const { world, alice, bob } = await pair(t)
  t.equal(alice.device.identity, 'alice')
  t.equal(alice.device.state, 'registered')
  const { out, into } = await connect(alice, bob, 'bob')
  t.ok(out.told.has('ringing'))
  t.match(into.call.parameters, { From: 'client:alice', To: 'client:bob', AccountSid: 'acme' })
  t.equal(into.call.customParameters.get('topic'), 'a & b')
  t.equal(out.call.parameters.CallSid, into.call.parameters.CallSid)
  const message = { content: { text: 'hello' }, contentType: 'application/json', messageType: 'note' }
  const sid = out.call.sendMessage(message)
  t.match(await out.told.next('messageSent'), { voiceEventSid: sid })
  t.match(await into.told.next('messageReceived'), { content: { text: 'hello' }, messageType: 'note' })
  into.call.sendMessage({ content: 'and back', contentType: 'text/plain', messageType: 'note' })
  t.match(await out.told.next('messageReceived'), { content: 'and back' })
  out.call.disconnect()
  await into.told.next('disconnect')
  t.notOk(into.told.has('error'))

  const again = await connect(bob, alice, 'client:alice')
  again.into.call.disconnect()
  await again.out.told.next('disconnect')
  t.notOk(again.out.told.has('error'))

  const native = await world.phone('carol')
  const placed = await native.softphone.place({ to: 'alice' })
  const call = await alice.incoming()
  const told = new Told(call)
  call.accept()
  await told.next('accept')
  t.ok(await placed.connected)
  await placed.hangup()
  await told.next('disconnect')
  const quiet = await alice.device.connect({ params: { To: 'carol' } })
  const heard = new Told(quiet)
  const invited = await native.invited()
  await invited.accept()
  await heard.next('accept')
  await invited.hangup()
  await heard.next('disconnect')
})

t.test('a call is rejected, ignored, given up, or for nobody, and its caller hears which', async t => {
  const world = await startHub(t, configOf({ accounts: { zoe: {} } }, { calls: { ringTimeoutMs: 100 } }))
  const precise = { enableImprovedSignalingErrorPrecision: true }
  const alice = await phone(t, portOf(world), await tokenOf('alice'), precise)
  const bob = await phone(t, portOf(world), await tokenOf('bob'))
  const call = async (to: string) => {
    const placed = await alice.device.connect({ params: { To: to } })
    return { placed, told: new Told(placed) }
  }
  const ended = async (to: string, act: (call: SdkCall) => unknown = () => {}): Promise<number> => {
    const { told } = await call(to)
    if (to === 'bob') await act(await bob.incoming())
    const code = codeOf(await told.next('error'))
    await told.next('disconnect')
    return code
  }
  t.equal(await ended('nobody'), 31404)
  t.equal(await ended('zoe'), 31480)
  t.equal(await ended('bob', offered => offered.reject()), 31603)
  t.equal(await ended('bob', offered => offered.ignore()), 31480)
  const { told, placed } = await call('bob')
  const offered = new Told(await bob.incoming())
  await told.next('ringing')
  placed.disconnect()
  await offered.next('cancel')
  t.notOk(told.has('error'))
  const api = await world.api()
  await api.place({ to: 'bob', from: '+15550199' })
  const missed = await bob.incoming()
  t.equal(missed.parameters.From, '+15550199')
  await new Told(missed).next('cancel')
})

t.test('a connection that is cut in a call is made anew, and the call goes on', async t => {
  const { alice, bob } = await pair(t)
  const { out, into } = await connect(alice, bob, 'bob')
  for (const [phone, told] of [
    [alice, out.told],
    [bob, into.told],
  ] as const) {
    phone.socket.terminate()
    await told.next('reconnecting')
    await told.next('reconnected')
    await phone.told.next('registered')
  }
  t.equal(out.call.status(), 'open')
  out.call.sendMessage({ content: 'still', messageType: 'note' })
  t.match(await into.told.next('messageReceived'), { content: 'still' })
  into.call.disconnect()
  await out.told.next('disconnect')
  t.notOk(into.told.has('cancel'))
})

t.test('a token that ends is made anew, before it does or after', async t => {
  const world = await startHub(t)
  const short = () => tokenOf('alice', { expiresInSeconds: 62 })
  // The SDK says so ten seconds before the end, or as long before as it is told.
  const alice = await phone(t, portOf(world), await short(), { tokenRefreshMs: 61_900 })
  if (!alice.told.has('tokenWillExpire')) await alice.told.next('tokenWillExpire')
  alice.device.updateOptions({ tokenRefreshMs: undefined })
  alice.device.updateToken(await tokenOf('alice'))
  await alice.device.unregister()
  t.equal(alice.device.state, 'unregistered')
  alice.device.updateToken(await tokenOf('alice'))
  await alice.device.register()
  t.equal(alice.device.state, 'registered')

  const old = await mintToken({
    alg: 'HS256',
    secret,
    tenant: 'acme',
    account: 'bob',
    expiresInSeconds: 60,
    clock: { wall: () => Date.now() - 3_600_000 },
  })
  const before = sockets.length
  for (const [token, code] of [
    [old, 20104],
    ['none', 20101],
    [await tokenOf('bob', { scopes: [] }), 20151],
  ] as const) {
    const device = sdkDevice(token, portOf(world))
    t.teardown(() => device.destroy())
    const told = new Told(device)
    await t.rejects(device.register(), 'it is not left to wait')
    t.equal(codeOf(await told.next('error')), code)
    t.equal(device.state, 'unregistered')
    device.updateToken(await tokenOf('bob'))
    await device.register()
    t.equal(device.state, 'registered')
  }
  t.equal(sockets.length, before + 6, 'nobody came back by itself')
})

t.test('who may only call is refused when it registers, and calls', async t => {
  const { port, bob } = await pair(t)
  const scopes = ['presence:register', 'call:place']
  const device = sdkDevice(await tokenOf('carol', { scopes }), port)
  t.teardown(() => device.destroy())
  const told = new Told(device)
  await t.rejects(device.register())
  t.equal(codeOf(await told.next('error')), 20151)
  const call = new Told(await device.connect({ params: { To: 'bob' } }))
  const offered = await bob.incoming()
  offered.accept()
  await call.next('accept')
  offered.disconnect()
  await call.next('disconnect')
})

t.test(
  'a hub that is started again finds everyone registered again, and ends the calls it knows no more',
  async t => {
    const config = configOf()
    const first = await createHub(config)
    const { url } = await first.listen()
    const port = new URL(url).port
    const alice = await phone(t, port, await tokenOf('alice'))
    const bob = await phone(t, port, await tokenOf('bob'))
    const { out, into } = await connect(alice, bob, 'bob')
    await first.close()
    const second = await createHub(configOf({}, { listen: { port: Number(port) } }))
    t.teardown(() => second.close())
    await second.listen()
    for (const { told } of [alice, bob]) await told.next('registered')
    for (const { told } of [out, into]) await told.next('disconnect')
    await connect(bob, alice, 'alice')
  },
)

t.test('tokens of its own kind name its device, and the application that its calls go by', async t => {
  const keys = [{ kid: 'SK1', alg: 'HS256', secret }]
  const applications = { AP1: { steps: [{ dial: { to: ['bob'] } }] } }
  const world = await startHub(t, configOf({ keys, applications }))
  const { AccessToken } = twilio.jwt
  const tokenFor = (identity: string, endpointId?: string): string => {
    const token = new AccessToken('acme', 'SK1', secret, { identity })
    const grant = { incomingAllow: true, outgoingApplicationSid: 'AP1', ...(endpointId && { endpointId }) }
    token.addGrant(new AccessToken.VoiceGrant(grant))
    return token.toJwt()
  }
  const alice = await phone(t, portOf(world), tokenFor('alice', 'desk'))
  const bob = await phone(t, portOf(world), tokenFor('bob'))
  const placed = new Told(await alice.device.connect({}))
  const call = await bob.incoming()
  call.accept()
  await placed.next('accept')
  t.match(call.parameters, { From: 'client:alice' })
  alice.socket.terminate()
  await placed.next('reconnected')
  call.disconnect()
  await placed.next('disconnect')
})
