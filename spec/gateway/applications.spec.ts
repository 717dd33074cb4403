// A token that names a device and an application: as which device its session is there, and where its calls go, whatever
// they call. Such tokens are those of a voice SDK (voice-tokens.spec.ts).

import t from 'tap'
import twilio from 'twilio'
import type { WebSocket } from 'ws'
import { ok, refuse } from '../../src/errors.js'
import { type Grant, scopesOf } from '../../src/gateway/token/index.js'
import type { AccountId, CallId, DeviceId } from '../../src/protocol/index.js'
import { Client, newStand, type Stand } from '../support/gateway.js'
import { configOf, secret, startHub } from '../support/hub.js'
import { acme } from '../support/room.js'

const applications = {
  AP1: { steps: [{ dial: { to: ['bob'] } }] },
  menu: { twiml: '<Response><Reject/></Response>' },
}
const routes = [{ to: '+1*', instructions: { steps: [{ hangup: {} }] } }]

const softphone = 'presence:register presence:read call:receive call:place call:explain'

/** A stand whose tokens are grants: each says what alice's does beside what all softphones' do. */
const newPhones = (t: Parameters<typeof newStand>[0]) => {
  const says: Partial<Grant>[] = []
  const standing: Promise<Stand> = newStand(t, {
    tenant: { applications, routes },
    verifier: {
      async verify(token) {
        const grant = says[Number(token)]
        if (grant === undefined) return refuse('unauthorized', 'no such token')
        const { clock } = (await standing).room
        const who = { tenant: acme, account: 'alice' as AccountId, groups: [] }
        return ok({ ...who, scopes: scopesOf(softphone), expires: clock.wall() + 3_600_000, ...grant })
      },
    },
  })
  const tokenOf = (grant: Partial<Grant>) => `${says.push(grant) - 1}`
  return {
    standing,
    tokenOf,
    async phone(grant: Partial<Grant>, hello: object = {}) {
      const stand = await standing
      const client = stand.client()
      await client.opened
      client.send({ type: 'hello', token: tokenOf(grant), ...hello })
      return client
    },
  }
}

const device = 'desk' as DeviceId
const bob = { account: 'bob' as AccountId }
const application = { name: 'AP1', params: { team: 'red', lang: 'fr' } }

const timelineOf = ({ room }: Stand, call: CallId) => room.router.get(acme, call)?.timeline ?? []

t.test('the device that a token names is the session’s, whatever hello says', async t => {
  const { standing, phone } = newPhones(t)
  const first = await phone({ device })
  t.match(await first.next('welcome'), { device: 'desk' }, 'nothing')
  const second = await phone({ device }, { device: 'tablet' })
  const welcome = await second.next('welcome')
  t.match(welcome, { device: 'desk' }, 'another')
  t.match(await first.next('error'), { code: 'replaced' }, 'so it is one device')
  const { room } = await standing
  const resource = room.presence.resource(acme, 'alice' as never, { view: 'full', devices: true })
  t.same(
    resource.accounts?.[0]?.devices?.map(({ device }) => device),
    ['desk'],
  )
  second.ws.terminate()
  const third = await phone({ device }, { resume: { session: welcome.session, seq: 0 } })
  t.match(await third.next('welcome'), { session: welcome.session, resumed: true }, 'and is resumed as one')
  const without = await phone({ device, scopes: scopesOf('presence:read') })
  t.match(await without.next('welcome'), { device: undefined }, 'without the permission it is none')
})

t.test('a fresh token may name the device of its session, and no other', async t => {
  const { phone, tokenOf } = newPhones(t)
  const client = await phone({}, { device: 'desk' })
  await client.next('welcome')
  t.ok(await client.ask({ type: 'token', token: tokenOf({ device }) }, 'ok'))
  t.ok(await client.ask({ type: 'token', token: tokenOf({}) }, 'ok'))
  client.send({ type: 'token', token: tokenOf({ device: 'tablet' as DeviceId }) })
  t.match(await client.next('error'), { code: 'forbidden' })
  t.match(await client.closed, { code: 4502 })
})

t.test(
  '[C5] a call goes by its application’s instructions, with its params under the call’s own',
  async t => {
    const { standing, phone } = newPhones(t)
    const alice = await phone({ application }, { device: 'web' })
    const other = await phone(bob, { device: 'web' })
    await alice.next('welcome')
    await other.next('welcome')
    for (const to of ['+15550100', 'nobody']) {
      const params = { lang: 'de', note: 'x' }
      const { call } = await alice.ask({ type: 'place', to, params }, 'placed')
      t.match(await other.next('invite'), {
        call,
        to,
        from: 'alice',
        params: { team: 'red', lang: 'de', note: 'x' },
      })
      t.match(timelineOf(await standing, call), [
        { event: 'received' },
        { event: 'application', application: 'AP1' },
        { event: 'instructions', verbs: ['dial'] },
      ])
      await alice.ask({ type: 'hangup', call }, 'ok')
      await alice.next('ended')
    }
    const plain = await alice.ask({ type: 'place', to: 'x' }, 'placed')
    t.match((await other.next('invite')).params, application.params)
    await alice.ask({ type: 'hangup', call: plain.call }, 'ok')
  },
)

