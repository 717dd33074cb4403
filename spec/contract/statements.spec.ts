// The twelve statements of what the system does, each over real sockets and real HTTP.

import { createHmac } from 'node:crypto'
import t from 'tap'
import { WebSocket } from 'ws'
import { HubApi, type Resource, Softphone } from '../../src/client/index.js'
import { configOf, startApplication, startHub, tokenOf, until } from '../support/hub.js'

const presenceScopes = ['presence:read', 'presence:devices', 'presence:route']
const support = { groups: { support: { members: ['alice', 'bob', 'carol'] } } }

const socket = (url: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number | undefined; frames: Record<string, unknown>[]; code: number | undefined }>(
    resolve => {
      const frames: Record<string, unknown>[] = []
      const ws = new WebSocket(url, 'switchhook.v1', { headers })
      ws.on('unexpected-response', (_request, response) => {
        response.resume()
        resolve({ status: response.statusCode, frames, code: undefined })
      })
      ws.on('message', data => frames.push(JSON.parse(String(data))))
      ws.on('close', code => resolve({ status: 101, frames, code }))
      ws.on('open', () => ws.send(JSON.stringify({ type: 'hello', device: 'web' })))
    },
  )

t.test(
  "[C1] the presence server receives a client application's token, by header or in its hello",
  async t => {
    const { listening } = await startHub(t)
    const token = await tokenOf('alice')
    const byHello = new Softphone({ url: listening.url, token, device: 'web', WebSocket: WebSocket as never })
    t.match(await byHello.connect(), { tenant: 'acme', account: 'alice', device: 'web', canReceive: true })
    await byHello.close()

    const ws = new WebSocket(listening.socket, 'switchhook.v1', {
      headers: { authorization: `Bearer ${token}` },
    })
    const welcome = new Promise(resolve => ws.on('message', data => resolve(JSON.parse(String(data)))))
    ws.on('open', () => ws.send(JSON.stringify({ type: 'hello', device: 'web' })))
    t.match(await welcome, { type: 'welcome', account: 'alice', device: 'web' })
    ws.close()
  },
)

t.test('[C2] a refused token leaves no trace: no device, no event, no count', async t => {
  const world = await startHub(t, configOf(support))
  const watcher = await world.visitor('watcher', presenceScopes)
  const seen: Resource[] = []
  const watches = watcher.subscribe(['support', 'alice', 'mallory'])
  await Promise.all(watches.map(({ ready }) => ready))
  for (const watch of watches) watch.on('change', resource => seen.push(resource))
  const before = [await watcher.presence(['support', 'alice', 'mallory'])]
  const countsOf = async () =>
    (await (await fetch(`${world.listening.url}/metrics`)).text())
      .split('\n')
      .filter(line => /^switchhook_(devices|accounts|subscriptions|sessions)/.test(line))
  const counted = await countsOf()
  t.ok(counted.length > 0)

  const { socket: url } = world.listening
  const forged = `${(await tokenOf('alice')).slice(0, -4)}AAAA`
  const strange = await tokenOf('alice', { tenant: 'nowhere' })
  for (const token of [forged, strange, 'nonsense']) {
    t.match(await socket(url, { authorization: `Bearer ${token}` }), { status: 401 })
    const inHello = new Softphone({ url, token, device: 'web', WebSocket: WebSocket as never, attempts: 0 })
    await t.rejects(inHello.connect(), { code: 'unauthorized' })
  }
  const useless = await tokenOf('alice', { scopes: ['something:else'] })
  t.match(await socket(url, { authorization: `Bearer ${useless}` }), {
    code: 4502,
    frames: [{ type: 'error', code: 'forbidden' }],
  })
  // One permission is enough to be welcomed, but only `presence:register` makes a device.
  const reader = await world.phone('mallory', 'web', { scopes: ['presence:read'] })
  t.match(reader.softphone.connection, { welcome: { device: null } })
  await reader.softphone.close()

  t.same([await watcher.presence(['support', 'alice', 'mallory'])], before)
  t.same(seen, [], 'no event')
  t.same(await countsOf(), counted, 'no count')
})

