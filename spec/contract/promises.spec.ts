// What users suffer from elsewhere, and what is promised here: each promise by its id, over real sockets and real
// HTTP, with the SDK. Where time passes it is virtual, and moves only as fast as everyone alive answers.

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import {
  type Call,
  type HubApi,
  type Resource,
  type Self,
  Softphone,
  type Welcome,
} from '../../src/client/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { chanceOf } from '../support/chance.js'
import { configOf, type Phone, secret, startHub, tokenOf, until, type World } from '../support/hub.js'
import { virtualTimers } from '../support/scripted-hub.js'
import { createTerminal } from '../support/terminal.js'

const support = { groups: { support: { members: ['alice', 'bob', 'carol'] } } }
const seesAll = ['presence:read', 'presence:devices', 'presence:route', 'presence:write']
const callers = ['call:inbound', 'call:explain']

/** A hub, and everyone's time, on one clock that is the wall's when it starts. */
const startTimed = async (t: Test, tenant: object = support, rest: object = {}) => {
  const clock = new VirtualClock(Date.now())
  const world = await startHub(t, configOf(tenant, rest), { clock })
  return { clock, world, timers: virtualTimers(clock) }
}

/** All that the hub has sent to it so far is here. */
const heard = (softphone: Softphone): Promise<unknown> => softphone.request('ping', {})

/** Lets time go by while these give signs of life. */
const pass = async (clock: VirtualClock, ms: number, alive: readonly Softphone[]): Promise<void> => {
  for (let left = ms; left > 0; left -= 500) {
    await clock.settle(Math.min(500, left))
    await Promise.all(alive.map(heard))
  }
}

/** All that has changed so far is there to be seen: what gathers has gone out. */
const seen = async (clock: VirtualClock, watcher: Softphone): Promise<void> => {
  await clock.settle(250)
  await heard(watcher)
}

/** Sockets that can be cut, or fall silent with all that is on its way. */
const cable = () => {
  const sockets: WebSocket[] = []
  class Cable extends WebSocket {
    constructor(...given: ConstructorParameters<typeof WebSocket>) {
      super(...given)
      sockets.push(this)
    }
  }
  return {
    WebSocket: Cable as never,
    sockets,
    cut: () => sockets.at(-1)?.terminate(),
    freeze: () => sockets.at(-1)?.pause(),
    thaw: () => sockets.at(-1)?.resume(),
  }
}

/** Loses the connection by `lose`; settles with the next welcome. */
const online = (softphone: Softphone, lose: () => void): Promise<Welcome> =>
  new Promise(resolve => {
    const stop = softphone.on('connection', connection => {
      if (connection.state !== 'online') return
      stop()
      resolve(connection.welcome)
    })
    lose()
  })

