import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Bounds } from '../../src/limits/index.js'
import type { CallId, Resource, TenantId } from '../../src/protocol/index.js'
import { type Member, pick } from '../../src/router/pick/index.js'
import { Sides } from '../../src/router/sides.js'
import { Timeline } from '../../src/router/timeline.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { acme, newRoom, type Room } from '../support/room.js'

const timelineOf = (room: Room, call: CallId) => room.router.get(acme, call)!.timeline

/** A voice application: answers each path with its document. */
const application = async (t: Test, documents: Record<string, string>) => {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const document = documents[(request.url ?? '').split('?')[0] ?? '']
    if (document === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': 'text/xml' }).end(document)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** Lets a call run until it is settled, real sockets and all. */
const over = async (room: Room, call: CallId) => {
  for (;;) {
    await room.clock.settle()
    const view = room.router.get(acme, call)
    if (view?.state === 'ended' || view?.state === 'ringing') return view
    await new Promise(resolve => setImmediate(resolve))
  }
}

const local = { fetch: { allowPrivate: true } }

t.test("[C5] a route's document is fetched over HTTP and followed verb by verb", async t => {
  const { url, asked } = await application(t, {
    '/in':
      '<Response><Say>Hello</Say><Dial timeout="5"><Client>alice</Client></Dial><Redirect>next?x=1</Redirect></Response>',
    '/next': '<Response><Dial><Client>bob</Client></Dial></Response>',
  })
  const room = newRoom({ routes: [{ to: '+1555*', instructions: `${url}/in` }], authToken: 'token' }, local)
  const alice = room.phone('alice')
  const bob = room.phone('bob')
  const { call } = await room.call('+15550100')
  await over(room, call)
  t.same(alice.heard, ['invite'])
  await room.clock.settle(5010)
  while (bob.heard.length === 0) await room.clock.settle()
  t.same(alice.heard, ['invite', 'cancel timeout'])
  t.same(asked, ['POST /in', 'POST /next?x=1'])
  t.same(
    timelineOf(room, call).map(({ event }) => event),
    [
      'received',
      'route',
      'instructions',
      'warning',
      'dial',
      'picked',
      'offered',
      'ringing',
      'timed-out',
      'dialled',
      'redirect',
      'instructions',
      'dial',
      'picked',
      'offered',
      'ringing',
    ],
  )
  t.notMatch(JSON.stringify(timelineOf(room, call)), /x=1/, 'no query in the timeline: it may hold secrets')
  t.ok(bob.reject(call))
  t.equal((await over(room, call)).reason, 'rejected')
  await room.close()
})

t.test('instructions that cannot be had end the call failed, and the timeline says why of each', async t => {
  const { url } = await application(t, { '/broken': '<Response><Dance/></Response>' })
  const room = newRoom(
    { routes: [{ to: 'x', instructions: { url: `${url}/missing`, fallbackUrl: `${url}/broken` } }] },
    local,
  )
  const { call, caller } = await room.call('x')
  t.match(await over(room, call), { reason: 'failed', message: /404.*Dance/s })
  t.equal(timelineOf(room, call).filter(({ event }) => event === 'instructions-refused').length, 2)
  t.match(caller.frames.at(-1), { type: 'ended', reason: 'failed' })
  await room.close()
})

t.test('a document that nobody was asked for is told as cached', async t => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url === '/in') response.writeHead(303, { location: '/document' }).end()
    else {
      response.writeHead(200, { 'content-type': 'text/xml', 'cache-control': 'max-age=60' })
      response.end('<Response><Reject/></Response>')
    }
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const room = newRoom({ routes: [{ to: 'x', instructions: `http://127.0.0.1:${port}/in` }] }, local)
  for (const cached of [undefined, true]) {
    const { call } = await room.call('x')
    t.equal((await over(room, call)).reason, 'rejected')
    t.equal(timelineOf(room, call).find(({ event }) => event === 'instructions')?.cached, cached)
  }
  t.same(asked, ['POST /in', 'GET /document', 'POST /in'])
  await room.close()
})

