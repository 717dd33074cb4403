// Who leaves while their token is verified: nothing is held for them that their going would have to give back, however
// often they do it.

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
