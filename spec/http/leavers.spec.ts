// Who leaves while their token is verified, or with more requests on one connection than were answered: nothing stays
// held for them, however often they do it.

import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { ok } from '../../src/errors.js'
import type { Grant } from '../../src/gateway/token/index.js'
import { Bounds } from '../../src/limits/index.js'
import { newApi, until } from '../support/http-api.js'

const grant = {
  tenant: 'acme',
  account: 'pbx',
  scopes: new Set(['call:inbound', 'presence:read']),
  expires: Date.UTC(2027, 0),
  groups: [],
} as unknown as Grant

/** An API whose tokens are verified when the spec says so. */
const slow = async (t: Test, limits: object) => {
  const waiting: (() => void)[] = []
  const bounds = new Bounds(limits)
  const verify = () => new Promise<never>(resolve => waiting.push(() => resolve(ok(grant) as never)))
  const api = await newApi(t, { bounds, verifier: { verify } })
  /** Sends a request, leaves before its token is verified, and settles when the hub is done with it. */
  const leave = async (head: string, body = '', length = body.length): Promise<void> => {
    const socket = connect(api.port, '127.0.0.1')
    socket.on('error', () => {})
    const arrival = api.arrival()
    socket.write(
      `${head} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${length}\r\n\r\n${body}`,
    )
    const { request, response } = await arrival
    await until(() => waiting.length === 1)
    const gone = Promise.all([
      new Promise(resolve => response.once('close', resolve)),
      new Promise(resolve => request.socket.once('close', resolve)),
    ])
    socket.resetAndDestroy()
    await gone
    waiting.pop()?.()
    for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
  }
  /** The status of a request that stays. */
  const ask = async (method: string, path: string, body?: object): Promise<number> => {
    const answer = api.ask(method, path, { token: 'x', body })
    await until(() => waiting.length === 1)
    waiting.pop()?.()
    return (await answer).status
  }
  return { api, bounds, leave, ask }
}

t.test('[FH2] bodies whose senders left before they were known take no room for good', async t => {
  const { bounds, leave, ask } = await slow(t, { bodyBytes: 300 })
  for (let count = 0; count < 10; count++) await leave('POST /v1/calls', '', 99)
  t.equal(await ask('POST', '/v1/calls', { to: 'nobody', from: '' }), 201)
  t.equal(bounds.reached.bodyBytes, 0)
})

t.test('[FH4] [FH5] who leaves before they are known neither waits nor reads', async t => {
  const { api, bounds, leave, ask } = await slow(t, { streamsPerAccount: 2 })
  const body = '{"to":"nobody","from":""}'
  for (let count = 0; count < 5; count++) await leave('POST /v1/calls?waitMs=60000', body)
  for (let count = 0; count < 5; count++) await leave('GET /v1/presence/alice/events')
  t.equal(await ask('POST', '/v1/calls?waitMs=1000', { to: 'nobody', from: '' }), 201)
  t.equal(bounds.reached.streamsPerAccount, 0)
  t.equal(api.room.presence.counts.subscriptions, 0, 'nobody watches')
  t.equal(api.room.router.counts.placed, 1, 'and nothing was placed for those who left')
})

/** An API, and a way to leave with requests that wait for their answers one behind the other. */
const queued = async (t: Test, limits: object) => {
  const bounds = new Bounds(limits)
  const api = await newApi(t, { bounds })
  const token = await api.token('pbx', ['call:inbound', 'presence:read'])
  api.room.phone('alice')
  const head = (line: string, length: number) =>
    `${line} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
  const body = JSON.stringify({ to: 'alice', from: '' })
  const wait = `${head('POST /v1/calls?waitMs=60000', body.length)}${body}`
  const follow = head('GET /v1/presence/alice/events', 0)
  const upload = head('POST /v1/calls', 200)
  const leave = async (text: string, arrived: () => boolean) => {
    const socket = connect(api.port, '127.0.0.1')
    socket.on('error', () => {})
    const arrival = api.arrival()
    socket.write(text)
    const { request } = await arrival
    const gone = new Promise(resolve => request.socket.once('close', resolve))
    await until(arrived)
    socket.resetAndDestroy()
    await gone
  }
  return { api, bounds, token, wait, follow, upload, leave }
}

t.test('[FH4] [FH5] all who wait on one connection are gone with it', async t => {
  const { api, bounds, token, wait, follow, leave } = await queued(t, { streamsPerAccount: 3 })
  const { presence, router } = api.room
  for (let round = 0; round < 3; round++) {
    const { placed } = router.counts
    await leave(wait.repeat(3), () => router.counts.placed === placed + 3)
    const { subscriptions } = presence.counts
    await leave(wait + follow.repeat(2), () => presence.counts.subscriptions > subscriptions)
  }
  const answer = await api.ask('POST', '/v1/calls?waitMs=1', { token, body: { to: 'nobody', from: '' } })
  t.equal(answer.status, 201)
  t.equal(bounds.reached.streamsPerAccount, 0)
})

t.test('[FH2] a body behind another answer takes no room once its connection is gone', async t => {
  const { api, token, wait, upload, leave } = await queued(t, { bodyBytesPerAccount: 300 })
  for (let round = 1; round <= 5; round++) {
    let arrived = 0
    const count = () => void arrived++
    api.http.server.on('request', count)
    await leave(wait + upload, () => arrived === 2 && api.room.router.counts.placed === round)
    api.http.server.off('request', count)
  }
  const answer = await api.ask('POST', '/v1/calls', { token, body: { to: 'nobody', from: '' } })
  t.equal(answer.status, 201)
})
