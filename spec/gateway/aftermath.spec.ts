// What is left behind by peers who are refused on their way in, or who ask and never read: nothing, and nobody else
// notices. What each of them is told is shown beside the door it comes to.

import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import { newScene, plain, type Scene } from '../support/fault.js'
import { maskedFrame, until, upgradeRequest } from '../support/gateway.js'

const faults = (code: string) => ({ code, metric: `switchhook_faults_total{code="${code}"}` })
const refused = (code: string) => ({ code, metric: `switchhook_http_refused_total{code="${code}"}` })

t.test('[FU3] a page of another origin gets no socket, and leaves a line of the log', async t => {
  const scene = await newScene(t, { rest: { cors: ['https://app.example.com'] } })
  await scene.survives(t, faults('forbidden'), async () => {
    for (const origin of [
      'https://evil-app.example.com.attacker',
      'https://app.example.com.evil.test',
      'https://app.example.com:444',
      'http://app.example.com',
      'null',
      '',
      'https://app.example.com, https://evil.test',
    ]) {
      const peer = plain(t, scene.port, upgradeRequest({ Origin: origin }))
      await peer.closed
      t.equal(peer.status(), 403, origin)
    }
    const own = plain(t, scene.port, upgradeRequest({ Origin: 'https://app.example.com' }))
    const none = plain(t, scene.port, upgradeRequest())
    await until(() => [own, none].every(({ text }) => text().includes('101 Switching')))
    for (const { tcp } of [own, none]) tcp.resetAndDestroy()
  })
})

t.test(
  '[FU4] a token in the URL is refused, on the way to a socket and over HTTP, and never logged',
  async t => {
    const scene = await newScene(t)
    const token = await scene.token('mallory', { scopes: ['presence:read'] })
    const secrets = [token.slice(-20), token.slice(0, 30)]
    const spellings = [`token=${token}`, `access_token=${token}`, `x=1&%74oken=${token}`]
    await scene.survives(t, { ...faults('invalid'), secrets }, async () => {
      for (const query of spellings) {
        const peer = plain(t, scene.port, upgradeRequest({}, `GET /v1/socket?${query} HTTP/1.1`))
        await peer.closed
        t.equal(peer.status(), 400)
        t.notOk(peer.text().includes(token.slice(-20)))
      }
    })
    await scene.survives(t, { ...refused('unauthorized'), secrets }, async () => {
      for (const query of spellings)
        t.equal((await fetch(`${scene.url}/v1/presence/alice?${query}`)).status, 401)
    })
  },
)

t.test(
  '[FU7] what would inflate to a thousand times its size is no frame, since nothing is compressed',
  async t => {
    const scene = await newScene(t)
    await scene.survives(t, faults('malformed'), async () => {
      const offer = 'permessage-deflate; client_max_window_bits; server_no_context_takeover'
      const peer = plain(t, scene.port, upgradeRequest({ 'Sec-WebSocket-Extensions': offer }))
      await until(() => peer.text().includes('\r\n\r\n'))
      t.match(peer.text(), /101 Switching/)
      t.notMatch(peer.text(), /permessage-deflate/i)
      const bomb = maskedFrame(1, deflateRawSync(Buffer.alloc(50 * 1024 * 1024)).toString('latin1'))
      bomb[0] = 0xc1
      const before = process.memoryUsage().arrayBuffers
      peer.tcp.write(bomb)
      await until(() => peer.text().includes('\x88\x02\x03\xea'))
      t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
      peer.tcp.resetAndDestroy()
    })
  },
)

t.test(
  '[FF5] [FF8] who asks and never reads is closed, and a reset with megabytes unsent is only a loss',
  async t => {
    const members = Array.from({ length: 300 }, (_, index) => `agent-${index}`)
    const scene = await newScene(t, {
      limits: { crowdedBytes: 64 * 1024, unsentBytes: 512 * 1024 },
      tenant: { groups: { all: { members } } },
    })
    const metric = 'switchhook_limit_reached_total{limit="unsentBytes"}'
    await scene.survives(t, { code: 'overloaded', metric }, async () => {
      const peer = await scene.raw()
      const token = await scene.token('mallory', { scopes: ['presence:read'] })
      peer.send({ type: 'hello', token })
      await peer.next('welcome')
      peer.send({ type: 'subscribe', destinations: ['all'] })
      await peer.next('presence')
      peer.tcp.pause()
      const before = await scene.metric(metric)
      const started = process.memoryUsage().arrayBuffers
      for (let count = 0; count < 30; count++)
        peer.send({ type: 'presence', destinations: Array(100).fill('all') })
      while ((await scene.metric(metric)) === before);
      t.ok(process.memoryUsage().arrayBuffers - started < 64 * 1024 * 1024, 'and little is kept for it')
      peer.tcp.resetAndDestroy()
    })
  },
)

