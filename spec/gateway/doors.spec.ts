// Who gets as far as a socket: the slow, the many, those behind a proxy, and those whose key is gone. A hub as its users
// run it, on a port of its own; other addresses of the loopback stand for other peers.

import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { mintToken } from '../../src/gateway/token/index.js'
import { newScene, plain, type Scene } from '../support/fault.js'
import { maskedFrame, until, upgradeRequest } from '../support/gateway.js'
import { configOf, secret } from '../support/hub.js'

const headers = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, 'x']))

// Ten thousand connections take a slow machine half a minute.
t.setTimeout(300_000)

t.test(
  '[FU1] no bytes, slow bytes and too many headers end within seconds, before the upgrade too',
  async t => {
    const scene = await newScene(t)
    const started = performance.now()
    const late = { code: 'invalid', metric: 'switchhook_http_responses_total{status="408"}' }
    await scene.survives(t, late, async () => {
      const silent = plain(t, scene.port)
      const half = plain(t, scene.port, upgradeRequest().slice(0, -2))
      const slow = plain(t, scene.port, 'GET /v1/socket HTTP/1.1\r\n')
      const drip = setInterval(() => slow.tcp.write('X'), 400)
      const peers = { silent, half, slow }
      for (const [what, peer] of Object.entries(peers)) {
        await peer.closed
        t.equal(peer.status(), 408, what)
      }
      clearInterval(drip)
    })
    t.ok(performance.now() - started < 12_000, 'five seconds, and the next look')
  },
)

t.test(
  '[FU1] a header of 16 kB or two thousand headers are answered 431, on the way to a socket too',
  async t => {
    const scene = await newScene(t)
    const upgrade = { code: 'too-large', metric: 'switchhook_faults_total{code="too-large"}' }
    await scene.survives(t, upgrade, async () => {
      for (const count of [96, 1_000, 1_990]) {
        const peer = plain(t, scene.port, upgradeRequest(headers(count)))
        await peer.closed
        t.equal(peer.status(), 431, `${count} more headers`)
        t.match(peer.text(), /"code":"too-large"/)
      }
    })
    const request = { code: 'too-large', metric: 'switchhook_http_refused_total{code="too-large"}' }
    await scene.survives(t, request, async () => {
      const long = plain(t, scene.port, upgradeRequest({ 'X-Long': 'x'.repeat(16 * 1024) }))
      await long.closed
      t.equal(long.status(), 431)
    })
    const spaces = { code: 'invalid', metric: 'switchhook_faults_total{code="invalid"}' }
    await scene.survives(t, spaces, async () => {
      const peer = plain(t, scene.port, upgradeRequest({ 'Sec-WebSocket-Protocol': ' '.repeat(32 * 1024) }))
      await peer.closed
      t.equal(peer.status(), 400, '[FU2] spaces are nothing')
    })
    const fits = plain(t, scene.port, upgradeRequest(headers(80)))
    await until(() => fits.text().includes('101 Switching'))
  },
)

