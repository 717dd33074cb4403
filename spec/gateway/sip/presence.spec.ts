// Presence for SIP phones: what they watch (SUBSCRIBE and NOTIFY), and what they say of themselves (PUBLISH).

import t from 'tap'
import { until } from '../../support/gateway.js'
import { acme } from '../../support/room.js'
import { type Asking, peopleOf, type Said, type SipPhone, sipStand } from '../../support/sip.js'

const stand = await sipStand(t, {
  tenant: { groups: { team: { members: ['bob', 'carol'] } } },
  limits: { subscriptionsPerSession: 300 },
})
const { clock, presence } = stand.room

const { desk, gone, phone } = peopleOf(t, stand)

const statusOf = (account: string): string =>
  presence.resource(acme, account as never, { view: 'full', devices: true }).status

const watching = (
  alice: SipPhone,
  to: string,
  expires = 600,
  ...more: string[]
): Asking & { from: string; callId: string } => ({
  ...alice.inviting(to),
  headers: ['Event: presence', `Expires: ${expires}`, alice.where, ...more],
})

const basicOf = ({ body }: Said): string => /<basic>(\w+)<\/basic>/.exec(body)?.[1] ?? ''

t.test('a phone watches someone', async t => {
  const alice = await phone()
  const asked = watching(alice, 'bob')
  const accepted = await alice.ask('SUBSCRIBE', asked)
  t.equal(accepted.status, 200)
  t.equal(accepted.of('Expires'), '600')
  const first = await alice.request('NOTIFY')
  t.equal(first.of('Event'), 'presence')
  t.equal(first.of('Subscription-State'), 'active;expires=600')
  t.equal(first.of('Content-Type'), 'application/pidf+xml')
  t.equal(first.of('Call-ID'), asked.callId)
  t.match(first.body, 'entity="sip:bob@acme"')
  t.equal(basicOf(first), 'closed')
  const bob = await desk()
  await clock.settle(1_000)
  t.equal(alice.heard.filter(({ method }) => method === 'NOTIFY').length, 1, 'one at a time')
  bob.send({ type: 'status', status: 'away', note: 'lunch' })
  await bob.ask({ type: 'ping' }, 'pong')
  await clock.settle(1_000)
  alice.reply(first, 100)
  alice.reply(first, 200)
  const second = await alice.request('NOTIFY')
  t.match(second.body, 'away', 'a slow phone hears how things stand now')
  t.match(second.body, 'lunch')
  t.match(second.of('Subscription-State'), /^active;expires=59\d$/)
  alice.reply(second, 200)

  const dialogue = alice.dialogue(asked, accepted)
  const refreshed = await alice.askWithin(dialogue, 'SUBSCRIBE', {
    headers: ['Event: presence', 'Expires: 1200'],
  })
  t.equal(refreshed.of('Expires'), '1200')
  const third = await alice.request('NOTIFY')
  t.equal(third.body, second.body, 'a refresh tells it again')
  alice.reply(third, 200)
  const ended = await alice.askWithin(dialogue, 'SUBSCRIBE', { headers: ['Event: presence', 'Expires: 0'] })
  t.equal(ended.of('Expires'), '0')
  alice.reply(await alice.request('NOTIFY'), 200)
  await clock.settle()
  const last = await alice.request('NOTIFY')
  t.equal(last.of('Subscription-State'), 'terminated;reason=timeout')
  alice.reply(last, 200)
  t.equal((await alice.askWithin(dialogue, 'SUBSCRIBE', { headers: ['Event: presence'] })).status, 481)
  await gone(alice, bob)
})

t.test('a phone watches a group, twice, and hears of a change once in each', async t => {
  const alice = await phone()
  const [one, other] = [watching(alice, 'team'), watching(alice, 'team', 60)]
  t.equal((await alice.ask('SUBSCRIBE', one)).status, 200)
  alice.reply(await alice.request('NOTIFY'), 200)
  t.equal((await alice.ask('SUBSCRIBE', other)).status, 200)
  alice.reply(await alice.request('NOTIFY'), 200)
  t.equal((await alice.ask('SUBSCRIBE', watching(alice, 'alice'))).status, 200)
  alice.reply(await alice.request('NOTIFY'), 481)
  const bob = await desk()
  await clock.settle(1_000)
  for (const _ of [1, 2]) {
    const notify = await alice.request('NOTIFY')
    t.equal(basicOf(notify), 'open')
    alice.reply(notify, 200)
  }
  await alice.ask('OPTIONS')
  await clock.settle(60_000)
  const over = await alice.request('NOTIFY')
  t.equal(over.of('Call-ID'), other.callId)
  t.match(over.of('Subscription-State'), 'terminated')
  alice.reply(over, 481)
  bob.send({ type: 'status', status: 'dnd' })
  await bob.ask({ type: 'ping' }, 'pong')
  await clock.settle(1_000)
  const still = await alice.request('NOTIFY')
  t.equal(still.of('Call-ID'), one.callId)
  t.match(still.body, 'dnd')
  alice.reply(still, 481)
  await alice.ask('OPTIONS')
  bob.send({ type: 'status', status: 'busy' })
  await bob.ask({ type: 'ping' }, 'pong')
  await clock.settle(1_000)
  t.equal(
    alice.heard.filter(({ method }) => method === 'NOTIFY').length,
    7,
    'a phone that forgot hears no more',
  )
  await gone(alice, bob)
})

t.test('a subscription goes on over another connection', async t => {
  const alice = await phone()
  const bob = await desk()
  const asked = watching(alice, 'bob')
  await alice.ask('SUBSCRIBE', asked)
  alice.reply(await alice.request('NOTIFY'), 200)
  await alice.ask('OPTIONS')
  alice.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  bob.send({ type: 'status', status: 'away' })
  await bob.ask({ type: 'ping' }, 'pong')
  const back = await phone()
  const notify = await back.request('NOTIFY')
  t.equal(notify.of('Call-ID'), asked.callId)
  t.match(notify.body, 'away')
  await gone(back, bob)
})