t.test(
  '[C3] a status lives as long as the connection and a short linger, and the client may change it',
  async t => {
    const world = await startHub(t, configOf({}, { presence: { lingerMs: 300, reloadLingerMs: 100 } }))
    const watcher = await world.visitor('watcher', presenceScopes)
    const watch = watcher.subscribe('alice')
    const statuses: string[] = []
    watch.on('change', ({ status }) => statuses.push(status))
    const becomes = (status: string) =>
      until(
        () => watch.resource?.status === status,
        check => watch.on('change', check),
      )
    await becomes('offline')
    const alice = await world.phone('alice', 'web')
    await becomes('available')
    await alice.softphone.status({ status: 'away', note: 'back at two' })
    await becomes('away')
    t.match(watch.resource?.accounts, [{ account: 'alice', note: 'back at two' }])
    await alice.softphone.close()
    await becomes('offline')

    // A lost connection lingers: nobody sees it if it comes back in time, and it ends by itself if it does not.
    const ws = new WebSocket(world.listening.socket, 'switchhook.v1')
    ws.on('open', async () =>
      ws.send(JSON.stringify({ type: 'hello', device: 'web', token: await tokenOf('alice') })),
    )
    await becomes('available')
    ws.terminate()
    const lost = performance.now()
    await becomes('offline')
    t.ok(performance.now() - lost >= 295, 'the linger')
    t.same(statuses, ['offline', 'available', 'away', 'offline', 'available', 'offline'])
  },
)

t.test('[C4] the router accepts a call from outside: over HTTP, and from a gateway on a socket', async t => {
  const world = await startHub(t)
  const alice = await world.phone('alice')
  const api = await world.api()
  const { call } = await api.place({ to: 'alice', from: '+15550199', params: { ticket: '7' } })
  const invited = await alice.invited()
  t.match(invited.facts, { id: call, from: '+15550199', to: 'alice', params: { ticket: '7' } })
  await api.hangup(call)
  t.match(await invited.over, { reason: 'caller-canceled' })

  const gateway = await world.visitor('trunk', ['call:inbound'])
  const placed = await gateway.place({ to: 'alice', from: '+15550177' })
  const second = await alice.invited()
  t.match(second.facts, { id: placed.id, from: '+15550177' })
  await second.accept({ sdp: 'answer' })
  await until(
    () => placed.state === 'connected',
    check => placed.on('answered', check),
  )
  t.match([placed.sdp, placed.by], ['answer', { account: 'alice', device: 'phone' }])
  await placed.hangup()
  t.match(await second.over, { reason: 'completed' })

  await t.rejects((await world.api('alice', ['call:place'])).place({ to: 'alice', from: 'x' }), {
    code: 'forbidden',
  })
})

t.test(
  '[C5] it retrieves instructions over HTTP, signed, with the parameters voice applications expect',
  async t => {
    const authToken = "the tenant's own token"
    const application = await startApplication(t, {
      '/voice': '<?xml version="1.0"?><Response><Dial><Client>alice</Client></Dial></Response>',
      '/json': JSON.stringify({ steps: [{ dial: { to: ['alice'] } }] }),
    })
    const routes = [
      { to: '+1555010*', instructions: `${application.url}/voice?x=1` },
      { to: '+15550200', instructions: { url: `${application.url}/json`, method: 'GET' } },
      { to: '+15550300', instructions: { twiml: '<Response><Dial>alice</Dial></Response>' } },
    ]
    const world = await startHub(t, configOf({ authToken, routes }))
    const alice = await world.phone('alice')
    const api = await world.api()
    for (const to of ['+15550100', '+15550200', '+15550300']) {
      const { call } = await api.place({ to, from: '+15550199', params: { Ticket: '7' } })
      t.equal((await alice.invited()).id, call)
      await api.hangup(call)
    }
    const [posted, got] = application.asked
    t.match(posted, { method: 'POST', url: '/voice?x=1' })
    t.match(Object.fromEntries(posted?.form ?? []), {
      AccountSid: 'acme',
      From: '+15550199',
      To: '+15550100',
      CallStatus: 'ringing',
      ApiVersion: '2010-04-01',
      Direction: 'inbound',
      Ticket: '7',
    })
    const sorted = [...(posted?.form ?? [])]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flat()
      .join('')
    t.equal(
      posted?.headers['x-twilio-signature'],
      createHmac('sha1', authToken).update(`${application.url}/voice?x=1${sorted}`).digest('base64'),
    )
    t.match(got, { method: 'GET', url: /^\/json\?.*To=%2B15550200/ })
    t.equal(application.asked.length, 2, 'the inline one is asked of nobody')
  },
)

