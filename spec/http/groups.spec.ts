// The directory over HTTP: who may, what is to be said, guards, pages, and that what is answered outlasts the hub.

import t from 'tap'
import { type ok, refuse } from '../../src/errors.js'
import type { KeptGroup, Store } from '../../src/store/index.js'
import { type Answer, type Api, newApi } from '../support/http-api.js'

const tenant = {
  accounts: { carol: {} },
  groups: {
    support: { members: ['alice', { account: 'bob', tier: 2, skills: ['fr'] }], ringTimeoutMs: 9000 },
    lobby: { open: true },
  },
}

const asked = async (api: Api) => {
  const token = await api.token('root', ['admin'])
  return (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    api.ask(method, `/v1/groups${path}`, { token, headers, ...(body !== undefined && { body }) })
}

const said = ({ status, json }: Answer) => [status, json]
const etag = ({ headers }: Answer) => String(headers.get('etag'))

t.test(
  'a group is read as a configuration has it, with every value; what was read can be put back',
  async t => {
    const ask = await asked(await newApi(t, { tenant }))
    const read = await ask('GET', '/support')
    t.same(said(read), [
      200,
      {
        group: 'support',
        members: [
          { account: 'alice', tier: 1, weight: 1, skills: [] },
          { account: 'bob', tier: 2, weight: 1, skills: ['fr'] },
        ],
        strategy: 'longest-idle',
        tierDelayMs: 15_000,
        wrapupMs: 0,
        coolDownMs: { rejected: 0, busy: 0, missed: 10_000 },
        open: false,
        ringTimeoutMs: 9000,
        queue: { maxWaitMs: 3_600_000, maxLength: 100, serviceLevelMs: 20_000, leaveWhenEmpty: true },
        changed: false,
      },
    ])
    const put = await ask('PUT', '/support', read.json)
    t.same(said(put), [200, { ...read.json, changed: true }])
    t.not(etag(put), etag(read), 'that it was said at run time is part of it')
    t.equal(etag(await ask('GET', '/support')), etag(put))
    t.match(said(await ask('GET', '/nobody')), [404, { error: { code: 'not-found' } }])
  },
)

t.test('made, changed, removed and reset; one of the configuration comes back only so', async t => {
  const ask = await asked(await newApi(t, { tenant }))
  const made = await ask('PUT', '/night', { members: ['dave'], open: true })
  t.match(said(made), [201, { group: 'night', members: [{ account: 'dave', tier: 1 }], changed: true }])
  t.match(said(await ask('PUT', '/night', {})), [200, { members: [], open: false, ringTimeoutMs: 12_000 }])
  t.match(said(await ask('DELETE', '/night/changes')), [404, { error: { message: /configuration has no/ } }])
  t.equal((await ask('DELETE', '/night')).status, 204)
  t.equal((await ask('DELETE', '/night')).status, 404)

  t.match((await ask('PUT', '/support', { members: [] })).json, { members: [], changed: true })
  t.match((await ask('DELETE', '/support/changes')).json, { members: [{}, {}], changed: false })
  t.equal((await ask('DELETE', '/support')).status, 204)
  t.equal((await ask('GET', '/support')).status, 404)
  t.match(said(await ask('DELETE', '/support/changes')), [200, { group: 'support', changed: false }])
  t.match(said(await ask('DELETE', '/support/changes')), [200, { changed: false }], 'the same again')
  t.match(said(await ask('GET', '/support')), [200, { changed: false }])
})

t.test('members, one by one: put in, changed in their place, paused, taken out', async t => {
  const ask = await asked(await newApi(t, { tenant }))
  const names = async () =>
    (await ask('GET', '/support')).json.members.map((each: { account: string }) => each.account)
  const dave = { account: 'dave', tier: 3, weight: 2, skills: ['es'] }
  t.same(said(await ask('PUT', '/support/members/dave', { tier: 3, weight: 2, skills: ['es'] })), [201, dave])
  t.same(await names(), ['alice', 'bob', 'dave'])
  const alice = await ask('PUT', '/support/members/alice', { paused: 'lunch' })
  t.same(said(alice), [200, { account: 'alice', tier: 1, weight: 1, skills: [], paused: 'lunch' }])
  t.same(await names(), ['alice', 'bob', 'dave'], 'in the place that they had')
  const read = await ask('GET', '/support/members/alice')
  t.same([read.json, etag(read)], [alice.json, etag(alice)])
  t.match((await ask('PUT', '/support/members/alice', { ...read.json, paused: undefined })).json, { tier: 1 })
  t.notMatch((await ask('GET', '/support/members/alice')).json, { paused: 'lunch' })
  t.equal((await ask('DELETE', '/support/members/alice')).status, 204)
  t.same(await names(), ['bob', 'dave'])
  for (const [method, path] of [
    ['GET', '/support/members/alice'],
    ['DELETE', '/support/members/alice'],
    ['GET', '/nobody/members/alice'],
    ['PUT', '/nobody/members/alice'],
    ['DELETE', '/nobody/members/alice'],
  ] as const) {
    const answer = await ask(method, path, method === 'PUT' ? {} : undefined)
    t.match(said(answer), [404, { error: { code: 'not-found' } }], `${method} ${path}`)
  }
})

t.test('who is in an open group by their token is paused by being listed', async t => {
  const api = await newApi(t, { tenant })
  const ask = await asked(api)
  api.room.phone('erin', 'web', { groups: ['lobby'] })
  t.equal((await ask('GET', '/lobby/members/erin')).status, 404)
  t.equal((await ask('PUT', '/lobby/members/erin', { paused: 'new here' })).status, 201)
  const { caller } = await api.room.call('lobby')
  t.same(caller.heard.at(-1), 'ended unavailable')
})

t.test('guards: a change is made only while what was read is still so', async t => {
  const ask = await asked(await newApi(t, { tenant }))
  const [group, member] = [await ask('GET', '/support'), await ask('GET', '/support/members/bob')]
  const other = '"AAAAAAAAAAAAAAAAAAAAAA"'
  const conflict = { error: { code: 'conflict' } }
  for (const [method, path, headers, status] of [
    ['PUT', '/support', { 'if-match': other }, 409],
    ['PUT', '/support', { 'if-match': `W/${etag(group)}` }, 409],
    ['PUT', '/support', { 'if-none-match': '*' }, 409],
    ['PUT', '/support', { 'if-none-match': `W/${etag(group)}` }, 409],
    ['PUT', '/new', { 'if-match': '*' }, 409],
    ['PUT', '/support/members/bob', { 'if-match': other }, 409],
    ['PUT', '/support/members/bob', { 'if-none-match': '*' }, 409],
    ['PUT', '/support/members/dave', { 'if-match': '*' }, 409],
    ['DELETE', '/support', { 'if-match': other }, 409],
    ['DELETE', '/support/changes', { 'if-match': other }, 409],
    ['DELETE', '/support/members/bob', { 'if-match': other }, 409],
    ['DELETE', '/new', { 'if-match': other }, 404],
    ['PUT', '/support/members/bob', { 'if-match': `${other}, ${etag(member)}` }, 200],
    ['PUT', '/support/members/dave', { 'if-none-match': '*' }, 201],
    ['PUT', '/new', { 'if-none-match': '*' }, 201],
    ['PUT', '/new', { 'if-match': '*', 'if-none-match': other }, 200],
  ] as const) {
    const body = method === 'PUT' ? {} : undefined
    const answer = await ask(method, path, body, headers)
    t.match(answer.status, status, `${method} ${path} ${JSON.stringify(headers)}`)
    if (status === 409) t.match(answer.json, conflict)
  }
})

t.test('fifty add someone at once, each to what it has read: none is lost', async t => {
  const ask = await asked(await newApi(t, { tenant }))
  let conflicts = 0
  const add = async (account: string): Promise<void> => {
    const read = await ask('GET', '/lobby')
    const body = { ...read.json, members: [...read.json.members, account] }
    const { status } = await ask('PUT', '/lobby', body, { 'if-match': etag(read) })
    if (status === 200) return
    t.equal(status, 409)
    conflicts++
    return add(account)
  }
  const names = Array.from({ length: 50 }, (_, index) => `agent-${index}`)
  await Promise.all(names.map(add))
  const { members } = (await ask('GET', '/lobby')).json
  t.same(members.map((each: { account: string }) => each.account).sort(), names.sort())
  t.ok(conflicts > 0, `${conflicts} had to read again`)
})

t.test('what makes no sense is refused, by its path, and changes nothing', async t => {
  const api = await newApi(t, { tenant, rest: { limits: { groupsPerTenant: 3, membersPerGroup: 4 } } })
  const ask = await asked(api)
  api.room.phone('zoe')
  const before = (await ask('GET', '')).json
  for (const [path, body, status, error] of [
    ['/new', { stratgy: 'all' }, 400, { message: 'stratgy is not known here' }],
    ['/new', { strategy: 'best' }, 400, { message: /^strategy must be one of all/ }],
    [
      '/new',
      { members: ['a', 'a', 'b b'] },
      400,
      { details: [{ path: 'members[1]' }, { path: 'members[2]' }] },
    ],
    ['/new', { members: [{ account: 'a', paused: '' }] }, 400, { code: 'invalid' }],
    ['/new', [], 400, { message: 'body must be a JSON object' }],
    ['/n%20w', {}, 400, { message: /^group must be a name/ }],
    ['/new', { members: ['support'] }, 409, { message: 'support is the name of a group' }],
    ['/new', { members: ['new'] }, 409, { message: 'new is the name of a group' }],
    ['/carol', {}, 409, { message: 'carol is the name of an account' }],
    ['/alice', {}, 409, { message: 'alice is the name of an account' }],
    ['/zoe', {}, 409, { message: 'zoe is the name of an account' }],
    ['/support', { members: ['a', 'b', 'c', 'd', 'e'] }, 429, { message: /limits.membersPerGroup/ }],
    ['/support/members/lobby', {}, 409, { message: 'lobby is the name of a group' }],
    ['/support/members/x', { tier: 0 }, 400, { message: /^tier/ }],
    ['/support/members/x', { group: 'y' }, 400, { message: 'group is not known here' }],
    ['/support/members/x%20y', {}, 400, { message: /^account must be a name/ }],
  ] as const) {
    t.match(said(await ask('PUT', path, body)), [status, { error }], `${path} ${JSON.stringify(body)}`)
  }
  t.same((await ask('GET', '')).json, before)
  t.equal((await ask('PUT', '/new', {})).status, 201)
  t.match(said(await ask('PUT', '/newer', {})), [429, { error: { message: /limits.groupsPerTenant/ } }])
  t.equal((await ask('PUT', '/new', {})).status, 200)
})

t.test('lists the groups of the tenant by name, page by page', async t => {
  const ask = await asked(await newApi(t, { tenant }))
  await ask('PUT', '/night', { members: [{ account: 'dave', paused: 'ill' }, 'erin'], strategy: 'all' })
  const night = { group: 'night', strategy: 'all', open: false, members: 2, paused: 1, changed: true }
  const all = (await ask('GET', '')).json
  t.match(all, { groups: [{ group: 'lobby', changed: false }, night, { group: 'support', members: 2 }] })
  t.notOk('cursor' in all)
  const seen = []
  let cursor = ''
  do {
    const { json } = await ask('GET', `?limit=2${cursor && `&cursor=${cursor}`}`)
    seen.push(json.groups.map(({ group }: { group: string }) => group))
    cursor = json.cursor ?? ''
  } while (cursor !== '')
  t.same(seen, [['lobby', 'night'], ['support']])
  t.same((await ask('GET', '?cursor=zzz')).json, { groups: [] })
  t.equal((await ask('GET', '?limit=0')).status, 400)
})

t.test('each change is a line of the log: who, from where, and what', async t => {
  const api = await newApi(t, { tenant })
  const ask = await asked(api)
  await ask('PUT', '/support/members/dave', {})
  await ask('DELETE', '/lobby')
  await ask('DELETE', '/lobby')
  t.match(api.logged, [
    {
      level: 'info',
      message: 'the directory was changed',
      facts: {
        tenant: 'acme',
        account: 'root',
        peer: '127.0.0.1',
        method: 'PUT',
        route: '/v1/groups/:group/members/:account',
        group: 'support',
        member: 'dave',
      },
    },
    { message: 'the directory was changed', facts: { method: 'DELETE', group: 'lobby' } },
    { message: 'a request was refused' },
  ])
})

t.test('the answer goes out when the disk has it; what is not kept yet holds, and says so', async t => {
  let outcome: (kept: ReturnType<typeof ok<undefined>> | ReturnType<typeof refuse>) => void = () => {}
  const saved: [string, KeptGroup | undefined][] = []
  const groups: Store['groups'] = {
    tenants: () => [],
    load: () => [],
    save: (_tenant, name, value) => saved.push([name, value]),
    written: () => new Promise(resolve => (outcome = resolve)),
  }
  const api = await newApi(t, { tenant, groups })
  const ask = await asked(api)
  const arrival = api.arrival()
  const slow = ask('PUT', '/support/members/dave', {})
  await arrival
  while (saved.length === 0) await new Promise(resolve => setImmediate(resolve))
  t.match((await ask('GET', '/support')).json.members.at(-1), { account: 'dave' }, 'it holds at once')
  t.equal(await Promise.race([slow.then(() => 'answered'), ask('GET', '').then(() => 'waiting')]), 'waiting')
  outcome(refuse('overloaded', 'groups.jsonl cannot be written (ENOSPC)'))
  t.match(said(await slow), [503, { error: { message: /^changed, but not yet kept: groups.jsonl cannot/ } }])
  t.match(saved, [['support', { group: { members: [{}, {}, { account: 'dave' }] } }]])
})