t.test('what is not watched', async t => {
  const alice = await phone()
  const ask = async (asking: Asking): Promise<number> => (await alice.ask('SUBSCRIBE', asking)).status
  const other = await alice.ask('SUBSCRIBE', { ...alice.inviting('bob'), headers: ['Event: dialog'] })
  t.equal(other.status, 489)
  t.equal(other.of('Allow-Events'), 'presence')
  t.equal(await ask(alice.inviting('bob')), 489)
  t.equal(await ask({ uri: 'sip:acme', headers: ['Event: presence'] }), 404)
  t.equal(await ask({ uri: 'sip:a%20b@acme', headers: ['Event: presence'] }), 400)
  const asked = watching(alice, 'bob')
  const accepted = await alice.ask('SUBSCRIBE', asked)
  const dialogue = alice.dialogue(asked, accepted)
  const event = { headers: ['Event: presence;id=1'] }
  t.equal((await alice.askWithin({ ...dialogue, seq: -1 }, 'SUBSCRIBE', event)).status, 500)
  t.equal((await alice.askWithin({ ...dialogue, callId: 'x' }, 'SUBSCRIBE', event)).status, 481)
  const token = await stand.token('alice', { scopes: ['presence:register', 'presence:read:carol'] })
  t.equal((await alice.ask('REGISTER', { headers: [`Authorization: Bearer ${token}`] })).status, 200)
  const refused = await alice.askWithin(dialogue, 'SUBSCRIBE', event)
  t.equal(refused.status, 403)
  t.equal((await alice.request('NOTIFY')).of('Subscription-State'), 'terminated;reason=rejected')
  t.equal(await ask(watching(alice, 'bob')), 403)
  t.equal(await ask(watching(alice, 'carol')), 200)
  await gone(alice)
})

t.test('a phone has so many subscriptions, and no more', async t => {
  const alice = await phone()
  const statuses: number[] = []
  for (let count = 0; count <= 256; count++) {
    statuses.push((await alice.ask('SUBSCRIBE', watching(alice, 'bob'))).status)
  }
  t.same(new Set(statuses.slice(0, -1)), new Set([200]))
  t.equal(statuses.at(-1), 503)
  await gone(alice)
})

const pidf = (basic: string, activities = '', note = ''): string =>
  `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@acme"><tuple id="t"><status><basic>${basic}</basic></status>${note && `<note>${note}</note>`}</tuple><dm:person xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" id="p"><rpid:activities>${activities}</rpid:activities></dm:person></presence>`

t.test('a phone publishes how it is', async t => {
  const alice = await phone()
  const publish = (body: string, ...headers: string[]) =>
    alice.ask('PUBLISH', { uri: 'sip:alice@acme', headers: ['Event: presence', ...headers], body })
  const away = await publish(pidf('open', '<rpid:away/>', 'lunch'), 'Expires: 600')
  t.equal(away.status, 200)
  t.equal(away.of('Expires'), '600')
  t.equal(statusOf('alice'), 'away')
  const tag = away.of('SIP-ETag')
  t.equal((await publish('', 'SIP-If-Match: nothing')).status, 412)
  clock.advance(300_000)
  const refreshed = await publish('', `SIP-If-Match: ${tag}`, 'Expires: 600')
  t.equal(refreshed.status, 200)
  t.equal((await publish('', `SIP-If-Match: ${tag}`)).status, 412, 'each tag is good once')
  clock.advance(500_000)
  t.equal(statusOf('alice'), 'away')
  t.equal((await alice.register(3600)).status, 200)
  t.equal(statusOf('alice'), 'away', 'to register again changes nothing of it')
  clock.advance(100_000)
  t.equal(statusOf('alice'), 'available', 'it passes')
  t.equal((await publish('', `SIP-If-Match: ${refreshed.of('SIP-ETag')}`)).status, 412)
  const busy = await publish(pidf('open', '<rpid:busy/>'))
  t.equal(statusOf('alice'), 'busy')
  t.equal((await publish('', `SIP-If-Match: ${busy.of('SIP-ETag')}`, 'Expires: 0')).status, 200)
  t.equal(statusOf('alice'), 'available')
  t.equal((await publish('')).status, 400)
  t.equal((await publish('nonsense')).status, 400)
  t.equal((await publish(pidf('open'), 'SIP-If-Match: x')).status, 412)
  t.equal(
    (await alice.ask('PUBLISH', { uri: 'sip:bob@acme', headers: ['Event: presence'], body: pidf('open') }))
      .status,
    403,
  )
  const other = await alice.ask('PUBLISH', { uri: 'sip:alice@acme', headers: ['Event: dialog'] })
  t.equal(other.status, 489)
  t.equal((await alice.ask('PUBLISH', { uri: 'sip:alice@acme' })).status, 489)
  t.equal((await publish(pidf('open', '', 'x'.repeat(300)))).status, 400, 'a note that is too long')
  t.equal((await alice.register(0)).status, 200)
  t.equal((await publish(pidf('open'))).status, 403, 'whoever is not registered has nothing to publish')
  await gone(alice)
})

t.test('what was published holds over another connection', async t => {
  const alice = await phone()
  const published = await alice.ask('PUBLISH', {
    uri: 'sip:alice@acme',
    headers: ['Event: presence'],
    body: pidf('open', '<rpid:away/>'),
  })
  t.equal(published.status, 200)
  alice.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const back = await phone()
  await back.ask('OPTIONS')
  t.equal(statusOf('alice'), 'away')
  await gone(back)
})
