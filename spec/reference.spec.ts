// What is published about the hub is so: docs/reference is made from the schemas, it is good OpenAPI, AsyncAPI and JSON
// Schema, and what a running hub says is what it says there, with no field beyond. `UPDATE_DOCS=1 npx tap
// spec/reference.spec.ts` makes it anew.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import specs from '@asyncapi/specs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'
import { factsOf } from '../src/errors.js'
import { scopes as allScopes } from '../src/gateway/token/index.js'
import { clientFrames, hubFrames, replies } from '../src/protocol/index.js'
import { createJudge, pointed } from './support/described.js'
import { newApi } from './support/http-api.js'
import { configOf, startHub, tokenOf } from './support/hub.js'
import { withTables } from './support/places.js'
import { type ApiDescription, type FramesDescription, protocolTables } from './support/protocol-tables.js'
import { asyncApi, configSchema, framesSchema, textOf } from './support/published.js'
import { Wire } from './support/wire.js'

interface Operation {
  readonly operationId: string
  readonly security: readonly { readonly token: readonly string[] }[]
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}
type OpenApi = ApiDescription & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const kept = (name: string): string => readFileSync(`docs/reference/${name}.json`, 'utf8')

const serve = async (): Promise<OpenApi> => {
  const after: (() => unknown)[] = []
  const api = await newApi({ teardown: task => after.push(task) })
  const { json } = await api.ask('GET', '/openapi.json')
  for (const task of after) await task()
  return json
}

const openApi = await serve()

const documents: Readonly<Record<string, object>> = {
  openapi: openApi,
  asyncapi: asyncApi(),
  'frames.schema': framesSchema(),
  'config.schema': configSchema(),
}

const operations = Object.entries(openApi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    path,
    method: method.toUpperCase(),
    ...operation,
  })),
)

t.test('docs/reference is what the schemas say', async t => {
  for (const [name, document] of Object.entries(documents)) {
    if (process.env.UPDATE_DOCS) writeFileSync(`docs/reference/${name}.json`, textOf(document))
    t.equal(kept(name), textOf(document), name)
  }
  const names = Object.keys(documents).map(name => `${name}.json`)
  t.same(readdirSync('docs/reference').sort(), names.sort())
})

/** A page is as it is with these tables in their places. */
const holds = (t: Test, page: string, tables: Readonly<Record<string, string>>): void => {
  const written = withTables(readFileSync(page, 'utf8'), tables)
  if (process.env.UPDATE_DOCS) writeFileSync(page, written)
  t.equal(readFileSync(page, 'utf8'), written)
  t.throws(() => withTables('', tables), /no place for/)
}

t.test('the tables of docs/protocol.md are written from them', async t => {
  holds(t, 'docs/protocol.md', protocolTables(framesSchema() as FramesDescription, openApi))
})