t.test('[FX4] a loop of redirects ends the call', async t => {
  const { url, asked } = await application(t, { '/loop': '<Response><Redirect>/loop</Redirect></Response>' })
  const room = newRoom({ routes: [{ to: 'x', instructions: `${url}/loop` }] }, local)
  const { call } = await room.call('x')
  t.match(await over(room, call), { reason: 'failed', message: /more than 20 times/ })
  t.equal(asked.length, 20)
  await room.close()
})

t.test('Redirect in a document without an address needs a whole one', async t => {
  const room = newRoom()
  const { call } = await room.call('x', {
    instructions: { twiml: '<Response><Redirect>next</Redirect></Response>' },
  })
  t.match(await over(room, call), { reason: 'failed', message: /Redirect: must be an absolute URL/ })
})

t.test('Reject, Hangup, Pause and the end of a document', async t => {
  const room = newRoom()
  const ends = async (steps: object[]) => {
    const { call } = await room.call('x', { instructions: { steps } })
    return (await over(room, call)).reason
  }
  t.equal(await ends([{ reject: {} }]), 'rejected')
  t.equal(await ends([{ reject: { reason: 'busy' } }]), 'busy')
  t.equal(await ends([{ hangup: {} }]), 'unavailable')
  t.equal(await ends([]), 'unavailable')
  t.equal(await ends([{ dial: { to: 'nobody' } }, { hangup: {} }]), 'unavailable')

  room.phone('alice')
  const waiting = await room.call('x', {
    instructions: { steps: [{ pause: { ms: 2000 } }, { dial: { to: 'alice' } }] },
  })
  t.equal(room.router.get(acme, waiting.call)?.state, 'planning')
  await room.clock.settle(2010)
  t.equal(room.router.get(acme, waiting.call)?.state, 'ringing')
  room.router.hangup(waiting.caller.request.caller, waiting.call)

  const given = await room.call('x', {
    instructions: { steps: [{ pause: { ms: 2000 } }, { dial: { to: 'alice' } }] },
  })
  room.router.hangup(given.caller.request.caller, given.call)
  await room.clock.settle(2010)
  t.same(
    timelineOf(room, given.call).map(({ event }) => event),
    ['received', 'instructions', 'pause', 'ended'],
  )
})

t.test('a pause that is over leaves nothing behind, however many there are', async t => {
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const room = newRoom()
  const { call } = await room.call('x', { instructions: { steps: Array(20).fill({ pause: { ms: 10 } }) } })
  for (let pause = 0; pause < 20; pause++) await room.clock.settle(15)
  t.equal(room.router.get(acme, call)?.state, 'ended')
  t.same(warnings, [])
})

t.test('instructions that come with a call are checked before it is taken', async t => {
  const room = newRoom()
  await t.rejects(room.call('x', { instructions: { steps: [{ dial: {} }, { dance: {} }] } }), {
    message: /invalid: instructions.*; instructions/,
  })
  await t.rejects(room.call('x', { instructions: { file: '/etc/passwd' } }), { message: /invalid/ })
  t.equal(room.router.counts.placed, 0)
})

t.test('a route that cannot be read is a fault of the configuration', async t => {
  t.throws(() => newRoom({ routes: [{ to: 'x', instructions: { steps: [{ dance: {} }] } }] }), {
    message: /tenants\.acme\.routes\[0\]\.instructions/,
  })
})

const entry = (account: string, facts: object = {}, routing: object = {}, devices: object[] = [{}]) =>
  ({
    account,
    status: 'available',
    ...facts,
    routing: {
      canReceive: true,
      freeCapacity: 1,
      calls: 0,
      lastCallEndedAt: null,
      notBefore: null,
      ...routing,
    },
    devices: devices.map((device, index) => ({
      device: `d${index}`,
      status: 'available',
      canReceive: true,
      rank: 0,
      ...device,
    })),
  }) as unknown as NonNullable<Resource['accounts']>[number]