const endOf = async (client: Client, to: string) => {
  const { call } = await client.ask({ type: 'place', to }, 'placed')
  return { call, ended: await client.next('ended') }
}

t.test('it may call anything, in its own name; what comes of it is the application’s word', async t => {
  const { standing, phone } = newPhones(t)
  const scopes = scopesOf('presence:register')
  const alice = await phone({ scopes, application: { name: 'menu', params: {} } }, { device: 'web' })
  await alice.next('welcome')
  const { call, ended } = await endOf(alice, 'sales')
  t.match(ended, { reason: 'rejected' })
  t.equal(
    timelineOf(await standing, call).some(({ event }) => event === 'route'),
    false,
  )
  const foreign = await alice.ask({ type: 'place', to: 'sales', from: '+15550199' }, 'error')
  t.match(foreign, { code: 'forbidden' })
})

t.test('an application that is not configured is refused by its name, and takes no place', async t => {
  const { standing, phone } = newPhones(t)
  for (const name of ['AP2', '__proto__', 'constructor']) {
    const alice = await phone({ application: { name, params: {} } }, { device: name })
    await alice.next('welcome')
    t.match(await alice.ask({ type: 'place', to: '+15550100' }, 'error'), {
      code: 'not-found',
      message: `no application ${name}`,
    })
  }
  t.equal((await standing).room.router.counts.live, 0)
})

t.test('a call is passed on to a name by permission alone, and not where an application decides', async t => {
  const { phone } = newPhones(t)
  const alice = await phone({ application }, { device: 'web' })
  const other = await phone(bob, { device: 'web' })
  await alice.next('welcome')
  await other.next('welcome')
  const { call } = await alice.ask({ type: 'place', to: 'x' }, 'placed')
  await other.next('invite')
  await other.ask({ type: 'accept', call }, 'ok')
  await alice.next('answered')
  t.match(await alice.ask({ type: 'transfer', call, to: '+15550100' }, 'error'), { code: 'forbidden' })
  t.match(await other.ask({ type: 'transfer', call, to: '+15550100' }, 'ok'), {})
})

t.test(
  'a whole hub takes such tokens, for as long as its configuration has what they are signed with',
  async t => {
    const tenant = (kid: string, authToken: string) =>
      configOf({ keys: [{ kid, alg: 'HS256', secret }], authToken, applications })
    const { hub, listening } = await startHub(t, tenant('SK1', secret))
    const { AccessToken, ClientCapability } = twilio.jwt
    const access = new AccessToken('acme', 'SK1', secret, { identity: 'alice', ttl: 600 })
    access.addGrant(
      new AccessToken.VoiceGrant({ incomingAllow: true, outgoingApplicationSid: 'AP1', endpointId: 'desk' }),
    )
    const capability = new ClientCapability({ accountSid: 'acme', authToken: secret, ttl: 600 })
    capability.addScope(new ClientCapability.IncomingClientScope('bob'))

    const sockets: WebSocket[] = []
    t.teardown(() => {
      for (const socket of sockets) socket.terminate()
    })
    const connect = async (token: string) => {
      const client = new Client(listening.socket, ['switchhook.v1'], {})
      sockets.push(client.ws)
      await client.opened
      client.send({ type: 'hello', token, device: 'web' })
      return client
    }
    const alice = await connect(access.toJwt())
    t.match(await alice.next('welcome'), { account: 'alice', device: 'desk', canReceive: true })
    const bob = await connect(capability.toJwt())
    t.match(await bob.next('welcome'), { account: 'bob', device: 'web', canReceive: true })
    const { call } = await alice.ask({ type: 'place', to: 'whatever' }, 'placed')
    t.match(await bob.next('invite'), { call, from: 'alice' })

    await hub.reload(tenant('SK2', `${secret}, another`))
    for (const token of [access.toJwt(), capability.toJwt()]) {
      const again = await connect(token)
      t.match(await again.next('error'), { code: 'unauthorized', message: /not signed by a key known here/ })
    }
    await bob.ask({ type: 'accept', call }, 'ok')
    t.match(await alice.next('answered'), { call }, 'who is there stays')
  },
)
