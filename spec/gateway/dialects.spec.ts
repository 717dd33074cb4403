// The seam between wires and sessions, by a language made for it: messages of several frames, a goodbye of its own,
// another proof than a token, and translators that follow one another.

import t from 'tap'
import type { Dialect, Heard, Line, Translator } from '../../src/gateway/dialects/dialect.js'
import { messageOf } from '../../src/gateway/outlet.js'
import { type Grant, scopesOf } from '../../src/gateway/token/index.js'
import { decode } from '../../src/protocol/index.js'
import { type Client, newStand, type Stand, until } from '../support/gateway.js'
import { acme } from '../support/room.js'

t.test('another language on the same seam reaches the same session', async t => {
  const errors: string[] = []
  const sent: string[] = []
  const lines: Dialect = {
    path: '/lines',
    subprotocols: [],
    confirms: false,
    beat: '?',
    open: () => ({
      read(text) {
        if (text === '!') throw new Error('a bug of the translator')
        return text === '' ? [] : text.split('\n').map(decode)
      },
      write: frame => {
        sent.push(frame.type)
        return frame.type === 'welcome' ? [] : [messageOf(frame.type)]
      },
    }),
  }
  const stand = await newStand(t, {
    dialects: [lines],
    log: { info() {}, warn() {}, error: (_, message) => void errors.push(message) },
  })
  const client = stand.client({}, [], '/lines')
  const texts: string[] = []
  client.ws.removeAllListeners('message').on('message', data => texts.push(String(data)))
  await client.opened
  client.send('')
  client.send('!')
  client.send(JSON.stringify({ type: 'hello', device: 'phone', token: await stand.token('alice') }))
  await until(() => sent.includes('welcome'))
  t.same(errors, ['socket listener threw'])
  const confirms = (view: 'routing') =>
    stand.room.presence.resource(acme, 'alice' as never, { view, devices: true }).accounts![0]!.devices![0]!
      .confirms
  t.equal(confirms('routing'), false)
  await stand.room.clock.settle(10_000)
  await until(() => texts.includes('?'))
  client.send(`${JSON.stringify({ type: 'leave' })}\n${JSON.stringify({ type: 'place', to: 'bob' })}\n{`)
  t.match(await client.closed, { code: 1000 })
  t.equal(stand.room.router.counts.placed, 0, 'nothing after the goodbye counts')
  t.match(stand.gateway.counts.faults, { malformed: undefined })
})

/** The hub's own language at another place, with what its translators were asked. */
const spoken = (about: Partial<Dialect> = {}, read = (text: string): readonly Heard[] => [decode(text)]) => {
  const lines: Line[] = []
  const followed: Translator[] = []
  let closed = 0
  const dialect: Dialect = {
    path: '/v1/socket',
    subprotocols: ['switchhook.v1'],
    confirms: true,
    open(line) {
      lines.push(line)
      return {
        read,
        write: frame => [messageOf(JSON.stringify(frame))],
        follow: earlier => void followed.push(earlier),
        closed() {
          closed++
        },
      }
    },
    ...about,
  }
  return { dialect, lines, followed, closed: () => closed }
}

const statusOf = ({ room }: Stand, account: string) =>
  room.presence.resource(acme, account as never, { view: 'full', devices: true })

t.test(
  'a client goes back to an earlier session by a second hello, which need not know the last seq',
  async t => {
    const { dialect, followed } = spoken()
    const stand = await newStand(t, { dialects: [dialect] })
    const token = await stand.token('alice')
    const first = await stand.phone('alice', { device: 'one' })
    const call = stand.room.router.place({
      tenant: acme,
      to: 'alice',
      from: '+1',
      direction: 'inbound',
      caller: { account: 'gw' as never, send() {} },
    })
    t.ok(call.ok)
    const invited = await first.client.next('invite')
    first.client.ws.terminate()
    await until(() => stand.gateway.counts.lingering === 1)
    const second = await stand.phone('alice', { device: 'two', status: 'offline' })
    const again = { type: 'hello', token, device: 'one', resume: { session: first.welcome.session } }
    const resumed = await second.client.ask(again, 'welcome')
    t.match(resumed, { resumed: true, session: first.welcome.session, device: 'one', ref: 'r' })
    t.same(await second.client.next('invite'), invited, 'what was not acked comes again')
    t.equal(followed.length, 1, 'who spoke for it before is known to who does now')
    t.same(
      statusOf(stand, 'alice').accounts![0]!.devices!.map(({ device }) => device),
      ['one'],
      'the session it was in is over',
    )
    const own = { type: 'hello', resume: { session: first.welcome.session, seq: 0 } }
    t.match(await second.client.ask(own, 'error'), { code: 'invalid', message: 'hello comes once' })
    const unknown = { ...again, device: 'three', resume: { session: 'none' } }
    t.match(await second.client.ask(unknown, 'welcome'), { resumed: false, device: 'three' })
  },
)