/** One of the hub's metrics. */
const metric = async ({ listening }: World, name: string): Promise<number> => {
  const text = await (await fetch(`${listening.url}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find(each => each.startsWith(`switchhook_${name} `))
      ?.split(' ')[1],
  )
}

const eventsOf = async (api: HubApi, call: string, event: string) =>
  (await api.call(call)).timeline?.filter(entry => entry.event === event) ?? []

/** What a watcher of this destination has seen so far, as the statuses it was in. */
const statusesOf = async (world: World, destination: string) => {
  const watcher = await world.visitor('watcher', seesAll)
  const watch = watcher.subscribe(destination)
  const statuses: string[] = []
  await watch.ready
  watch.on('change', ({ status }) => status !== statuses.at(-1) && statuses.push(status))
  return { watcher, watch, statuses }
}

t.test(
  '[U1] a phone knows what the hub believes of it; one that does not confirm ringing is passed over, and the record says so',
  async t => {
    const { clock, world, timers } = await startTimed(t)
    const selves: Self[] = []
    const alice = await world.phone('alice', 'web', { confirmRinging: false, timers })
    alice.softphone.on('self', self => selves.push(self))
    const bob = await world.phone('bob', 'desk', { timers })
    const carol = await world.phone('carol', 'desk', { timers, scopes: ['presence:register'] })
    t.match(alice.softphone.connection, { welcome: { device: 'web', canReceive: true, groups: ['support'] } })
    t.match(carol.softphone.connection, {
      welcome: { device: 'desk', canReceive: false, groups: ['support'] },
    })
    await heard(carol.softphone)
    t.match(carol.softphone.self, { groups: ['support'], devices: [{ device: 'desk', canReceive: false }] })
    const deaf = await world.phone('alice', 'deaf', { timers, scopes: ['presence:read'] })
    t.match(deaf.softphone.connection, { welcome: { device: null, canReceive: false } }, 'not registered')

    const api = await world.api('gateway', callers)
    t.match(await api.explain({ to: 'support' }), {
      dials: [
        {
          destinations: [
            {
              order: [{ account: 'alice' }, { account: 'bob' }],
              skipped: [{ account: 'carol', reason: 'cannot-receive' }],
            },
          ],
        },
      ],
    })
    const { call } = await api.place({ to: 'support', from: 'x' })
    await alice.invited()
    await pass(clock, 3_250, [alice.softphone, bob.softphone, carol.softphone])
    const atBob = await bob.invited()
    t.equal(atBob.id, call)
    t.match(await eventsOf(api, call, 'suspect'), [{ account: 'alice', device: 'web' }])
    t.match(await eventsOf(api, call, 'not-rung'), [{ accounts: ['carol'], reason: 'cannot-receive' }])
    await atBob.accept()
    t.match(await alice.invites[0]?.over, {
      reason: 'answered-elsewhere',
      by: { account: 'bob', device: 'desk' },
    })

    // Other rights, and other groups after a reload, are told without asking.
    await alice.softphone.request('token', {
      token: await tokenOf('alice', { scopes: ['presence:register'] }),
    })
    await heard(alice.softphone)
    t.match(selves.at(-1), { groups: ['support'], devices: [{ canReceive: false }] })
    await world.hub.reload(configOf({ groups: { sales: { members: ['alice'] } } }))
    await heard(alice.softphone)
    t.match(selves.at(-1), { groups: ['sales'] })
  },
)

t.test(
  '[U2] after sleep, whatever comes first: a fresh token, the session taken up, what was asked meanwhile in order',
  async t => {
    const world = await startHub(t, configOf(support))
    const line = cable()
    const tokens = [await tokenOf('alice'), `${await tokenOf('alice')}x`, await tokenOf('alice')]
    const alice = await world.phone('alice', 'web', {
      random: () => 0,
      WebSocket: line.WebSocket,
      token: async () => String(tokens.shift()),
    })
    const api = await world.api()
    const { call } = await api.place({ to: 'alice', from: 'x' })
    const invited = await alice.invited()

    // The connection is lost; the hub refuses the session's token on its return, so that a first new one is bad.
    line.cut()
    await until(
      () => alice.softphone.connection.state === 'reconnecting',
      check => alice.softphone.on('connection', check),
    )
    const order: string[] = []
    const asked = [
      alice.softphone.status({ status: 'away' }).then(() => order.push('away')),
      invited.accept().then(() => order.push('accept')),
      alice.softphone.presence(['support']).then(([resource]) => order.push(String(resource?.status))),
      alice.softphone.status({ status: 'available' }).then(() => order.push('available')),
    ]
    await Promise.all(asked)
    t.same(order, ['away', 'accept', 'busy', 'available'])
    t.match(alice.softphone.connection, { welcome: { resumed: true } })
    t.match(await api.call(call), { state: 'connected', by: { account: 'alice', device: 'web' } })

    const late = new Softphone({
      url: world.listening.url,
      device: 'web',
      WebSocket: WebSocket as never,
      random: () => 0,
      token: async () => String(tokens.shift()),
    })
    t.teardown(() => late.close())
    late.on('error', () => {})
    t.match(
      await late.connect(),
      { account: 'alice' },
      'a token that was refused is replaced, not given up on',
    )
    t.same(tokens, [])
  },
)

t.test(
  '[U3] a token ends without cutting a call: renewed in place, or kept until the call is over',
  async t => {
    const { clock, world, timers } = await startTimed(t, {})
    const fresh = { expiresInSeconds: 86_400 }
    const short = await tokenOf('alice', { expiresInSeconds: 120 })
    const renewed = [short, await tokenOf('alice', fresh)]
    const alice = await world.phone('alice', 'web', { timers, token: async () => String(renewed.shift()) })
    const bob = await world.phone('bob', 'web', { timers, expiresInSeconds: 120 })
    const alive = [alice.softphone, bob.softphone]
    const api = await world.api()
    for (const phone of [alice, bob]) {
      await api.place({ to: phone.account, from: 'x' })
      await (await phone.invited()).accept()
    }
    await pass(clock, 59_000, alive)
    t.equal(renewed.length, 1)
    await pass(clock, 2_000, alive)
    t.equal(renewed.length, 0, 'asked for a minute before the end')
    await pass(clock, 70_000, alive)
    t.same(
      [alice, bob].map(({ softphone }) => [softphone.connection.state, softphone.calls[0]?.state]),
      [
        ['online', 'connected'],
        ['online', 'connected'],
      ],
      'both talk on',
    )
    await t.rejects(bob.softphone.place({ to: 'alice' }), { code: 'unauthorized' }, 'and begin nothing new')
    await bob.softphone.calls[0]?.hangup()
    await clock.settle(10)
    await until(
      () => bob.softphone.connection.state === 'closed',
      check => bob.softphone.on('connection', check),
    )
    t.match(bob.softphone.connection, { code: 4401 })
    t.equal(alice.softphone.calls[0]?.state, 'connected')
  },
)

t.test('[U4] every device that was rung hears in one last word why it is over, and by whom', async t => {
  const { clock, world, timers } = await startTimed(t, {
    ...support,
    routes: [
      {
        to: '+1',
        instructions: { steps: [{ dial: { to: ['support'], strategy: 'all', timeoutMs: 5000 } }] },
      },
    ],
  })
  const phones = await Promise.all([
    world.phone('alice', 'web', { timers }),
    world.phone('alice', 'mobile', { timers }),
    world.phone('bob', 'desk', { timers }),
  ])
  const [web, mobile, desk] = phones
  const api = await world.api()
  const words: { phone: Phone; type: string; frame: object }[] = []
  for (const phone of phones) {
    phone.softphone.on('invite', call => {
      for (const type of ['cancel', 'ended'] as const)
        call.on(type, frame => words.push({ phone, type, frame }))
    })
  }
  /** Rings all, lets `act` end it, and says what each of the others was told. */
  const ending = async (act: (calls: readonly Call[], id: string) => Promise<unknown>) => {
    words.length = 0
    const { call } = await api.place({ to: '+1', from: 'x' })
    const calls = await Promise.all(phones.map(phone => phone.invited()))
    await act(calls, call)
    const ends = await Promise.all(calls.map(each => each.over))
    await Promise.all(phones.map(({ softphone }) => heard(softphone)))
    await api.hangup(call).catch(() => {})
    await Promise.all(phones.map(({ softphone }) => heard(softphone)))
    t.equal(words.length, 3, 'one last word each')
    return ends
  }
  const by = (phone: Phone) => ({ account: phone.account, device: phone.device })

  const answered = await ending(async ([, second], id) => {
    await second?.accept()
    await Promise.all([web, desk].map(({ softphone }) => heard(softphone)))
    await api.hangup(id)
  })
  t.match(answered, [
    { reason: 'answered-elsewhere', by: by(mobile) },
    { reason: 'completed' },
    { reason: 'answered-elsewhere', by: by(mobile) },
  ])
  const rejected = await ending(async ([first, second, third]) => {
    await third?.reject()
    await first?.reject()
    await second?.reject('busy')
  })
  t.match(rejected, [
    { reason: 'rejected-elsewhere', by: by(mobile) },
    { reason: 'rejected-elsewhere', by: by(mobile) },
    { reason: 'rejected-elsewhere', by: by(desk) },
  ])
  const canceled = await ending((_, id) => api.hangup(id))
  t.same(
    canceled.map(({ reason, by }) => [reason, by]),
    Array(3).fill(['caller-canceled', undefined]),
  )
  const missed = await ending(() =>
    pass(
      clock,
      5_250,
      phones.map(({ softphone }) => softphone),
    ),
  )
  t.same(
    missed.map(({ reason }) => reason),
    Array(3).fill('timeout'),
  )
  await pass(
    clock,
    10_000,
    phones.map(({ softphone }) => softphone),
  )
  words.length = 0
  await api.place({ to: '+1', from: 'x' })
  const last = await Promise.all(phones.map(phone => phone.invited()))
  await world.hub.close()
  t.same(
    (await Promise.all(last.map(call => call.over))).map(({ reason }) => reason),
    Array(3).fill('failed'),
  )
  t.equal(words.length, 3)
})

t.test(
  '[U5] tabs of one person are offered a call once, with one outcome, and end each for itself',
  async t => {
    const { clock, world, timers } = await startTimed(t)
    const { watcher, statuses } = await statusesOf(world, 'alice')
    const tabs = await Promise.all(['one', 'two', 'three'].map(tab => world.phone('alice', tab, { timers })))
    const [one, two, three] = tabs as [Phone, Phone, Phone]
    const alive = [watcher, ...tabs.map(({ softphone }) => softphone)]
    const api = await world.api('gateway', callers)
    const routing = async () =>
      (await watcher.presence(['alice'], { view: 'routing' }))[0]?.accounts?.[0]?.routing

    const { call: missed } = await api.place({ to: 'support', from: 'x' })
    const rung = await Promise.all(tabs.map(tab => tab.invited()))
    await pass(clock, 12_500, alive)
    t.same(
      (await Promise.all(rung.map(call => call.over))).map(({ reason }) => reason),
      Array(3).fill('timeout'),
    )
    t.match(await routing(), { missedInARow: 1 }, 'one call was missed, not three')
    t.match(await api.call(missed), { reason: 'no-answer' })

    const { call } = await api.place({ to: 'alice', from: 'x' })
    const [atOne, atTwo, atThree] = await Promise.all(tabs.map(tab => tab.invited()))
    await seen(clock, watcher)
    await two.softphone.close()
    await three.softphone.status({ status: 'away' })
    t.match(
      [atOne?.state, atThree?.state],
      ['ringing', 'ringing'],
      'a tab that is closed takes its own ringing along',
    )
    t.match(await atTwo?.over, { reason: 'failed' })
    await atOne?.accept()
    t.match(await atThree?.over, { reason: 'answered-elsewhere', by: { account: 'alice', device: 'one' } })
    await three.softphone.close()
    await heard(one.softphone)
    t.equal(atOne?.state, 'connected')
    t.match(await api.call(call), { state: 'connected' })
    t.match(
      tabs.map(({ invites }) => invites.length),
      [2, 2, 2],
    )
    await seen(clock, watcher)
    t.same(statuses, ['available', 'ringing', 'available', 'ringing', 'busy'], 'others see one person')
  },
)

t.test(
  "[U6] a device's reject is its own: the others ring on, until none is left; so it is documented",
  async t => {
    const world = await startHub(t, configOf(support))
    const [web, mobile, bob] = [
      await world.phone('alice', 'web'),
      await world.phone('alice', 'mobile'),
      await world.phone('bob'),
    ]
    const api = await world.api('gateway', callers)
    const first = await api.place({ to: 'support', from: 'x' })
    const [atWeb, atMobile] = await Promise.all([web.invited(), mobile.invited()])
    await atWeb.reject()
    await heard(mobile.softphone)
    t.match([atWeb.state, atMobile.state], ['declined', 'ringing'])
    t.same(bob.invites, [], 'and the person has not refused')
    await atMobile.accept()
    t.match(await atWeb.over, { reason: 'answered-elsewhere', by: { device: 'mobile' } })
    await api.hangup(first.call)

    await bob.softphone.status({ status: 'away' })
    const { call } = await api.place({ to: 'support', from: 'x' })
    const again = await Promise.all([web.invited(), mobile.invited()])
    for (const each of again) await each.reject()
    await Promise.all(again.map(each => each.over))
    t.match(await api.call(call), { reason: 'rejected' })
    const routing = readFileSync('docs/routing.md', 'utf8').replace(/\s+/g, ' ')
    t.match(routing, 'A device that rejects a call stops ringing alone')
    t.match(routing, 'at most ten')
  },
)

t.test(
  '[U7] who is on a call is not rung, whatever their devices are, and the caller is told busy',
  async t => {
    const world = await startHub(t)
    const [web, mobile] = [await world.phone('alice', 'web'), await world.phone('alice', 'mobile')]
    const api = await world.api('gateway', callers)
    const gateway = await world.visitor('trunk', ['call:inbound'])
    const first = await api.place({ to: 'alice', from: 'x' })
    await Promise.all([web.invited(), mobile.invited()])
    await web.invites[0]?.accept()

    t.match(await api.explain({ to: 'alice' }), {
      dials: [
        { destinations: [{ status: 'busy', order: [], skipped: [{ account: 'alice', reason: 'busy' }] }] },
      ],
    })
    const second = await gateway.place({ to: 'alice', from: 'y' })
    t.match(await second.over, { reason: 'busy' })
    const third = await api.place({ to: 'alice', from: 'z' }, { waitMs: 10_000 })
    t.match(third, { state: 'ended', reason: 'busy' })
    t.match(await eventsOf(api, third.call, 'not-rung'), [{ accounts: ['alice'], reason: 'busy' }])
    await heard(mobile.softphone)
    t.same([web.invites.length, mobile.invites.length], [1, 1])

    // One that places a call is on one, too; and a device may say busy for itself.
    await api.hangup(first.call)
    const bob = await world.phone('bob')
    const outgoing = await web.softphone.place({ to: 'bob' })
    t.match(await (await gateway.place({ to: 'alice', from: 'y' })).over, { reason: 'busy' })
    await outgoing.hangup()
    const fourth = await gateway.place({ to: 'bob', from: 'y' })
    await bob.invited()
    await (await bob.invited()).reject('busy')
    t.match(await fourth.over, { reason: 'busy' })
  },
)

t.test(
  '[U8] a machine that is gone is dead within 25 s, offline 15 s later, and rung once at most meanwhile',
  async t => {
    const { clock, world, timers } = await startTimed(t)
    const { watcher, watch, statuses } = await statusesOf(world, 'alice')
    const line = cable()
    // Its time stands still, and so does its socket: a lid that was closed, a cable that was pulled.
    await world.phone('alice', 'laptop', {
      timers: virtualTimers(new VirtualClock(Date.now())),
      WebSocket: line.WebSocket,
    })
    const bob = await world.phone('bob', 'desk', { timers })
    const carol = await world.phone('carol', 'desk', { timers })
    const alive = [watcher, bob.softphone, carol.softphone]
    const api = await world.api('gateway', callers)
    const link = async () =>
      (await watcher.presence(['alice'], { view: 'routing' }))[0]?.accounts?.[0]?.devices?.map(
        ({ link }) => link,
      )
    line.freeze()
    const gone = clock.now()

    const first = await api.place({ to: 'support', from: 'x' })
    await pass(clock, 3_500, alive)
    const atBob = await bob.invited()
    await atBob.accept()
    t.match(await eventsOf(api, first.call, 'offered'), [{ account: 'alice' }, { account: 'bob' }])
    const second = await api.place({ to: 'support', from: 'x' })
    const atCarol = await carol.invited()
    t.equal(atCarol.id, second.call, 'someone else is asked from then on')
    await api.hangup(first.call)
    const third = await api.place({ to: 'support', from: 'x' })
    t.equal((await bob.invited()).id, third.call)
    for (const { call } of [second, third]) await api.hangup(call)

    await pass(clock, 25_250 - (clock.now() - gone), alive)
    t.same(await link(), ['lingering'])
    const fourth = await api.place({ to: 'support', from: 'x' })
    await Promise.race([bob.invited(), carol.invited()])
    await api.hangup(fourth.call)
    t.same(statuses.at(-1), 'available')
    await pass(clock, 15_250, alive)
    t.equal(watch.resource?.status, 'offline')
    t.same(await link(), [])
    t.ok(clock.now() - gone <= 41_000)
    for (const { call } of [first, second, third, fourth]) {
      const offers = (await eventsOf(api, call, 'offered')).filter(({ account }) => account === 'alice')
      t.equal(offers.length, call === first.call ? 1 : 0)
    }
    t.match(await api.explain({ to: 'alice' }), {
      dials: [{ destinations: [{ skipped: [{ reason: 'offline' }] }] }],
    })
    line.thaw()
  },
)

t.test(
  '[U10] of several tabs one is enough: closing, losing and replacing others takes nobody offline',
  async t => {
    const { clock, world, timers } = await startTimed(t)
    const { watcher, watch, statuses } = await statusesOf(world, 'support')
    const line = cable()
    const tabs = [
      await world.phone('alice', 'one', { timers }),
      await world.phone('alice', 'two', { timers, WebSocket: line.WebSocket, attempts: 0 }),
      await world.phone('alice', 'three', { timers }),
    ]
    await heard(watcher)
    await tabs[0]?.softphone.close()
    line.cut()
    await pass(clock, 16_000, [watcher, tabs[2]?.softphone as Softphone])
    t.same(
      watch.resource?.accounts
        ?.find(({ account }) => account === 'alice')
        ?.devices?.map(({ device }) => device),
      ['three'],
    )
    t.same(
      statuses.filter(status => status !== 'available'),
      [],
    )
    await tabs[2]?.softphone.close()
    await heard(watcher)
    t.equal(statuses.at(-1), 'offline', 'with the last one they are')
  },
)

t.test('[U11] a throttled tab and a flapping network are seen by nobody', async t => {
  const { clock, world } = await startTimed(t)
  const line = cable()
  // The timers of a tab in the background hardly run; its socket is the browser's, and answers pings.
  const alice = await world.phone('alice', 'tab', { timers: virtualTimers(new VirtualClock(Date.now())) })
  const bob = await world.phone('bob', 'train', { random: () => 0, WebSocket: line.WebSocket })
  const watchers = [await world.visitor('wall-1', seesAll), await world.visitor('wall-2', ['presence:read'])]
  const watches = watchers.map(watcher => watcher.subscribe('support'))
  await Promise.all(watches.map(({ ready }) => ready))
  const seen: Resource[] = []
  for (const watch of watches) watch.on('change', resource => seen.push(resource))

  await pass(clock, 120_000, [bob.softphone, ...watchers])
  const sessions = new Set<string>()
  for (let round = 0; round < 20; round++) {
    const back = online(bob.softphone, line.cut)
    const { session, resumed } = await back
    t.ok(resumed)
    sessions.add(session)
  }
  await Promise.all(watchers.map(heard))
  await clock.settle(1_000)
  await Promise.all(watchers.map(heard))
  t.same(seen, [])
  t.equal(sessions.size, 1)
  t.match(
    (await watchers[0]?.presence(['support'], { view: 'full' }))?.[0]?.accounts?.flatMap(
      ({ devices = [] }) => devices,
    ),
    [
      { device: 'tab', link: 'attached' },
      { device: 'train', link: 'attached' },
    ],
  )
  t.equal(alice.softphone.connection.state, 'online')
})

t.test('[U12] however a phone comes back it is there once, and rings once', async t => {
  const world = await startHub(t)
  const [resuming, forgetful] = [cable(), cable()]
  const phones = [
    {
      line: resuming,
      phone: await world.phone('alice', 'web', { random: () => 0, WebSocket: resuming.WebSocket }),
    },
    {
      line: forgetful,
      phone: await world.phone('alice', 'desk', {
        random: () => 0,
        WebSocket: forgetful.WebSocket,
        resume: false,
      }),
    },
  ]
  const watcher = await world.visitor('watcher', seesAll)
  const api = await world.api()
  for (let round = 1; round <= 10; round++) {
    for (const { line, phone } of phones) {
      const { resumed } = await online(phone.softphone, line.cut)
      t.equal(resumed, line === resuming)
    }
    const [alice] = await watcher.presence(['alice'])
    t.same(alice?.accounts?.[0]?.devices?.map(({ device }) => device).sort(), ['desk', 'web'])
    t.equal(await metric(world, 'devices'), 2)
    t.equal(await metric(world, 'sessions'), 3)
    const { call } = await api.place({ to: 'alice', from: 'x' })
    await Promise.all(phones.map(({ phone }) => phone.invited()))
    await api.hangup(call)
    t.same(
      phones.map(({ phone }) => phone.invites.length),
      [round, round],
    )
  }
})

t.test('[U13] a reload takes the place of the page before it at once, with what rings there', async t => {
  const { clock, world, timers } = await startTimed(t)
  const { watcher, statuses } = await statusesOf(world, 'alice')
  const line = cable()
  const before = await world.phone('alice', 'web', { timers, WebSocket: line.WebSocket })
  const api = await world.api('gateway', callers)
  const { call } = await api.place({ to: 'alice', from: '+1' })
  await before.invited()
  await seen(clock, watcher)
  // The page before is gone without a word, and its connection looks alive.
  line.freeze()
  const after = await world.phone('alice', 'web', { timers })
  const again = await after.invited()
  t.match(again, { id: call, from: '+1', state: 'ringing' })
  await again.accept()
  await seen(clock, watcher)
  t.match(await api.call(call), { state: 'connected', by: { device: 'web' } })
  line.thaw()
  await until(
    () => before.softphone.connection.state === 'closed',
    check => before.softphone.on('connection', check),
  )
  t.match(before.softphone.connection, { code: 4501 })
  await again.hangup()
  await seen(clock, watcher)
  const next = await api.place({ to: 'alice', from: '+2' })
  t.equal((await after.invited()).id, next.call)
  t.match(await eventsOf(api, next.call, 'offered'), [{ device: 'web' }])
  await seen(clock, watcher)
  await api.hangup(next.call)
  await seen(clock, watcher)
  t.same(statuses, ['available', 'ringing', 'busy', 'available', 'ringing', 'available'])
  t.equal(before.invites.length, 1)
  t.same(
    (await watcher.presence(['alice']))[0]?.accounts?.[0]?.devices?.map(({ device }) => device),
    ['web'],
  )
})

t.test(
  '[U14] a deploy spreads 500 phones over half its drain time, and all are at the next hub then',
  async t => {
    const clock = new VirtualClock(Date.now())
    const timers = virtualTimers(clock)
    const chance = chanceOf(14)
    const random = (): number => chance.below(2 ** 30) / 2 ** 30
    const [old, next] = [
      await startHub(t, configOf(), { clock, random }),
      await startHub(t, configOf(), { clock }),
    ]
    let current = old.listening.socket
    /** What stands before the hubs sends newcomers to the next. */
    class Balanced extends WebSocket {
      constructor(_url: string, ...rest: [string[], object]) {
        super(current, ...rest)
      }
    }
    const arrivals: number[] = []
    const phones: Softphone[] = []
    for (let number = 0; number < 500; number++) {
      const { softphone } = await old.phone(`agent-${number}`, 'desk', {
        timers,
        random,
        WebSocket: Balanced as never,
      })
      phones.push(softphone)
    }
    const talking = phones[0] as Softphone
    const api = await old.api()
    await api.place({ to: 'agent-0', from: 'x' })
    await talking.once('invite').then(call => call.accept())

    const began = clock.now()
    for (const phone of phones)
      phone.on('connection', ({ state }) => state === 'online' && arrivals.push(clock.now() - began))
    current = next.listening.socket
    const drained = old.hub.drain()
    await t.rejects(api.place({ to: 'agent-1', from: 'x' }), { code: 'draining' })
    await Promise.all(phones.map(heard))
    while (clock.now() - began < 16_000) {
      await clock.settle(50)
      const opening = phones.filter(({ connection }) => connection.state === 'connecting')
      await Promise.all(opening.map(phone => phone.connect()))
    }
    t.equal(arrivals.length, 499, 'all but the one who talks')
    const perSecond = Array.from(
      { length: 16 },
      (_, second) => arrivals.filter(at => Math.floor(at / 1000) === second).length,
    )
    t.comment(`arrivals per second: ${perSecond.join(' ')}`)
    t.ok(Math.max(...perSecond) <= 60, 'never twice the mean of 33 a second')
    t.ok(
      perSecond.slice(0, 15).every(count => count >= 15),
      'nor idle',
    )
    t.equal(await metric(next, 'devices'), 499)
    t.equal(talking.calls[0]?.state, 'connected')
    await talking.calls[0]?.hangup()
    await drained
    await clock.settle(1_000)
    await talking.connect()
    t.equal(await metric(next, 'devices'), 500)
  },
)

t.test('[U14] after a network failure 500 sessions are taken up again, each in its own time', async t => {
  const world = await startHub(t)
  const lines = await Promise.all(
    Array.from({ length: 500 }, async (_, number) => {
      const line = cable()
      const { softphone } = await world.phone(`agent-${number}`, 'desk', { WebSocket: line.WebSocket })
      return { ...line, softphone }
    }),
  )
  const waits: number[] = []
  for (const { softphone } of lines) {
    softphone.on('connection', connection => {
      if (connection.state === 'reconnecting' && connection.attempt === 1) waits.push(connection.inMs)
    })
  }
  const back = await Promise.all(lines.map(({ softphone, cut }) => online(softphone, cut)))
  t.ok(back.every(({ resumed }) => resumed))
  t.equal(await metric(world, 'sessions'), 500)
  t.ok(Math.max(...waits) < 500 && new Set(waits).size > 200, 'each waits its own time')
})

t.test(
  '[U15] what a room costs grows with its people, not with their square, and a summary with nothing',
  async t => {
    /** So many people who all watch the room and all change at once: frames and bytes that reach each of them. */
    const burst = async (size: number) => {
      const { clock, world, timers } = await startTimed(t, { groups: { room: { open: true } } })
      const people = await Promise.all(
        Array.from({ length: size }, async (_, number) => {
          const line = cable()
          const { softphone } = await world.phone(`person-${number}`, 'desk', {
            timers,
            WebSocket: line.WebSocket,
            groups: ['room'],
          })
          return { softphone, line, watch: softphone.subscribe('room') }
        }),
      )
      const wall = cable()
      const board = await world.phone('board', 'wall', {
        timers,
        WebSocket: wall.WebSocket,
        scopes: ['presence:read'],
      })
      const summary = board.softphone.subscribe('room', { view: 'summary' })
      await Promise.all([summary, ...people.map(({ watch }) => watch)].map(({ ready }) => ready))
      await clock.settle(500)
      const all = [board.softphone, ...people.map(({ softphone }) => softphone)]
      await Promise.all(all.map(heard))
      const counted = { frames: 0, bytes: 0 }
      const onBoard = { frames: 0, bytes: 0 }
      const countOn = (socket: WebSocket | undefined, into: typeof counted) =>
        socket?.on('message', data => {
          const text = String(data)
          if ((JSON.parse(text) as { type: string }).type !== 'presence') return
          into.frames += 1
          into.bytes += text.length
        })
      for (const { line } of people) countOn(line.sockets[0], counted)
      countOn(wall.sockets[0], onBoard)
      // Each changes its mind three times, and all at once.
      for (const status of ['away', 'busy', 'dnd'] as const) {
        await Promise.all(people.map(({ softphone }) => softphone.status({ status })))
      }
      await clock.settle(500)
      await Promise.all(all.map(heard))
      for (const { watch } of people) t.match(watch.resource, { counts: { dnd: size, available: 0 } })
      t.equal(summary.resource?.counts.dnd, size)
      return {
        framesEach: counted.frames / size,
        bytesPerChange: counted.bytes / size / (3 * size),
        board: onBoard,
      }
    }
    const [small, large] = [await burst(8), await burst(40)]
    t.comment(JSON.stringify({ small, large }))
    t.ok(large.framesEach <= 3, 'not one a change, which were 120')
    t.ok(large.framesEach <= small.framesEach + 1, 'and no more in a larger room')
    t.ok(large.bytesPerChange < 150, 'a change that another overtook is not told')
    t.ok(
      large.board.frames <= 3 && large.board.bytes <= 1.1 * small.board.bytes,
      'a summary costs the same for any size',
    )
  },
)

t.test('[U16] of every member of a group the record says whether it rang them, and if not why', async t => {
  const members = ['gone', 'quiet', 'out', 'talking', 'deaf', 'first', 'second', 'third']
  const world = await startHub(t, configOf({ groups: { support: { members } } }))
  const [quiet, out, talking, first, second, third] = await Promise.all(
    ['quiet', 'out', 'talking', 'first', 'second', 'third'].map(name => world.phone(name)),
  )
  const deaf = await world.phone('deaf', 'phone', { scopes: ['presence:register'] })
  const api = await world.api('gateway', callers)
  await quiet?.softphone.status({ status: 'dnd' })
  await out?.softphone.status({ status: 'away', for: 'account' })
  await api.place({ to: 'talking', from: 'x' })
  await (await talking?.invited())?.accept()

  const explained = await api.explain({ to: 'support' })
  t.match(explained.dials, [
    {
      destinations: [
        {
          order: [{ account: 'first' }, { account: 'second' }, { account: 'third' }],
          skipped: [
            { account: 'gone', reason: 'offline' },
            { account: 'quiet', reason: 'dnd' },
            { account: 'out', reason: 'away' },
            { account: 'talking', reason: 'busy' },
            { account: 'deaf', reason: 'cannot-receive' },
          ],
        },
      ],
    },
  ])

  const { call } = await api.place({ to: 'support', from: 'x' })
  await (await first?.invited())?.reject()
  await (await second?.invited())?.accept()
  await api.hangup(call)
  const skipped = await eventsOf(api, call, 'not-rung')
  const reasons = skipped.flatMap(({ reason, accounts }) =>
    (accounts as string[]).map(account => [account, reason]),
  )
  t.same(Object.fromEntries(reasons), {
    gone: 'offline',
    quiet: 'dnd',
    out: 'away',
    talking: 'busy',
    deaf: 'cannot-receive',
    third: 'not-reached',
  })
  t.match(await eventsOf(api, call, 'rejected'), [{ account: 'first', reason: 'declined' }])
  t.match(await eventsOf(api, call, 'answered'), [{ account: 'second' }])
  t.same((await api.call(call)).timeline?.at(-1)?.event, 'ended')
  t.same([third?.invites, deaf.invites], [[], []])
})

t.test(
  '[U17] "back at two" is more than text: it shows, routing goes by it, and it ends by itself',
  async t => {
    const { clock, world, timers } = await startTimed(t)
    const { watcher, watch } = await statusesOf(world, 'alice')
    const phones = [
      await world.phone('alice', 'web', { timers }),
      await world.phone('bob', 'desk', { timers }),
    ]
    const [alice, bob] = phones as [Phone, Phone]
    const alive = [watcher, alice.softphone, bob.softphone]
    const supervisor = await world.api('boss', ['presence:write'])
    const api = await world.api('gateway', callers)
    const inMs = (ms: number): string => new Date(clock.wall() + ms).toISOString()
    const rung = async (to: string): Promise<string | undefined> => {
      const { call } = await api.place({ to, from: 'x' })
      await Promise.all(alive.map(heard))
      const [offered] = await eventsOf(api, call, 'offered')
      await api.hangup(call).catch(() => {})
      return offered && String(offered.account)
    }

    const two = inMs(60_000)
    const later = inMs(120_000)
    await alice.softphone.status({ status: 'away', note: 'back at two', until: two })
    await bob.softphone.status({ status: 'dnd', for: 'account', until: later })
    await seen(clock, watcher)
    t.match(watch.resource?.accounts, [{ status: 'away', note: 'back at two', until: two }])
    t.match(bob.softphone.self, { override: 'dnd', until: later })
    t.equal(await rung('support'), undefined)
    t.match(await api.explain({ to: 'support' }), {
      dials: [
        {
          destinations: [
            {
              order: [],
              skipped: [{ account: 'alice', reason: 'away' }, { account: 'bob', reason: 'dnd' }, {}],
            },
          ],
        },
      ],
    })
    await pass(clock, 60_500, alive)
    t.match(watch.resource?.accounts, [{ status: 'available', until: null }])
    t.equal(await rung('support'), 'alice')
    await supervisor.setStatus('alice', { status: 'busy', until: inMs(100_000) })
    t.equal(await rung('support'), undefined)
    await pass(clock, 60_000, alive)
    t.equal(await rung('support'), 'bob', 'what he said for all his devices is over')
    await pass(clock, 41_000, alive)
    t.equal(await rung('alice'), 'alice')
    t.match(alice.softphone.self, { override: 'none', until: null })
  },
)

t.test(
  '[U18] every device of a person knows what the others and supervisors say, and what is going on',
  async t => {
    const world = await startHub(t)
    const tabs = await Promise.all(['one', 'two', 'three'].map(tab => world.phone('alice', tab)))
    const told = tabs.map(({ softphone }) => {
      const selves: Self[] = []
      softphone.on('self', self => selves.push(self))
      return selves
    })
    const [one, two, three] = tabs as [Phone, Phone, Phone]
    const boss = await world.api('boss', ['presence:write'])
    const api = await world.api()
    /** What all are told last is the same, and is this. */
    const agreed = async (wanted: object, what: string, among = tabs) => {
      await Promise.all(among.map(({ softphone }) => heard(softphone)))
      for (const { softphone } of among) {
        t.match(softphone.self, wanted, what)
        t.same(softphone.self, one.softphone.self)
      }
    }
    await agreed({ status: 'available', devices: [{}, {}, {}] }, 'at the start')
    const until = '2099-01-01T14:00:00.000Z'
    await two.softphone.status({ status: 'away', note: 'lunch', until, for: 'account' })
    await agreed(
      { status: 'away', override: 'away', note: 'lunch', until, by: 'alice' },
      'what one tab says for all',
    )
    await boss.setStatus('alice', { status: 'dnd' })
    await agreed({ status: 'dnd', override: 'dnd', by: 'boss', until: null }, 'what a supervisor says')
    await boss.setStatus('alice', { status: null })
    await three.softphone.status({ status: 'busy' })
    await agreed(
      { status: 'available', override: 'none', devices: [{}, {}, { device: 'three', status: 'busy' }] },
      'what one says of itself',
    )
    const { call } = await api.place({ to: 'alice', from: 'x' })
    const atTwo = await two.invited()
    await agreed({ activity: 'ringing' }, 'that it rings')
    await atTwo.accept()
    await agreed(
      { status: 'busy', activity: 'engaged', devices: [{ activity: 'idle' }, { activity: 'engaged' }, {}] },
      'who has the call',
    )
    await api.hangup(call)
    await agreed({ activity: 'free' }, 'that it is over')
    await two.softphone.close()
    await agreed({ devices: [{ device: 'one' }, { device: 'three' }] }, 'that one has left', [one, three])
    t.same(told[0]?.slice(-3), told[2]?.slice(-3))
  },
)

t.test('[U19] of all who accept one has the call, and nobody has two', async t => {
  const agents = Array.from({ length: 5 }, (_, number) => `agent-${number}`)
  const groups = {
    all: { members: agents, strategy: 'all' },
    one: { members: agents, strategy: 'longest-idle' },
  }
  const world = await startHub(t, configOf({ groups }))
  const api = await world.api('gateway', callers)
  const answered = new Map<string, string[]>()
  const talking = new Map<string, number>()
  const refusals: unknown[] = []
  let most = 0
  for (const agent of agents) {
    const { softphone } = await world.phone(agent, 'desk')
    softphone.on('invite', async call => {
      await call.accept().catch(({ code }) => refusals.push(code))
      if (!(await call.connected)) return
      answered.set(call.id, [...(answered.get(call.id) ?? []), agent])
      talking.set(agent, (talking.get(agent) ?? 0) + 1)
      most = Math.max(most, Number(talking.get(agent)))
      await heard(softphone)
      talking.set(agent, Number(talking.get(agent)) - 1)
      await call.hangup()
    })
  }
  for (const to of ['all', 'one', 'all', 'one']) {
    answered.clear()
    const views = await Promise.all(
      Array.from({ length: 25 }, () => api.place({ to, from: 'x' }, { waitMs: 20_000 })),
    )
    for (const { call, state, reason, by } of views) {
      const winners = answered.get(call) ?? []
      t.ok(winners.length <= 1, `${winners.length} have it`)
      if (reason === 'busy') t.same(winners, [])
      else t.match({ state, by }, { by: { account: /^agent-/ } })
      if (winners.length === 1) t.equal(by?.account, winners[0])
    }
    t.ok(
      views.some(({ reason }) => reason === 'busy') && views.some(({ by }) => by),
      'more calls than people',
    )
  }
  t.equal(most, 1)
  t.ok(refusals.every(code => code === 'call-gone'))
  t.ok(refusals.length > 0, 'and some were too late')
})

t.test(
  '[U20] inbound calls are tried without a number or a carrier: by command, and by plain HTTP',
  async t => {
    const world = await startHub(t, configOf({ groups: { support: { open: true } } }))
    const { url } = world.listening
    const alice = await world.phone('alice', 'web', { groups: ['support'] })
    alice.softphone.on('invite', call => call.accept())

    const token = await tokenOf('ci', { scopes: callers })
    const answer = await fetch(`${url}/v1/calls?waitMs=10000`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ to: 'support', from: '+15550199' }),
    })
    t.equal(answer.status, 201)
    t.match(await answer.json(), { state: 'connected', by: { account: 'alice', device: 'web' } })
    await alice.softphone.calls[0]?.hangup()

    const terminal = createTerminal({ env: { SWITCHHOOK_URL: url, SWITCHHOOK_TOKEN: token } })
    t.equal(await terminal.run('call', '--to', 'support', '--hangup-after', '1ms'), 0, terminal.stderr.text)
    await alice.softphone.close()
    const many = createTerminal({ env: { SWITCHHOOK_URL: url } })
    const script = [
      '--phones',
      '3',
      '--calls',
      '3',
      '--rate',
      '50',
      '--answer',
      '5ms',
      '--talk',
      '5ms',
      '--reject',
      '0%',
    ]
    t.equal(
      await many.run('simulate', ...script, '--tenant', 'acme', '--secret', secret),
      0,
      many.stderr.text,
    )
    t.match(many.stdout.text, /answered +3 +100\.0 %/)
  },
)