t.test('[FU5] an address has as many connections as its limit says; others have room', async t => {
  const scene = await newScene(t, { limits: { connections: 100, connectionsPerAddress: 60 } })
  const metric = 'switchhook_limit_reached_total{limit="connectionsPerAddress"}'
  await scene.survives(t, { code: 'too-many', metric, peer: '127.0.0.2' }, async () => {
    const peers = Array.from({ length: 60 }, () => plain(t, scene.port, upgradeRequest(), '127.0.0.2'))
    await until(() => peers.every(({ text }) => text().includes('101 Switching')))
    const over = plain(t, scene.port, upgradeRequest(), '127.0.0.2')
    await over.closed
    t.match(over.text(), /^HTTP\/1.1 429 .*"message":"at most 60 connections from one address \(limits/s)
    const request = plain(t, scene.port, 'GET /v1/calls HTTP/1.1\r\nHost: hub\r\n\r\n', '127.0.0.2')
    await request.closed
    t.match(request.text(), /^HTTP\/1.1 429 .*connection: close.*"code":"too-many"/is)
    const health = plain(
      t,
      scene.port,
      'GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n',
      '127.0.0.2',
    )
    await health.closed
    t.equal(health.status(), 200, 'whether the hub lives is told to anyone')
    for (const { tcp } of peers) tcp.destroy()
  })
})

t.test(
  '[FU5] ten thousand connections from one address, as fast as they come, leave others alone',
  async t => {
    const scene = await newScene(t, { limits: { connections: 200, connectionsPerAddress: 100 } })
    const metric = 'switchhook_limit_reached_total{limit="connectionsPerAddress"}'
    await scene.survives(t, { code: 'too-many', metric, peer: '127.0.0.2' }, async () => {
      const other = await scene.phone('eve')
      for (let round = 0; round < 50; round++) {
        const flood = Array.from({ length: 200 }, () => {
          const tcp = connect({ port: scene.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
          tcp.on('error', () => {})
          return { tcp, settled: new Promise(resolve => tcp.once('connect', resolve).once('close', resolve)) }
        })
        await Promise.all(flood.map(({ settled }) => settled))
        for (const { tcp } of flood) tcp.resetAndDestroy()
        if (round % 10 === 0) await other.ask({ type: 'ping' }, 'pong')
      }
      t.equal(other.ws.readyState, 1, 'who is there is not disturbed')
      other.ws.close(1000)
      await other.closed
    })
    const fresh = plain(t, scene.port, upgradeRequest(), '127.0.0.2')
    await until(() => fresh.text().includes('101 Switching'))
    t.pass('once they are gone there is room again')
  },
)

t.test(
  '[FH7] behind a trusted proxy the address it names counts; another’s word for it does not',
  async t => {
    const scene = await newScene(t, {
      limits: { connectionsPerAddress: 30 },
      rest: { listen: { port: 0, trustProxy: ['127.0.0.3'] } },
    })
    const through = (forwarded: string, from = '127.0.0.3') =>
      plain(t, scene.port, upgradeRequest({ 'X-Forwarded-For': forwarded }), from)
    const many = Array.from({ length: 30 }, () => through('6.6.6.6, 198.51.100.7'))
    await until(() => many.every(({ text }) => text().includes('101 Switching')))
    const over = through('198.51.100.7')
    await over.closed
    t.match(over.text(), /^HTTP\/1.1 429 /)
    t.match(scene.log.at(-1)?.facts, { code: 'too-many', peer: '198.51.100.7' })
    const logged = () => scene.log.filter(({ facts }) => facts.code === 'unsupported-media-type').length
    const other = through('198.51.100.8')
    await until(() => other.text().includes('101 Switching'))
    other.tcp.write(maskedFrame(2, 'x'))
    await until(() => logged() === 1)
    t.match(
      scene.log.at(-1)?.facts,
      { code: 'unsupported-media-type', peer: '198.51.100.8' },
      'in the log of sockets too',
    )
    const spoof = through('198.51.100.9', '127.0.0.4')
    await until(() => spoof.text().includes('101 Switching'))
    spoof.tcp.write(maskedFrame(2, 'x'))
    await until(() => logged() === 2)
    t.match(scene.log.at(-1)?.facts, { peer: '127.0.0.4' })
    const request = plain(
      t,
      scene.port,
      'GET /v1/calls HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n',
      '127.0.0.3',
    )
    await request.closed
    t.match([request.status(), scene.log.at(-1)?.facts], [401, { peer: '198.51.100.7' }], 'and of requests')
  },
)

/** A token of exactly this header and these claims. */
const signed = (header: string, claims: string, by = secret): string => {
  const text = [header, claims].map(part => Buffer.from(part).toString('base64url')).join('.')
  return `${text}.${createHmac('sha256', by).update(text).digest('base64url')}`
}

const removed = async (t: Test): Promise<{ scene: Scene; next: object; old: string }> => {
  const keys = [
    { kid: 'old', alg: 'HS256', secret },
    { kid: 'new', alg: 'HS256', secret: `${secret}, a new one` },
  ]
  const scene = await newScene(t, { tenant: { keys } })
  const old = await mintToken({
    alg: 'HS256',
    secret,
    kid: 'old',
    tenant: 'acme',
    account: 'alice',
    clock: scene.clock,
    expiresInSeconds: 600,
  })
  return { scene, next: configOf({ keys: keys.slice(1) }), old }
}

t.test(
  '[FT16] a key that is removed lets nobody in any more; who is there stays until their token ends',
  async t => {
    const { scene, next, old } = await removed(t)
    const come = async () => {
      const client = scene.client()
      await client.opened
      client.send({ type: 'hello', token: old, device: 'phone' })
      await until(() => client.frames.length > 0)
      return client
    }
    const alice = await come()
    t.match(alice.frames[0], { type: 'welcome' })
    const authorization = `Bearer ${old}`
    const read = async () =>
      (await fetch(`${scene.url}/v1/presence/alice`, { headers: { authorization } })).status
    t.equal(await read(), 200)

    await scene.hub.reload(next as never)
    t.equal(await read(), 401, 'also not from what was verified before')
    const late = await come()
    t.match(late.frames[0], { type: 'error', code: 'unauthorized' })
    t.match(await late.closed, { code: 4401 })
    t.match(await alice.ask({ type: 'status', status: 'away' }, 'ok'), {}, 'the session goes on')
    t.match(await alice.ask({ type: 'token', token: old }, 'error'), { code: 'unauthorized' })
    t.match(await alice.ask({ type: 'ping' }, 'pong'), {}, 'a refresh with it changes nothing')

    const end = alice.closed
    await scene.clock.settle(540_000)
    t.match(await alice.next('token-expiring'), { inMs: Number })
    await scene.clock.settle(60_000)
    t.match(await end, { code: 4401 }, 'and ends with its token')
  },
)

t.test('[FU2] a handshake that says a thing twice, or in another version, is answered 400', async t => {
  const scene = await newScene(t)
  const invalid = { code: 'invalid', metric: 'switchhook_faults_total{code="invalid"}' }
  await scene.survives(t, invalid, async () => {
    const twice = upgradeRequest().replace(/^(Sec-WebSocket-Key: .*)$/m, '$1\r\n$1')
    const versions = ['8', '0', '14', 'x', '13, 13'].map(version =>
      upgradeRequest({ 'Sec-WebSocket-Version': version }),
    )
    for (const request of [twice, ...versions]) {
      const peer = plain(t, scene.port, request)
      await peer.closed
      t.equal(peer.status(), 400, request.slice(-60))
    }
  })
})

t.test(
  '[FT1] [FT2] [FT3] [FT5] [FT6] [FT7] [FT8] [FT9] [FT10] [FT11] a bad token leaves no trace: not in hello, on the way in, or over HTTP',
  async t => {
    const scene = await newScene(t)
    const good = scene.forge({})
    const [head = '', claims = '', signature = ''] = good.split('.')
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claimsText = Buffer.from(claims, 'base64url').toString()
    const tokens: Readonly<Record<string, string>> = {
      'alg none': `${part({ alg: 'none' })}.${claims}.`,
      'alg nOnE, signed': `${part({ alg: 'nOnE' })}.${claims}.${signature}`,
      'no alg': `${part({})}.${claims}.${signature}`,
      'another alg': `${part({ alg: 'RS256' })}.${claims}.${signature}`,
      'a hostile kid': `${part({ alg: 'HS256', kid: '../../dev/null' })}.${claims}.${signature}`,
      crit: `${part({ alg: 'HS256', crit: ['exp'] })}.${claims}.${signature}`,
      'five parts': `${head}.${claims}.${signature}.${signature}.${signature}`,
      'exp 9e99': scene.forge({ exp: 9e99 }),
      'iat in the future': scene.forge({ iat: Math.floor(scene.clock.wall() / 1000) + 300 }),
      'nbf in the future': scene.forge({ nbf: Math.floor(scene.clock.wall() / 1000) + 300 }),
      'a claim twice': signed(`{"alg":"HS256"}`, claimsText.replace(/}$/, ',"sub":"alice"}')),
      'a header twice': signed('{"alg":"HS256","alg":"none"}', claimsText),
      'a name with a direction': scene.forge({ sub: 'mal\u202elory' }),
      'a name of 129': scene.forge({ sub: 'm'.repeat(129) }),
      padding: `${good}=`,
      'a megabyte': scene.forge({ scope: 'x'.repeat(40_000) }),
      nothing: '',
    }
    const frames = { code: 'unauthorized', metric: 'switchhook_faults_total{code="unauthorized"}' }
    await scene.survives(
      t,
      { ...frames, secrets: Object.values(tokens).filter(token => token !== '') },
      async () => {
        for (const [what, token] of Object.entries(tokens)) {
          const client = scene.client()
          await client.opened
          client.send({ type: 'hello', token, device: 'phone' })
          t.match(await client.next('error'), { code: 'unauthorized', retry: false }, what)
          t.match(await client.closed, { code: 4401 })
        }
        for (const [what, token] of Object.entries(tokens)) {
          if (token.length > 8_192) continue
          const peer = plain(t, scene.port, upgradeRequest({ Authorization: `Bearer ${token}` }))
          await peer.closed
          t.equal(peer.status(), 401, what)
        }
      },
    )
    const http = { code: 'unauthorized', metric: 'switchhook_http_refused_total{code="unauthorized"}' }
    await scene.survives(t, http, async () => {
      for (const [what, token] of Object.entries(tokens)) {
        if (token.length > 8_192) continue
        const headers = { authorization: `Bearer ${token}` }
        t.equal((await fetch(`${scene.url}/v1/presence/alice`, { headers })).status, 401, what)
      }
    })
    t.equal(await scene.metric('switchhook_sockets_accepted_total'), Object.keys(tokens).length + 2)
  },
)

t.test('[FT11] a token of a megabyte is refused by its size, wherever it comes', async t => {
  const scene = await newScene(t)
  const token = scene.forge({ groups: Array.from({ length: 100_000 }, (_, number) => `g${number}`) })
  t.ok(token.length > 1024 * 1024)
  const message = { code: 'too-large', metric: 'switchhook_limit_reached_total{limit="messageBytes"}' }
  await scene.survives(t, { ...message, secrets: [token.slice(0, 100)] }, async () => {
    const client = scene.client()
    await client.opened
    client.send({ type: 'hello', token, device: 'phone' })
    t.match(await client.closed, { code: 1009 })
  })
  const header = { code: 'too-large', metric: 'switchhook_http_refused_total{code="too-large"}' }
  await scene.survives(t, { ...header, secrets: [token.slice(0, 100)] }, async () => {
    const peer = plain(t, scene.port, upgradeRequest({ Authorization: `Bearer ${token}` }))
    await peer.closed
    t.match([0, 431].includes(peer.status()), true, 'unless it was cut off before it could read why')
  })
})

t.test('[FT12] one tenant’s key lets nobody into another, whatever the kid', async t => {
  const ours = `${secret}, of acme`
  const theirs = `${secret}, of globex`
  const key = (kid: string, by: string) => ({ kid, alg: 'HS256', secret: by })
  const scene = await newScene(t, {
    rest: {
      tenants: {
        acme: { keys: [key('k', ours)] },
        globex: { keys: [key('k', theirs), key('g', theirs)] },
        other: { keys: [{ alg: 'HS256', secret }] },
      },
    },
  })
  const claims = (iss: string) =>
    JSON.stringify({
      iss,
      sub: 'mallory',
      aud: 'switchhook',
      exp: Math.floor(scene.clock.wall() / 1000) + 60,
      scope: 'presence:register',
    })
  const of = (kid: string, iss: string) => signed(JSON.stringify({ alg: 'HS256', kid }), claims(iss), theirs)
  const come = async (token: string) => {
    const client = scene.client()
    await client.opened
    client.send({ type: 'hello', token, device: 'phone' })
    await until(() => client.frames.length > 0)
    return client
  }
  const faults = { code: 'unauthorized', metric: 'switchhook_faults_total{code="unauthorized"}' }
  const tokens = ['g', 'k', 'no-such'].map(kid => of(kid, 'acme'))
  await scene.survives(t, { ...faults, secrets: tokens }, async () => {
    const told = new Set<unknown>()
    for (const token of tokens) {
      const client = await come(token)
      const [error] = client.frames
      t.match(error, { type: 'error', code: 'unauthorized' })
      told.add(error?.type === 'error' && error.message)
      t.match(await client.closed, { code: 4401 })
    }
    t.equal(told.size, 1, 'in the same words as of a key that is not known')
    const own = await come(of('k', 'globex'))
    t.match(own.frames[0], { type: 'welcome', tenant: 'globex' }, 'the same kid, and its own tenant')
    own.ws.close(1000)
    await own.closed
  })
})