t.test('a newer connection of a device knows who spoke for the one before', async t => {
  const { dialect, followed, closed } = spoken()
  const stand = await newStand(t, { dialects: [dialect] })
  const first = await stand.phone('alice')
  t.equal(followed.length, 0)
  const second = await stand.phone('alice')
  t.equal(followed.length, 1)
  await first.client.closed
  await until(() => closed() === 1)
  second.client.ws.terminate()
  await until(() => closed() === 2)
})

t.test('a device that declares itself offline is connected, and for nobody there', async t => {
  const stand = await newStand(t)
  await stand.phone('bob')
  const { client } = await stand.phone('alice', { status: 'offline' })
  t.match(statusOf(stand, 'alice'), { status: 'offline', accounts: [{ devices: [{ status: 'offline' }] }] })
  await client.ask({ type: 'status', status: 'available', for: 'account' }, 'ok')
  t.equal(statusOf(stand, 'alice').status, 'offline', "a person's word does not make it be there")
  t.match(await client.ask({ type: 'status', status: 'offline', for: 'account' }, 'error'), {
    code: 'invalid',
    message: /^status /,
  })
  await client.ask({ type: 'status', status: 'available' }, 'ok')
  t.equal(statusOf(stand, 'alice').status, 'available')
  await client.ask({ type: 'status', status: 'offline' }, 'ok')
  t.match(await client.ask({ type: 'place', to: 'bob' }, 'placed'), {})
  t.equal(statusOf(stand, 'alice').status, 'busy', 'a call is seen')
})

t.test('a language with other proofs than tokens brings what was proven', async t => {
  const base = {
    tenant: acme,
    account: 'alice' as never,
    scopes: scopesOf('presence:register call:receive'),
    expires: 0,
    groups: [],
  }
  let grant: Grant = base
  const { dialect } = spoken({}, text => {
    const decoded = decode(text)
    return [text.includes('proof') ? { ...decoded, grant } : decoded]
  })
  const stand = await newStand(t, { dialects: [dialect] })
  const expires = stand.room.clock.wall() + 60_000
  grant = { ...base, expires }
  const client = stand.client()
  await client.opened
  client.send({ type: 'hello', device: 'phone', client: 'proof' })
  t.match(await client.next('welcome'), { account: 'alice', expires: new Date(expires).toISOString() })
  grant = { ...base, expires: expires + 60_000 }
  t.match(await client.ask({ type: 'token', token: 'proof' }, 'ok'), {
    expires: new Date(expires + 60_000).toISOString(),
  })
  grant = { ...base, account: 'bob' as never }
  client.send({ type: 'token', token: 'proof' })
  t.match(await client.closed, { code: 4502 })
})

t.test('a client that is asked to close by itself is closed a little later, and heard no more', async t => {
  const parted: string[] = []
  const { dialect, lines } = spoken({
    parting({ code }) {
      parted.push(code)
      return code === 'unauthorized' ? messageOf('{"type":"bye"}') : undefined
    },
  })
  const stand = await newStand(t, { dialects: [dialect] })
  const refused = async (hello: object): Promise<Client> => {
    const client = stand.client()
    await client.opened
    client.send({ type: 'hello', ...hello })
    await client.next('error')
    return client
  }
  const told = await refused({ token: 'none' })
  await told.next('bye' as never)
  t.equal(told.ws.readyState, 1)
  told.send({ type: 'ping' })
  lines[0]!.say(messageOf('{"type":"late"}'))
  lines[0]!.hear(decode('{"type":"leave"}'))
  await stand.room.clock.settle(stand.bounds.of.closeMs)
  t.match(await told.closed, { code: 4401, reason: 'unauthorized' })
  t.same(
    told.frames.map(({ type }) => type),
    ['error', 'bye'],
  )
  const quick = await refused({ token: 'none' })
  quick.ws.close()
  await quick.closed
  await stand.room.clock.settle(stand.bounds.of.closeMs)
  const other = await refused({ token: await stand.token('alice', { scopes: [] }) })
  t.match(await other.closed, { code: 4502 }, 'where there is no such message, the hub closes')
  t.same(parted, ['unauthorized', 'unauthorized', 'forbidden'])
})
