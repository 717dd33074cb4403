// Answers that nobody reads: what is kept of them is bounded for each account by itself, and their connections end.

import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { Bounds } from '../../src/limits/index.js'
import { newApi, until } from '../support/http-api.js'
import { aSecret } from '../support/room.js'

const members = Array.from({ length: 10_000 }, (_, index) => `agent-${index}`)
const tenants = { acme: { keys: [{ alg: 'HS256', secret: aSecret }], groups: { all: { members } } } }

/** Some megabytes, more than the system takes off the hub's hands. */
const body = JSON.stringify({ destinations: Array(5).fill('all') })

const stand = async (t: Test, limits: object = {}) => {
  const bounds = new Bounds(limits)
  const api = await newApi(t, { bounds, rest: { tenants } })
  const token = await api.token('wall', ['presence:read'])
  const request =
    `POST /v1/presence HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${token}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  /** Asks for much, several times, and reads none of it. */
  const deaf = () => {
    const socket = connect(api.port, '127.0.0.1').pause()
    socket.on('error', () => {})
    socket.write(request.repeat(6))
    return socket
  }
  const large = async (as = token) => (await api.ask('POST', '/v1/presence', { token: as, body })).status
  return { api, bounds, token, deaf, large }
}

t.test('answers that one account does not read are bounded, and others have theirs', async t => {
  const { api, bounds, token, deaf, large } = await stand(t, { unreadBytesPerAccount: 1024 * 1024 })
  t.equal(await large(), 200, 'one of any size may be read')
  t.equal(await large(), 200, 'and another when that is done')
  const socket = deaf()
  await until(() => bounds.reached.unreadBytesPerAccount > 0)
  const refused = await api.ask('POST', '/v1/presence', { token, body })
  t.match(
    [refused.status, refused.json.error, refused.headers.get('retry-after')],
    [
      429,
      {
        code: 'too-many',
        message:
          'at most 1048576 bytes of answers of one account that wait to be read (limits.unreadBytesPerAccount)',
      },
      /^\d+$/,
    ],
  )
  t.match(api.logged.at(-1)?.facts, { code: 'too-many', account: 'wall', peer: '127.0.0.1' })
  t.equal((await api.ask('GET', '/v1/presence/agent-1', { token })).status, 200, 'small ones it may have')
  t.equal(await large(await api.token('other', ['presence:read'])), 200)
  socket.resetAndDestroy()
  let again = await large()
  while (again === 429) again = await large()
  t.equal(again, 200, 'who leaves makes room')
})

t.test('where no token is asked for, the address counts', async t => {
  const { api, bounds } = await stand(t, { unreadBytesPerAccount: 20_000 })
  const get = 'GET /openapi.json HTTP/1.1\r\nHost: hub\r\n\r\n'
  const socket = connect(api.port, '127.0.0.1').pause()
  socket.on('error', () => {})
  socket.write(get.repeat(2))
  await until(() => bounds.reached.unreadBytesPerAccount > 0)
  t.match(api.logged.at(-1)?.facts, { code: 'too-many', peer: '127.0.0.1', route: '/openapi.json' })
  socket.destroy()
})

t.test('a connection on which nothing is taken any more ends, and its line says whose it was', async t => {
  const { api, deaf } = await stand(t)
  t.equal(api.http.server.timeout, 75_000)
  api.http.server.timeout = 100
  const arrival = api.arrival()
  const socket = deaf()
  const { request } = await arrival
  await new Promise(resolve => request.socket.once('close', resolve))
  const facts = { code: 'overloaded', reason: 'the answer was not read in time', account: 'wall' }
  t.match(
    api.logged.filter(line => line.facts.code === 'overloaded'),
    [{ facts: { ...facts, route: '/v1/presence', peer: '127.0.0.1' } }],
  )
  t.match(
    (await api.ask('GET', '/metrics')).text,
    /^switchhook_http_refused_total\{code="overloaded"\} 1$/m,
    'and it is counted',
  )
  socket.destroy()
})

t.test('a connection that only waits for its next request ends quietly', async t => {
  const { api } = await stand(t)
  api.http.server.keepAliveTimeout = 10
  const heard = await api.raw('GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n')
  t.match(heard, /^HTTP\/1\.1 200 /)
  t.same(api.logged, [])
})