t.test('[C6] the document names a destination: several accounts, or several devices of one', async t => {
  const world = await startHub(t, configOf(support))
  const phones = [
    await world.phone('alice', 'web'),
    await world.phone('alice', 'mobile'),
    await world.phone('bob'),
  ]
  const api = await world.api()
  const timelineOf = async (document: string) => {
    const { call } = await api.place({ to: 'x', from: 'y', instructions: { twiml: document } })
    await phones[0]?.invited()
    const { timeline = [] } = await api.call(call)
    await api.hangup(call)
    return timeline.filter(({ event }) => event === 'picked')
  }
  t.match(await timelineOf('<Response><Dial><Client>support</Client></Dial></Response>'), [
    { destination: 'support', candidates: ['alice', 'bob'] },
  ])
  t.match(await timelineOf('<Response><Dial><Client><Identity>alice</Identity></Client></Dial></Response>'), [
    { destination: 'alice', candidates: ['alice'] },
  ])
})

t.test('[C7] the router decides from the presence resource, read over the network', async t => {
  const hub = await startHub(t, configOf(support))
  const asked: string[] = []
  // The router reads through the API of the presence server, with a token of its own and nothing else.
  const reader = new HubApi({
    url: hub.listening.url,
    token: await tokenOf('router', { scopes: ['presence:read', 'presence:route'] }),
  })
  const remote = await startHub(t, configOf(support), {
    async readPresence(_tenant, destination) {
      asked.push(destination)
      return (await reader.presence(destination, { view: 'routing' })) as never
    },
  })
  // Bob is attached to both; alice only to the presence server; carol only to the router's machine.
  await hub.phone('alice', 'phone', { status: 'dnd' })
  const bobThere = await hub.phone('bob')
  const bobHere = await remote.phone('bob')
  const carolHere = await remote.phone('carol')
  const api = await remote.api()
  const { call } = await api.place({ to: 'support', from: 'x' })
  t.equal((await bobHere.invited()).id, call)
  t.same(asked, ['support'])
  const { timeline } = await api.call(call)
  t.match(
    timeline?.filter(({ event }) => event === 'picked' || event === 'not-rung'),
    [
      { candidates: ['bob'] },
      { reason: 'dnd', accounts: ['alice'] },
      { reason: 'offline', accounts: ['carol'] },
    ],
    'what the resource says, whoever else is on a socket here',
  )
  t.same([bobThere.invites, carolHere.invites], [[], []])
})

t.test('[C8] the resource consolidates devices and accounts: the highest status wins', async t => {
  const world = await startHub(t, configOf(support))
  const reader = await world.api('reader', presenceScopes)
  const statusOf = async (name: string) => (await reader.presence(name)).status
  const web = await world.phone('alice', 'web', { status: 'dnd' })
  t.equal(await statusOf('alice'), 'dnd')
  const mobile = await world.phone('alice', 'mobile', { status: 'away' })
  t.equal(await statusOf('alice'), 'away')
  await world.phone('bob', 'desk', { status: 'busy' })
  t.equal(await statusOf('support'), 'busy')
  await mobile.softphone.status({ status: 'available' })
  t.equal(await statusOf('support'), 'available')
  t.match(await reader.presence('support', { view: 'full' }), {
    kind: 'group',
    counts: { available: 1, busy: 1, offline: 1, away: 0, dnd: 0, ringing: 0 },
    accounts: [
      {
        account: 'alice',
        status: 'available',
        devices: [
          { device: 'web', status: 'dnd' },
          { device: 'mobile', status: 'available' },
        ],
      },
      { account: 'bob', status: 'busy' },
      { account: 'carol', status: 'offline' },
    ],
  })
  await web.softphone.status({ status: 'away', for: 'account' })
  t.equal(await statusOf('alice'), 'away', "a person's word replaces what all their devices declare")
  await mobile.softphone.status({ status: null, for: 'account' })
  t.equal(await statusOf('alice'), 'available')
  await mobile.softphone.close()
  t.equal(await statusOf('alice'), 'dnd', '[U10] one of several closed: still there')
})

t.test('[C9] several accounts: an available one is determined, and the call is routed to it', async t => {
  const world = await startHub(t, configOf(support))
  const alice = await world.phone('alice', 'phone', { status: 'away' })
  const bob = await world.phone('bob')
  const carol = await world.phone('carol')
  const api = await world.api()
  const first = await api.place({ to: 'support', from: 'x' })
  const atBob = await bob.invited()
  t.same([alice.invites, carol.invites], [[], []])
  await atBob.accept()
  t.match(await api.call(first.call), { state: 'connected', by: { account: 'bob' } })
  const second = await api.place({ to: 'support', from: 'x' })
  t.equal((await carol.invited()).id, second.call, 'bob is on a call')
  await api.hangup(first.call)
  await api.hangup(second.call)
  const third = await api.place({ to: 'support', from: 'x' })
  t.equal((await carol.invited()).id, third.call, 'she has talked to nobody yet: longest idle')
  t.same(alice.invites, [])
})