const member = { tier: 1, weight: 1, skills: [] }
const policy = {
  strategy: 'longest-idle' as const,
  members: new Map<never, Member>(),
  skills: [],
  rung: new Set<never>(),
  now: 1000,
  random: () => 0,
  turns: new Map<never, number>(),
}
const picked = (accounts: ReturnType<typeof entry>[], more: object = {}) =>
  pick({ accounts } as unknown as Resource, { ...policy, ...more })

t.test(
  'pick: order by tier, live before lingering before suspect, then longest idle; ties keep the order',
  async t => {
    const at = (ms: number) => ({ lastCallEndedAt: new Date(ms).toISOString() })
    const { candidates } = picked(
      [
        entry('tier-2', {}, at(1)),
        entry('suspect', {}, at(1), [{ rank: 2 }]),
        entry('lingering', {}, at(1), [{ rank: 1 }]),
        entry('later', {}, at(20)),
        entry('earlier', {}, at(10)),
        entry('never-1'),
        entry('never-2'),
      ],
      { members: new Map([['tier-2', { ...member, tier: 2 }]]) },
    )
    t.same(
      candidates.map(({ account }) => account),
      ['never-1', 'never-2', 'earlier', 'later', 'lingering', 'suspect', 'tier-2'],
    )
  },
)

t.test('pick: says why each other account is not rung', async t => {
  const able = ['dnd', 'away', 'busy', 'ringing', 'full', 'no-right', 'no-device', 'cooling', 'cooled']
  const { candidates, skipped } = picked(
    [
      entry('offline', { status: 'offline' }),
      entry('dnd', { status: 'dnd' }),
      entry('away', { status: 'away' }),
      entry('busy', { status: 'busy' }),
      entry('ringing', { status: 'ringing' }),
      entry('full', {}, { freeCapacity: 0 }),
      entry('no-right', {}, { canReceive: false }),
      entry('no-device', {}, {}, [{ canReceive: false }, { status: 'dnd' }]),
      entry('cooling', {}, { notBefore: new Date(2000).toISOString() }),
      entry('cooled', {}, { notBefore: new Date(500).toISOString() }),
      entry('me'),
      entry('rung'),
      entry('trainee', { status: 'busy' }),
      entry('trainee-gone', { status: 'offline' }),
      entry('german', { status: 'busy' }),
      entry('joined'),
    ],
    {
      caller: 'me',
      rung: new Set(['rung']),
      skills: ['fr'],
      members: new Map<string, Member>([
        ...able.map(name => [name, { ...member, skills: ['de', 'fr'] as string[] }] as const),
        ['trainee', { ...member, skills: ['fr'], paused: 'training' }],
        ['trainee-gone', { ...member, skills: ['fr'], paused: 'training' }],
        ['german', { ...member, skills: ['de'] }],
      ]),
    },
  )
  t.same(
    candidates.map(({ account }) => account),
    ['cooled'],
  )
  t.same(
    skipped.map(({ reason }) => reason),
    [
      'offline',
      'dnd',
      'away',
      'busy',
      'ringing',
      'no-capacity',
      'cannot-receive',
      'cannot-receive',
      'cooling-down',
      'is-the-caller',
      'rung-already',
      'paused',
      'offline',
      'lacks-skill',
      'lacks-skill',
    ],
  )
  t.match(
    skipped.filter(({ note }) => note !== undefined),
    [{ account: 'trainee', reason: 'paused', note: 'training' }],
  )
})

t.test('pick: at most ten devices of a person, the live ones first', async t => {
  const devices = Array.from({ length: 12 }, (_, index) => ({ rank: index === 11 ? 0 : 1 }))
  const [candidate] = picked([entry('alice', {}, {}, devices)]).candidates
  t.equal(candidate?.devices.length, 10)
  t.equal(candidate?.devices[0]?.device, 'd11')
  t.same(pick({} as Resource, policy), { candidates: [], skipped: [] })
})