/** Sends a request of one's own making; the status of the answer. */
const ask = async (t: Parameters<typeof plain>[0], scene: Scene, ...lines: string[]): Promise<number> => {
  const token = await scene.token('mallory', { scopes: ['call:inbound', 'presence:read'] })
  const [first, ...rest] = lines
  const head = [first, 'Host: hub', `Authorization: Bearer ${token}`, 'Connection: close', ...rest]
  const peer = plain(t, scene.port, head.join('\r\n'))
  await peer.closed
  return peer.status()
}

t.test('[FH1] [FH2] [FH6] what is refused over HTTP leaves nothing but a count and a line', async t => {
  const scene = await newScene(t)
  const body = '{"to":"nobody","from":""}'
  const post = 'POST /v1/calls HTTP/1.1'
  const json = 'Content-Type: application/json'
  const length = `Content-Length: ${body.length}`
  await scene.survives(t, refused('unsupported-media-type'), async () => {
    for (const type of ['application/json\ta', 'application/json;;', '', 'text/plain'])
      t.equal(await ask(t, scene, post, `Content-Type: ${type}`, length, '', body), 415, type)
    t.equal(await ask(t, scene, post, length, '', body), 415)
    t.equal(await ask(t, scene, post, json, json, length, '', body), 415)
    t.equal(await ask(t, scene, post, json, 'Content-Encoding: gzip', length, '', body), 415)
  })
  await scene.survives(t, refused('too-large'), async () => {
    t.equal(await ask(t, scene, post, json, `Content-Length: ${256 * 1024 + 1}`, '', '{'), 413)
  })
  await scene.survives(t, refused('invalid'), async () => {
    t.equal(await ask(t, scene, post, json, length, 'Transfer-Encoding: chunked', '', '0', '', ''), 400)
    for (const path of [
      '%00',
      'a..b',
      '%252e%252e',
      '..',
      'all?limit=1e9',
      'all?limit=1000000000',
      'all?cursor=x',
    ])
      t.equal(await ask(t, scene, `GET /v1/presence/${path} HTTP/1.1`, '', ''), 400, path)
    t.equal(await ask(t, scene, 'GET /v1/calls?cursor=forged HTTP/1.1', '', ''), 400)
    const many = Array(501).fill('destination=a').join('&')
    t.equal(await ask(t, scene, `GET /v1/presence?${many} HTTP/1.1`, '', ''), 400)
  })
  await scene.survives(t, refused('not-found'), async () => {
    const placed = await scene.api(
      'POST',
      '/v1/calls',
      'trunk',
      { scopes: ['call:inbound'] },
      JSON.parse(body),
    )
    const { call } = (await placed.json()) as { call: string }
    t.equal(await ask(t, scene, `GET /v1/calls/${call} HTTP/1.1`, '', ''), 404, 'not yours')
    t.equal(await ask(t, scene, 'GET /v1/calls/never HTTP/1.1', '', ''), 404)
  })
})

t.test(
  '[FF6] parameters named as what every object has are relayed as any, and nothing else has them',
  async t => {
    const scene = await newScene(t)
    const gateway = await scene.phone('trunk', 'trunk', { scopes: ['call:inbound'] })
    const bob = await scene.phone('bob', 'desk')
    const params = '{"__proto__":"x","constructor":"y","toString":"z","hasOwnProperty":"w"}'
    gateway.ws.send(
      `{"type":"place","to":"bob","from":"+1","ref":"p","params":${params},"__proto__":{"sdp":"no"}}`,
    )
    const invite = await bob.next('invite')
    t.same(Object.entries(invite.params), Object.entries(JSON.parse(params)))
    t.notOk('sdp' in invite)
    t.equal(({} as { x?: string }).x, undefined)
    t.equal(typeof {}.toString, 'function')
    await gateway.ask({ type: 'hangup', call: invite.call }, 'ok')
  },
)