t.test(
  '[C10] several devices of one account: those available ring, and the first to answer has the call',
  async t => {
    const world = await startHub(t)
    const web = await world.phone('alice', 'web')
    const mobile = await world.phone('alice', 'mobile')
    const quiet = await world.phone('alice', 'quiet', { status: 'dnd' })
    const api = await world.api()
    const { call } = await api.place({ to: 'alice', from: 'x', sdp: 'offer' })
    const [atWeb, atMobile] = await Promise.all([web.invited(), mobile.invited()])
    t.equal(atMobile.sdp, 'offer')
    await atMobile.accept({ sdp: 'answer' })
    t.match(await atWeb.over, { reason: 'answered-elsewhere', by: { account: 'alice', device: 'mobile' } })
    t.match(await api.call(call), {
      state: 'connected',
      by: { account: 'alice', device: 'mobile' },
      sdp: 'answer',
    })
    t.same(quiet.invites, [])
    await atMobile.hangup()
    t.match(await api.call(call), { state: 'ended', reason: 'completed' })
  },
)

t.test(
  '[C11] one request asks for the presence of many accounts, and gets one message with all of them',
  async t => {
    const world = await startHub(t, configOf(support))
    await world.phone('bob', 'phone', { status: 'away' })
    const watcher = await world.visitor('watcher', presenceScopes)
    const names = Array.from({ length: 500 }, (_, index) => (index === 250 ? 'bob' : `contact-${index}`))
    const bySocket = await watcher.presence(names)
    t.same(
      bySocket.map(({ destination }) => destination),
      names,
      'in the order asked',
    )
    t.match(bySocket[250], { status: 'away', accounts: [{ account: 'bob' }] })
    t.equal(bySocket.filter(({ status }) => status === 'offline').length, 499)

    const reader = await world.api('reader', presenceScopes)
    const byHttp = await reader.presences(names, { view: 'full' })
    t.same(byHttp, bySocket)
  },
)

t.test('[C12] a subscriber gets an update for each detected change', async t => {
  const world = await startHub(t, configOf(support))
  const watcher = await world.visitor('watcher', ['presence:read'])
  const [group, one] = watcher.subscribe(['support', 'bob'])
  await Promise.all([group.ready, one.ready])
  const seen: string[] = []
  one.on('change', ({ status }) => seen.push(status))
  const bob = await world.phone('bob')
  const sees = (status: string) =>
    until(
      () => one.resource?.status === status,
      check => one.on('change', check),
    )
  await sees('available')
  for (const status of ['away', 'dnd', 'busy', 'available'] as const) {
    await bob.softphone.status({ status })
    await sees(status)
  }
  const api = await world.api()
  const { call } = await api.place({ to: 'bob', from: 'x' })
  const invited = await bob.invited()
  await sees('ringing')
  await invited.accept()
  await sees('busy')
  await api.hangup(call)
  await sees('available')
  await bob.softphone.close()
  await sees('offline')
  t.same(seen, ['available', 'away', 'dnd', 'busy', 'available', 'ringing', 'busy', 'available', 'offline'])
  await until(
    () => group.resource?.status === 'offline',
    check => group.on('change', check),
  )
  t.match(
    group.resource,
    await watcher.presence(['support']).then(([resource]) => ({ version: resource?.version })),
  )
  t.notOk(
    group.resource?.accounts?.some(entry => 'devices' in entry),
    'devices are shown by right',
  )
})

t.test('tenants never meet: the same names, other people', async t => {
  const world = await startHub(t, configOf(support))
  const here = await world.phone('alice')
  const there = await world.phone('alice', 'phone', { tenant: 'other' })
  const stranger = await world.api('gateway', ['call:inbound', 'admin'], 'other')
  const { call } = await (await world.api()).place({ to: 'alice', from: 'x' })
  const invited = await here.invited()
  t.same(there.invites, [])
  const notFound = await stranger.call(call).catch(error => error)
  t.match(notFound, { code: 'not-found' })
  t.same(
    { ...(await stranger.call('nothing').catch(error => error)) },
    { ...notFound },
    'not yours and not there are the same',
  )
  await t.rejects(there.softphone.request('accept', { call }), { code: 'call-gone' })
  t.match(await stranger.presence('support'), { counts: { available: 1, ringing: 0, offline: 2 } })
  await invited.reject()
})
