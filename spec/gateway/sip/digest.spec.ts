// Digest authentication: the vectors of the RFCs, and what a server must refuse.

import t from 'tap'
import {
  type Claim,
  challenge,
  type DigestAlgorithm,
  type DigestCredentials,
  readAuthorization,
  responseOf,
  verify,
} from '../../../src/gateway/dialects/sip/digest.js'
import { NONCE_MS, Nonces } from '../../../src/gateway/dialects/sip/nonces.js'
import { VirtualClock } from '../../../src/runtime/index.js'

t.test('RFC 2617, section 3.5: its example', async t => {
  const vector = {
    ...{ username: 'Mufasa', realm: 'testrealm@host.com', secret: 'Circle Of Life' },
    ...{ method: 'GET', uri: '/dir/index.html', nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093' },
    ...{ nc: '00000001', cnonce: '0a4f113b' },
  } as const
  t.equal(responseOf({ ...vector, algorithm: 'MD5' }), '6629fae49393a05397450978507c4ef1')
})

t.test('RFC 7616, section 3.9.1: its examples with MD5 and SHA-256', async t => {
  const vector = {
    ...{ username: 'Mufasa', realm: 'http-auth@example.org', secret: 'Circle of Life' },
    ...{ method: 'GET', uri: '/dir/index.html', nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v' },
    ...{ nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
  } as const
  t.equal(responseOf({ ...vector, algorithm: 'MD5' }), '8ca523f5e9506fed4657c9700eebdbec')
  t.equal(
    responseOf({ ...vector, algorithm: 'SHA-256' }),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  )
})

t.test('a challenge says what is asked for', async t => {
  t.equal(
    challenge({ realm: 'a "b"', nonce: 'n', algorithm: 'SHA-256' }),
    'Digest realm="a \\"b\\"", nonce="n", algorithm=SHA-256, qop="auth"',
  )
  t.equal(
    challenge({ realm: 'a', nonce: 'n', algorithm: 'MD5', stale: true }),
    'Digest realm="a", nonce="n", algorithm=MD5, qop="auth", stale=true',
  )
})

const whole =
  'username="al", realm="acme", nonce="n", uri="sip:acme", response="r", qop=auth, nc=00000001, cnonce="c"'

t.test('credentials are read as clients write them', async t => {
  t.same(readAuthorization('bearer abc.DEF-_~+/=='), { scheme: 'bearer', token: 'abc.DEF-_~+/==' })
  const read = {
    ...{ scheme: 'digest', username: 'al', realm: 'acme', nonce: 'n', uri: 'sip:acme', response: 'r' },
    ...{ algorithm: 'MD5', qop: 'auth', nc: '00000001', cnonce: 'c' },
  }
  t.same(readAuthorization(`Digest ${whole}`), read)
  t.same(readAuthorization(`DIGEST  ${whole} , algorithm="SHA-256",opaque=""`), {
    ...read,
    algorithm: 'SHA-256',
  })
  t.match(readAuthorization(`Digest ${whole.replace('al', 'a\\"l, \\\\')}`), { username: 'a"l, \\' })
})

t.test('[FS6] credentials without qop, with a thing twice, or of another scheme are none', async t => {
  for (const name of ['username', 'realm', 'nonce', 'uri', 'response', 'qop', 'nc', 'cnonce']) {
    const less = whole.split(', ').filter(pair => !pair.startsWith(`${name}=`))
    t.equal(readAuthorization(`Digest ${less.join(', ')}`), undefined, name)
    t.equal(readAuthorization(`Digest ${whole}, ${name}="x"`), undefined, `${name} twice`)
  }
  for (const wrong of [
    '',
    'Digest',
    'Digest x',
    `Digest ${whole}; x`,
    `Basic ${whole}`,
    'Bearer',
    'Bearer a b',
  ]) {
    t.equal(readAuthorization(wrong), undefined, wrong)
  }
})

interface Way {
  readonly claim?: Partial<Claim>
  readonly credentials?: Partial<DigestCredentials>
  /** Of what the client makes its proof. */
  readonly secret?: string
  readonly algorithm?: DigestAlgorithm
}

/** A client and a server with one account; a try is one request. */
const world = (remembered?: number) => {
  const clock = new VirtualClock()
  const nonces = new Nonces(clock, remembered)
  const attempt = (nonce: string, nc: string, way: Way = {}) => {
    const { secret = 'secret', algorithm = 'SHA-256' } = way
    const told = {
      username: 'al',
      realm: 'acme',
      nonce,
      uri: 'sip:acme',
      nc,
      cnonce: 'c',
      ...way.credentials,
    }
    const response = responseOf({ ...told, algorithm, secret, method: 'REGISTER' })
    return verify({
      authorization: { scheme: 'digest', qop: 'auth', algorithm, response, ...told },
      ...{ method: 'REGISTER', uri: 'sip:acme', realm: 'acme', secret: 'secret' },
      ...{ algorithm: 'SHA-256', nonces },
      ...way.claim,
    })
  }
  return { clock, nonces, attempt }
}

t.test('a proof of the secret for this request is one, with a count that grows', async t => {
  const { nonces, attempt } = world()
  const nonce = nonces.mint('acme')
  t.equal(attempt(nonce, '00000001'), 'proven')
  t.equal(attempt(nonce, '00000002'), 'proven')
  t.equal(attempt(nonce, '0000000A'), 'proven')
  t.equal(attempt(nonces.mint('acme'), '00000001'), 'proven')
  t.equal(attempt(nonce, '0000000b', { credentials: { qop: 'AUTH', algorithm: 'sha-256' } }), 'proven')
  const md5 = { algorithm: 'MD5', claim: { algorithm: 'MD5' } } as const
  t.equal(attempt(nonce, '0000000c', md5), 'proven')
  t.not(nonces.mint('acme'), nonces.mint('acme'))
})

t.test('[FS6] a wrong secret, an unknown account, another realm, URI or method are refused', async t => {
  const { nonces, attempt } = world()
  const nonce = nonces.mint('acme')
  const refused = (way: Way, what: string) => t.equal(attempt(nonce, '00000001', way), 'refused', what)
  refused({ secret: 'guess' }, 'secret')
  refused({ secret: '', claim: { secret: undefined } }, 'account')
  refused({ credentials: { realm: 'other' } }, 'realm of the peer')
  refused({ claim: { realm: 'other' } }, 'realm of another tenant')
  refused({ credentials: { uri: 'sip:other' } }, 'URI')
  refused({ claim: { uri: 'sip:other' } }, 'URI of the request')
  refused({ claim: { method: 'INVITE' } }, 'method')
  refused({ credentials: { response: 'x' } }, 'no digest')
  t.equal(attempt(nonce, '00000001'), 'proven', 'what was refused has used nothing up')
})

t.test('[FS6] MD5 where SHA-256 is asked for is refused, and so is any qop but auth', async t => {
  const { nonces, attempt } = world()
  const nonce = nonces.mint('acme')
  t.equal(attempt(nonce, '00000001', { algorithm: 'MD5' }), 'refused')
  t.equal(attempt(nonce, '00000001', { credentials: { algorithm: 'MD5' } }), 'refused')
  t.equal(attempt(nonce, '00000001', { credentials: { algorithm: 'SHA-256-sess' } }), 'refused')
  t.equal(attempt(nonce, '00000001', { credentials: { qop: 'auth-int' } }), 'refused')
})

t.test('[FS6] a nonce is good once for each count, and counts only grow', async t => {
  const { nonces, attempt } = world()
  const nonce = nonces.mint('acme')
  t.equal(attempt(nonce, '00000000'), 'refused')
  t.equal(attempt(nonce, '00000005'), 'proven')
  t.equal(attempt(nonce, '00000005'), 'refused', 'replayed')
  t.equal(attempt(nonce, '00000004'), 'refused', 'older')
  t.equal(attempt(`${nonce}=`, '00000005'), 'refused', 'the same, written in another way')
  for (const nc of ['1', '6', '000000006', '0000000g', '-0000006', '6e000000 ']) {
    t.equal(attempt(nonce, nc), 'refused', nc)
  }
})

t.test('[FS6] a nonce that is over is stale, one that is no nonce of ours too', async t => {
  const { clock, nonces, attempt } = world()
  const nonce = nonces.mint('acme')
  clock.advance(NONCE_MS)
  t.equal(attempt(nonce, '00000001'), 'proven')
  clock.advance(1)
  t.equal(attempt(nonce, '00000002'), 'stale')
  t.equal(attempt(nonce, '00000002', { secret: 'guess' }), 'refused', 'stale is for who proved the secret')
  t.equal(attempt(nonces.mint('other'), '00000001'), 'stale', 'of another realm')
  t.equal(attempt(new Nonces(clock).mint('acme'), '00000001'), 'stale', 'of another process')
  t.equal(attempt('made-up', '00000001'), 'stale')
  const fresh = nonces.mint('acme')
  t.equal(attempt(`${fresh.slice(0, -4)}AAAA`, '00000001'), 'stale', 'tampered with')
})

t.test('[FS6] memory is bounded, and what was forgotten cannot be replayed', async t => {
  const { clock, nonces, attempt } = world(2)
  const made = Array.from({ length: 4 }, () => {
    clock.advance(1000)
    return nonces.mint('acme')
  })
  const unused = nonces.mint('acme')
  for (const nonce of made) t.equal(attempt(nonce, '00000001'), 'proven')
  t.same(
    made.map(nonce => attempt(nonce, '00000001')),
    ['stale', 'stale', 'refused', 'refused'],
  )
  t.equal(attempt(unused, '00000001'), 'proven')
})