t.test('docs/operations.md lists every metric that a hub gives', async t => {
  const { listening } = await startHub(t)
  const metrics = await (await fetch(`${listening.url}/metrics`)).text()
  const lines = [...metrics.matchAll(/^# HELP (switchhook_\w+) (.*)\n# TYPE \1 (\w+)$/gm)].map(
    ([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`,
  )
  t.equal(lines.length, metrics.match(/^# TYPE switchhook_/gm)?.length)
  holds(t, 'docs/operations.md', { metrics: ['| metric | is | |', '|---|---|---|', ...lines].join('\n') })
})

t.test('they are OpenAPI 3.1, AsyncAPI 3.0 and JSON Schema 2020-12', async t => {
  const validator = new Validator()
  const judged = await validator.validate(JSON.parse(kept('openapi')))
  t.match(judged, { valid: true }, JSON.stringify(judged.errors))
  t.equal(validator.version, '3.1')

  const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false })
  const asyncapi = ajv.compile(specs.schemas['3.0.0'] as object)
  t.ok(asyncapi(JSON.parse(kept('asyncapi'))), ajv.errorsText(asyncapi.errors))

  const frames = createJudge(JSON.parse(kept('frames.schema')))('#')
  t.equal(frames({ type: 'ping', ref: '1' }), undefined)
  t.match(frames({ type: 'ping', ref: 1 }), /must be string/)
  const config = createJudge(JSON.parse(kept('config.schema')))('#')
  t.equal(config({ tenants: { acme: { keys: [{ alg: 'HS256', secret: { env: 'SECRET' } }] } } }), undefined)
  t.match(config({ listen: { prot: 8080 } }), /must NOT have additional properties/)
})

t.test('each route of the sources is described, and each that is described is there', async t => {
  const api = await newApi(t)
  const written = readdirSync('src/http').flatMap(file =>
    [
      ...readFileSync(`src/http/${file}`, 'utf8').matchAll(/app\.(get|put|post|delete|patch)\(\s*'([^']+)'/g),
    ].map(
      ([, method = '', path = '']) =>
        `${method.toUpperCase()} ${path.replace(/^(?!\/(?:healthz|readyz|metrics|openapi\.json)$)/, '/v1').replace(/:(\w+)/g, '{$1}')}`,
    ),
  )
  t.same(operations.map(({ method, path }) => `${method} ${path}`).sort(), written.sort())
  for (const { method, path } of operations) {
    const { json } = await api.ask(method, path.replaceAll(/\{\w+\}/g, 'x'))
    t.not(json?.error?.message, 'no such resource', `${method} ${path}`)
  }
})

t.test('the permission that a description names is the one it takes', async t => {
  const api = await newApi(t)
  for (const { method, path, security, operationId } of operations) {
    if (path === '/v1/calls/{call}/events' || path === '/v1/presence/{destination}/events') continue
    const query = path === '/v1/presence' && method === 'GET' ? '?destination=x' : ''
    const url = path.replaceAll(/\{\w+\}/g, 'x') + query
    const bodies = { readPresences: { destinations: ['x'] }, revoke: { jti: 'x' } } as Record<string, object>
    const body = bodies[operationId] ?? {}
    const ask = async (scopes: readonly string[] | undefined) => {
      const token = scopes && (await api.token('someone', scopes))
      const sent = method === 'GET' || method === 'DELETE' ? {} : { body }
      return (await api.ask(method, url, { ...sent, ...(token !== undefined && { token }) })).status
    }
    if (security.length === 0) {
      t.equal(await ask(undefined), 200, `${method} ${path} needs no token`)
      continue
    }
    const scope = String(security[0]?.token[0])
    t.equal(await ask(undefined), 401, `${method} ${path} needs a token`)
    t.equal(
      await ask(allScopes.filter(one => one !== scope && one !== 'admin')),
      403,
      `${path} needs ${scope}`,
    )
    t.not(await ask([scope]), 403, `${method} ${path} needs no more than ${scope}`)
  }
})

t.test('what a hub answers is what is described, in each operation and for refusals', async t => {
  const config = configOf({
    groups: { support: { members: ['alice', 'bob'] } },
    routes: [
      {
        to: '+1555',
        instructions: { steps: [{ say: { text: 'hi' } }, { dial: { to: ['support'], record: true } }] },
      },
      { to: 'line', instructions: { steps: [{ enqueue: { group: 'support' } }] } },
    ],
  })
  const world = await startHub(t, config)
  const judge = createJudge(openApi)
  const done = new Set<string>()
  const everything = await tokenOf('gateway', { scopes: [...allScopes] })

  const ask = async (
    method: string,
    path: string,
    {
      body,
      status = 200,
      token = everything,
      ...headers
    }: { [header: string]: unknown; body?: unknown; status?: number; token?: string } = {},
  ) => {
    const response = await fetch(world.listening.url + path, {
      method,
      headers: {
        ...(path.startsWith('/v1') && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(headers as Record<string, string>),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const said = `${method} ${path} ${response.status}`
    const pattern = (described: string) => new RegExp(`^${described.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
    const [route = ''] = path.split('?')
    const found = operations.filter(each => each.method === method && pattern(each.path).test(route))
    // `/v1/presence/{destination}` and a literal path do not compete here: one fits.
    t.equal(found.length, 1, said)
    const [{ path: described, operationId, responses }] = found as [(typeof operations)[number]]
    t.equal(response.status, status, said)
    t.ok(status in responses, `${said} is described`)
    const type = String(response.headers.get('content-type')?.split(';')[0])
    const { content } = responses[status] as { content?: object }
    if (status < 400) done.add(operationId)
    if (content === undefined) {
      t.equal(await response.text(), '', `${said} has no body`)
      return undefined
    }
    t.ok(type in content, `${said} is ${type}`)
    if (type !== 'application/json') {
      await response.body?.cancel()
      return undefined
    }
    // biome-ignore lint/suspicious/noExplicitAny: it is judged here
    const answer = (await response.json()) as any
    const at = pointed(
      'paths',
      described,
      method.toLowerCase(),
      'responses',
      String(status),
      'content',
      type,
      'schema',
    )
    t.equal(judge(at)(answer), undefined, said)
    if (status >= 400) t.equal(factsOf(answer.error.code).http, status, said)
    return answer
  }

  for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json']) await ask('GET', path)

  const alice = await world.phone('alice')
  await world.phone('bob', 'desk')
  const place = { to: '+1555', from: '+1666', params: { order: '45' }, sdp: 'offer' }
  const { call } = await ask('POST', '/v1/calls', { body: place, status: 201, 'idempotency-key': 'k' })
  await ask('POST', '/v1/calls', { body: place, 'idempotency-key': 'k' })
  await ask('POST', '/v1/calls', { body: { ...place, to: 'x' }, status: 422, 'idempotency-key': 'k' })
  await ask('POST', '/v1/calls', { body: { ...place, statusCallback: 'x' }, status: 400 })
  await ask('POST', '/v1/calls', { body: {}, status: 400 })
  await ask('POST', '/v1/calls', { body: place, status: 415, 'content-type': 'text/plain' })
  await ask('POST', '/v1/calls', { body: place, status: 401, token: 'none' })
  await (await alice.invited()).accept({ sdp: 'answer' })
  await ask('POST', `/v1/calls/${call}`, { body: { signal: { dtmf: '1' } } })
  await ask('GET', `/v1/calls/${call}/events`)
  t.match(await ask('GET', `/v1/calls/${call}`), {
    state: 'connected',
    by: { account: 'alice' },
    sdp: 'answer',
  })
  await ask('DELETE', `/v1/calls/${call}`, { status: 204 })
  await ask('DELETE', `/v1/calls/${call}`, { status: 409 })
  t.match(await ask('GET', `/v1/calls/${call}`), { reason: 'completed', timeline: [{ event: 'received' }] })
  await ask('GET', '/v1/calls/nobody', { status: 404 })
  t.match(await ask('POST', '/v1/calls?waitMs=60000', { body: { to: 'nobody', from: '' }, status: 201 }), {
    state: 'ended',
    reason: 'unavailable',
    message: /nobody/,
  })
  t.match(await ask('GET', '/v1/calls?limit=1'), { calls: [{}], cursor: /./ })

  t.match(await ask('POST', '/v1/explain', { body: { to: '+1555' } }), {
    dials: [{ destinations: [{ order: [{ account: /alice|bob/ }] }] }],
    warnings: [/record/],
  })
  await ask('POST', '/v1/explain', { body: { to: 'no one' }, status: 404 })

  t.match(await ask('POST', '/v1/explain', { body: { to: 'line' } }), { queues: [{ position: 1 }] })
  await ask('POST', '/v1/calls', { body: { to: 'line', from: '' }, status: 201 })
  t.match(await ask('GET', '/v1/queues/support'), { queue: 'support', waiting: Number })
  t.match(await ask('GET', '/v1/queues'), { queues: [{ queue: 'support' }] })
  await ask('GET', '/v1/queues/nobody', { status: 404 })

  for (const view of ['full', 'summary', 'routing']) await ask('GET', `/v1/presence/support?view=${view}`)
  t.match(await ask('GET', '/v1/presence/support?limit=1'), { accounts: [{ devices: [{}] }], cursor: /./ })
  await ask('GET', '/v1/presence/support/events')
  await ask('GET', '/v1/presence?destination=alice&destination=carol')
  await ask('POST', '/v1/presence', { body: { destinations: ['support', 'bob'], view: 'routing' } })
  await ask('PUT', '/v1/presence/bob/status', { body: { status: 'away', note: 'lunch' } })
  await ask('PUT', '/v1/presence/support/status', { body: { status: 'away' }, status: 403 })
  await ask('GET', '/v1/presence/bob', {
    status: 403,
    token: await tokenOf('eve', { scopes: ['call:place'] }),
  })
  t.match(await ask('GET', '/v1/groups'), { groups: [{ group: 'support', members: 2, changed: false }] })
  await ask('GET', '/v1/groups/support')
  await ask('PUT', '/v1/groups/night', { body: { members: ['carol'], awayAfterMisses: 3 }, status: 201 })
  await ask('PUT', '/v1/groups/night', { body: { open: true }, 'if-match': '*' })
  await ask('PUT', '/v1/groups/night', { body: {}, 'if-none-match': '*', status: 409 })
  const paused = { paused: 'lunch', skills: ['fr'] }
  await ask('PUT', '/v1/groups/support/members/carol', { body: paused, status: 201 })
  await ask('PUT', '/v1/groups/support/members/carol', { body: paused })
  t.match(await ask('GET', '/v1/groups/support/members/carol'), paused)
  t.match(await ask('GET', '/v1/groups?limit=1'), { cursor: 'night' })
  await ask('DELETE', '/v1/groups/support/members/carol', { status: 204 })
  await ask('GET', '/v1/groups/support/members/carol', { status: 404 })
  await ask('DELETE', '/v1/groups/support', { status: 204 })
  await ask('DELETE', '/v1/groups/support/changes')
  await ask('POST', '/v1/revocations', { body: { jti: 'x' }, status: 204 })
  await ask('POST', '/v1/revocations', { body: { account: 'gateway' }, status: 204 })
  await ask('GET', '/v1/calls', { status: 401 })

  t.same(
    operations.map(({ operationId }) => operationId).filter(id => !done.has(id)),
    [],
    'each was done',
  )
})

t.test('every frame of the codec is described, and what is said on sockets is so described', async t => {
  const described = documents.asyncapi as { components: { messages: object }; operations: object }
  const names = [
    ...Object.keys(clientFrames).map(type => `client.${type}`),
    ...Object.keys(hubFrames).map(type => `hub.${type}`),
  ]
  t.same(Object.keys(described.components.messages), names)

  const steps = [{ gather: { numDigits: 1 } }]
  const config = configOf(
    {
      groups: { support: { members: ['alice', 'bob'], strategy: 'all' } },
      routes: [{ to: 'menu', instructions: { steps } }],
    },
    { drainMs: 0 },
  )
  const world = await startHub(t, config)
  const judge = createJudge(described)
  const heard = new Set<string>()
  const wireOf = async (account: string, device?: string, facts: Parameters<typeof tokenOf>[1] = {}) => {
    const token = await tokenOf(account, { scopes: allScopes.filter(scope => scope !== 'admin'), ...facts })
    const wire = new Wire({ url: world.listening.socket, token, ...(device !== undefined && { device }) })
    t.teardown(() => wire.drop())
    wire.on(frame => {
      heard.add(frame.type)
      t.equal(
        judge(pointed('components', 'messages', `hub.${frame.type}`, 'payload'))(frame),
        undefined,
        frame.type,
      )
    })
    return wire
  }
  const asked = new Set<string>(['hello'])
  const ask = async (wire: Wire, type: keyof typeof replies, fields: object = {}) => {
    asked.add(type)
    const frame = { type, ref: '1', ...fields }
    t.equal(judge(pointed('components', 'messages', `client.${type}`, 'payload'))(frame), undefined, type)
    const answer = await wire.ask(type, fields)
    t.equal(answer.type, replies[type] ?? 'ok', `the answer to ${type}`)
    return answer
  }

  const alice = await wireOf('alice', 'web', { expiresInSeconds: 50 })
  const bob = await wireOf('bob', 'desk')
  const gateway = await wireOf('gateway')
  await alice.open({ client: 'spec/1', note: 'here', ref: 'hello' })
  await bob.open()
  await gateway.open({ performs: ['gather'] })
  await alice.until(() => heard.has('token-expiring'), 'token-expiring')
  await ask(alice, 'token', { token: await tokenOf('alice') })
  await ask(gateway, 'subscribe', { destinations: ['support', 'alice'], view: 'routing' })
  await ask(gateway, 'presence', { destinations: ['support'] })
  await ask(bob, 'status', { status: 'away', note: 'lunch', until: '2999-01-01T00:00:00Z' })
  await ask(bob, 'status', { status: null, for: 'account' })
  await ask(bob, 'status', { status: 'available' })
  await gateway.until(
    () => gateway.frames.some(({ type, ...rest }) => type === 'presence' && 'prev' in rest),
    'a diff',
  )
  await ask(alice, 'ping')
  await ask(alice, 'wrapup', { endMs: 0 })

  const placed = (await ask(gateway, 'place', {
    to: 'support',
    from: '+1',
    sdp: 'offer',
    params: { a: 'b' },
  })) as {
    call: string
  }
  const { call } = placed
  await Promise.all([alice.next(call, 'invite'), bob.next(call, 'invite')])
  await ask(alice, 'ringing', { call })
  await gateway.next(call, 'progress')
  await ask(bob, 'signal', { call, data: { ice: 1 } })
  await gateway.next(call, 'signal')
  await ask(alice, 'accept', { call, sdp: 'answer' })
  t.match(await bob.next(call, 'cancel'), { reason: 'answered-elsewhere', by: { account: 'alice' } })
  await Promise.all([alice.next(call, 'connected'), gateway.next(call, 'answered')])
  await ask(alice, 'transfer', { call, to: 'bob' })
  await alice.next(call, 'ended')
  t.match(await alice.ask('accept', { call }), { type: 'error', code: 'call-gone' })
  await ask(gateway, 'hangup', { call, reason: 'done' })
  await gateway.next(call, 'ended')
  const third = (await ask(gateway, 'place', { to: 'menu', from: '+1' })) as { call: string }
  await gateway.next(third.call, 'perform')
  await ask(gateway, 'performed', { call: third.call, step: 0, outcome: 'done', data: { digits: '1' } })
  await gateway.next(third.call, 'ended')
  await ask(gateway, 'ack', { seq: 1 })

  const second = (await ask(gateway, 'place', { to: 'bob', from: '+1' })) as { call: string }
  await bob.next(second.call, 'invite')
  await ask(bob, 'reject', { call: second.call, reason: 'busy' })
  await gateway.next(second.call, 'ended')
  await ask(gateway, 'unsubscribe', { destinations: ['support'] })
  asked.add('leave')
  bob.say('leave')
  const drained = world.hub.drain()
  await gateway.until(() => heard.has('drain'), 'drain')
  await drained

  t.same(
    Object.keys(replies).filter(type => !asked.has(type)),
    [],
    'each frame of a client was said',
  )
  t.same(
    Object.keys(hubFrames).filter(type => !heard.has(type)),
    [],
    'and each of the hub was heard',
  )
  for (const wire of [alice, bob, gateway]) t.same(wire.faults, [])
})