t.test("[FC1] a timeline's stamps never go back, and it is bounded", async t => {
  let wall = 5000
  const clock = { ...new VirtualClock(), wall: () => wall } as unknown as VirtualClock
  const timeline = new Timeline(clock, new Bounds())
  timeline.add('one')
  wall = 1000
  timeline.add('two')
  t.same(new Set(timeline.lines.map(({ at }) => at)).size, 1)
  for (let line = 0; line < 2000; line++) timeline.add('more')
  t.equal(timeline.lines.length, 1001)
  t.equal(timeline.lines.at(-1)?.event, 'cut')
  const members = Array.from({ length: 300 }, (_, index) => ({
    account: `a${index}` as never,
    reason: 'offline' as const,
  })) as never
  const short = new Timeline(new VirtualClock(), new Bounds())
  short.addSkipped('support', members)
  t.match(short.lines, [{ reason: 'offline', count: 300 }])
  t.equal((short.lines[0]!.accounts as string[]).length, 100)
})

t.test('sides that are in no call are in none', async t => {
  const sides = new Sides()
  const side = { account: 'x', send() {} } as never
  sides.remove(side, {} as never)
  t.same(sides.of(side), [])
})

t.test('[U1] an explanation says who would be rung, in order, and why each other would not', async t => {
  const { url, asked } = await application(t, {
    '/in': '<Response><Dial><Client>support</Client></Dial></Response>',
  })
  const room = newRoom(
    {
      groups: {
        support: { members: ['alice', 'bob', 'carol', { account: 'dave', tier: 2 }], ringTimeoutMs: 7000 },
      },
      authToken: 'token',
      routes: [
        { to: '+1555*', instructions: `${url}/in?key=1` },
        {
          to: 'both',
          instructions: { steps: [{ dial: { to: ['alice', 'nobody'], sequential: true } }, { hangup: {} }] },
        },
        { to: 'lost', instructions: `${url}/missing` },
      ],
    },
    local,
  )
  room.phone('alice', 'web')
  room.phone('alice', 'desk')
  room.phone('bob', 'phone', { status: 'away' })
  room.phone('dave')
  const explain = (to: string, fetch = false) => room.router.explain(acme, { to, from: 'x', fetch })
  t.match(await explain('support'), {
    ok: true,
    value: {
      to: 'support',
      route: undefined,
      instructions: 'the destination of that name',
      asked: true,
      verbs: ['dial'],
      dials: [
        {
          sequential: false,
          destinations: [
            {
              destination: 'support',
              kind: 'group',
              status: 'available',
              strategy: 'longest-idle',
              timeoutMs: 7000,
              order: [
                { account: 'alice', tier: 1, devices: ['web', 'desk'] },
                { account: 'dave', tier: 2, devices: ['phone'] },
              ],
              skipped: [
                { account: 'bob', reason: 'away' },
                { account: 'carol', reason: 'offline' },
              ],
            },
          ],
        },
      ],
    },
  })
  t.match(await explain('both'), {
    value: {
      route: 'both',
      verbs: ['dial', 'hangup'],
      dials: [
        { sequential: true, destinations: [{ destination: 'alice' }, { destination: 'nobody', order: [] }] },
      ],
    },
  })
  t.same(await explain('+15550100'), {
    ok: true,
    value: {
      to: '+15550100',
      route: '+1555*',
      instructions: `${url}/in`,
      asked: false,
      verbs: [],
      dials: [],
      queues: [],
      warnings: [],
    },
  })
  t.same(asked, [], 'a URL is named, and not asked')
  t.match(await explain('+15550100', true), {
    value: { asked: true, dials: [{ destinations: [{ destination: 'support' }] }] },
  })
  t.equal(asked.length, 1)
  t.match(await explain('lost', true), { ok: false, code: 'conflict', message: /404/ })
  t.match(await explain('nowhere'), { ok: false, code: 'not-found' })
  t.match(await room.router.explain('other' as TenantId, { to: 'x', from: 'y', fetch: false }), {
    code: 'not-found',
  })
  t.equal(
    room.presence.resource(acme, 'alice' as never, { view: 'full', devices: false }).status,
    'available',
  )
  t.equal(room.router.counts.placed, 0)
  await room.close()
})
