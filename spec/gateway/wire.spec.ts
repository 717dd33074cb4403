// The wire of RFC 6455 in the hands of a peer that gets it wrong, byte by byte, after the lists of the Autobahn
// testsuite; and one that gets odd things right.

import t, { type Test } from 'tap'
import { newScene, type RawPeer } from '../support/fault.js'
import { until } from '../support/gateway.js'

interface Bits {
  readonly fin?: boolean
  /** The three reserved bits, 0 to 7. */
  readonly rsv?: number
  readonly mask?: readonly number[] | false
  /** Another length than the payload's, in 64 bits. */
  readonly claims?: bigint
}

/** A frame of RFC 6455, section 5.2, right or wrong. */
const frame = (
  opcode: number,
  payload: string | readonly number[] | Buffer = '',
  { fin = true, rsv = 0, mask = [1, 2, 3, 4], claims }: Bits = {},
): Buffer => {
  const body = Buffer.from(payload as string)
  const masked = mask === false ? 0 : 0x80
  const size = Buffer.alloc(claims !== undefined ? 9 : body.length < 126 ? 1 : 3)
  if (claims !== undefined) {
    size[0] = 127
    size.writeBigUInt64BE(claims, 1)
  } else if (body.length < 126) size[0] = body.length
  else {
    size[0] = 126
    size.writeUInt16BE(body.length, 1)
  }
  size[0]! |= masked
  const key = mask === false ? [] : mask
  const bytes = mask === false ? body : body.map((byte, index) => byte ^ mask[index % 4]!)
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]), size, Buffer.from(key), bytes])
}

const text = (payload: string | Buffer, bits?: Bits) => frame(1, payload, bits)
const more = (payload: string | Buffer, bits?: Bits) => frame(0, payload, bits)
const close = (code: number, reason: string | readonly number[] = '') =>
  frame(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason as string)]))
const begins = { fin: false }
const ping = JSON.stringify({ type: 'ping' })

const scene = await newScene(t)

/** What each list of bytes is answered with: the code of the close. */
const closes = async (t: Test, cases: Readonly<Record<string, readonly Buffer[]>>, code: number) => {
  for (const [what, bytes] of Object.entries(cases)) {
    const peer = await scene.raw('mallory')
    for (const each of bytes) peer.tcp.write(each)
    t.equal(await peer.closed, code, what)
  }
}

const numbered = (values: readonly number[], made: (value: number) => Buffer) =>
  Object.fromEntries(values.map(value => [String(value), [made(value)]]))

const malformed = { code: 'malformed', metric: 'switchhook_faults_total{code="malformed"}' }

t.test('[FF1] reserved bits and opcodes, and frames without a mask, close 1002', t =>
  scene.survives(t, malformed, async () => {
    for (const opcode of [0, 1, 2, 8, 9, 10]) {
      await closes(
        t,
        numbered([1, 2, 3, 4, 5, 6, 7], rsv => frame(opcode, ping, { rsv })),
        1002,
      )
    }
    for (const payload of ['', 'x']) {
      await closes(
        t,
        numbered([3, 4, 5, 6, 7, 11, 12, 13, 14, 15], opcode => frame(opcode, payload)),
        1002,
      )
    }
    await closes(
      t,
      {
        'a text without a mask': [text(ping, { mask: false })],
        'a ping without a mask': [frame(9, '', { mask: false })],
        'one in the middle of good ones': [text(ping), frame(9), frame(3), text(ping)],
      },
      1002,
    )
  }),
)

t.test('[FF1] control frames are short and whole, and fragments come in order, or it closes 1002', t =>
  scene.survives(t, malformed, async () => {
    const long = 'x'.repeat(126)
    await closes(
      t,
      {
        'a ping of 126 bytes': [frame(9, long)],
        'a pong of 126 bytes': [frame(10, long)],
        'a close of 126 bytes': [close(1000, 'x'.repeat(124))],
        'half a ping': [frame(9, 'x', begins)],
        'half a pong': [frame(10, 'x', begins)],
        'half a close': [frame(8, [3, 232], begins)],
        'a ping in two': [frame(9, 'x', begins), more('y')],
        'the rest of nothing': [more('x')],
        'the middle of nothing': [more('x', begins)],
        'the rest of what was whole': [text(ping), more('x')],
        'a text in a text': [text('{', begins), text('}')],
        'a binary in a text': [text('{', begins), frame(2, 'x')],
        'a text that begins twice': [text('{', begins), more('x', begins), text('{', begins)],
      },
      1002,
    )
  }),
)

t.test(
  '[FF1] a close is answered with its own code if that may be sent, else with 1002; its reason is UTF-8',
  t =>
    scene.survives(t, malformed, async () => {
      const good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
      for (const code of [...good, 3000, 3999, 4000, 4999]) await closes(t, numbered([code], close), code)
      const bad = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
      await closes(t, numbered(bad, close), 1002)
      await closes(t, { 'one byte': [frame(8, [3])] }, 1002)
      await closes(t, { 'a reason of 123 bytes': [close(1000, 'x'.repeat(123))] }, 1000)
      await closes(
        t,
        {
          'a reason that is no UTF-8': [close(1000, [0xce, 0xba, 0xe1, 0xed, 0xa0, 0x80])],
          'half a character': [close(1000, [0xe2, 0x82])],
        },
        1007,
      )
      const peer = await scene.raw('mallory')
      peer.tcp.write(Buffer.concat([frame(8), text(ping), frame(9, 'late')]))
      await peer.closed
      t.notMatch(peer.text(), /pong|late/, 'what follows a close is not looked at')
    }),
)

t.test('[FF1] text that is not UTF-8 closes 1007, in one piece or in many', t =>
  scene.survives(t, malformed, async () => {
    const broken = {
      'a lone continuation': [0x80],
      'half a character': [0xe2, 0x82],
      'an overlong slash': [0xc0, 0xaf],
      'an overlong NUL': [0xe0, 0x80, 0x80],
      'a surrogate': [0xed, 0xa0, 0x80],
      'a pair of surrogates': [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
      'beyond Unicode': [0xf4, 0x90, 0x80, 0x80],
      'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
      'byte 255': [0xff],
    }
    for (const [what, bytes] of Object.entries(broken)) {
      await closes(t, { [what]: [frame(1, bytes)] }, 1007)
      const pieces = bytes.map((byte, index) =>
        frame(index === 0 ? 1 : 0, [byte], { fin: index === bytes.length - 1 }),
      )
      await closes(t, { [`${what}, byte by byte`]: pieces }, 1007)
    }
  }),
)

t.test(
  '[FF1] a binary message closes 1003, and a mask that does not fit what it hides closes 4500',
  async t => {
    const unsupported = {
      code: 'unsupported-media-type',
      metric: 'switchhook_faults_total{code="unsupported-media-type"}',
    }
    await scene.survives(t, unsupported, () =>
      closes(
        t,
        { binary: [frame(2, ping)], 'in pieces': [frame(2, '{', begins), more('}')], empty: [frame(2)] },
        1003,
      ),
    )
    await scene.survives(t, malformed, async () => {
      const wrong = text(ping)
      wrong.set([0, 0, 0, 0], 2)
      await closes(t, { 'the mask was another': [wrong] }, 4500)
    })
  },
)

t.test('[FF1] what is odd and right is understood', async t => {
  const peer = await scene.raw('mallory')
  const pongs = (least: number) =>
    until(() => peer.said().filter(({ opcode }) => opcode === 10).length >= least)
  const answered = async (what: string, bytes: readonly Buffer[], least: number) => {
    for (const each of bytes) peer.tcp.write(each)
    await peer.next('pong')
    await pongs(least)
    t.pass(what)
  }
  await answered('a text', [text(ping)], 0)
  await answered('with any mask', [text(ping, { mask: [0xff, 0, 0x80, 0x7f] })], 0)
  await answered(
    'in pieces, with a ping between and empty ones',
    [
      text('', begins),
      more(ping.slice(0, 3), begins),
      frame(9, 'between'),
      more('', begins),
      more(ping.slice(3)),
    ],
    1,
  )
  const bytes = text(JSON.stringify({ type: 'ping', ref: '€' }))
  await answered(
    'byte by byte',
    [...bytes].map(byte => Buffer.from([byte])),
    1,
  )
  await answered(
    'a character in two pieces',
    [
      text(Buffer.from('{"type":"ping","ref":"\u20ac').subarray(0, -1), begins),
      more(Buffer.from([0xac, 0x22, 0x7d])),
    ],
    1,
  )
  await answered('pongs that nobody asked for', [frame(10, 'x'), frame(10), text(ping)], 1)
  const many = Array.from({ length: 10 }, (_, index) => frame(9, `n${index}`))
  peer.tcp.write(Buffer.concat(many))
  await pongs(11)
  const echoed = peer
    .said()
    .filter(({ opcode }) => opcode === 10)
    .slice(1)
    .map(({ payload }) => String(payload))
  t.same(
    echoed,
    many.map((_, index) => `n${index}`),
    'pings are answered in order, with what they carry',
  )
  peer.tcp.write(close(1000))
  t.equal(await peer.closed, 1000)
})

const tooLarge = { code: 'too-large', metric: 'switchhook_limit_reached_total{limit="messageBytes"}' }

t.test('[FF2] a length beyond the bound closes 1009 before anything is kept for it', t =>
  scene.survives(t, tooLarge, async () => {
    const before = process.memoryUsage().arrayBuffers
    const sizes = [65_537n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n]
    for (const claims of sizes) await closes(t, { [String(claims)]: [frame(1, '', { claims })] }, 1009)
    await closes(
      t,
      {
        'in pieces': [
          text('x'.repeat(60_000), begins),
          more('x'.repeat(5_000), begins),
          more('x'.repeat(537)),
        ],
      },
      1009,
    )
    t.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024)
  }),
)

t.test('[FF3] one-byte fragments without an end are closed, and little is kept of them', t =>
  scene.survives(t, { code: 'too-many', metric: 'switchhook_faults_total{code="too-many"}' }, async () => {
    const names = Array.from({ length: 50 }, (_, index) => `mallory-${index}`)
    const peers: RawPeer[] = []
    for (const name of names) peers.push(await scene.raw(name))
    const before = process.memoryUsage().arrayBuffers
    const piece = more('x', begins)
    for (const { tcp } of peers)
      tcp.write(Buffer.concat([text('{', begins), ...Array(60).fill(piece), frame(9)]))
    for (const { said } of peers) await until(() => said().some(({ opcode }) => opcode === 10))
    t.ok(process.memoryUsage().arrayBuffers - before < peers.length * 100_000, 'less than 100 kB each')
    for (const { tcp } of peers) tcp.write(Buffer.concat(Array(20_000).fill(piece)))
    for (const { closed } of peers) t.equal(await closed, 1008)
  }),
)

t.test('[FF4] ten thousand pings, pongs or empty texts at once end the connection', async t => {
  const floods = [
    ['pings', frame(9, 'x'), 4429, 'too-many'],
    ['pongs', frame(10), 4429, 'too-many'],
    ['texts', text(ping), 4429, 'too-many'],
    ['empty texts', text(''), 4500, 'malformed'],
  ] as const
  for (const [what, each, code, fault] of floods) {
    await scene.survives(t, { code: fault, metric: `switchhook_faults_total{code="${fault}"}` }, async () => {
      const peer = await scene.raw('mallory')
      peer.tcp.write(Buffer.concat(Array(10_000).fill(each)))
      t.equal(await peer.closed, code, what)
      t.ok(peer.said().length < 300, 'and few of them are answered')
    })
  }
})

t.test('[FF6] JSON that is odd is answered or closed, and never thrown over', async t => {
  const peer = await scene.raw('mallory')
  const pairs = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}":1`).join()
  const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  const answers: Readonly<Record<string, readonly [text: string, code: string | undefined]>> = {
    'nested 30,000 deep': [`{"type":"signal","call":"c","data":${nested}}`, 'invalid'],
    'nine thousand keys': [`{"type":"ping",${pairs(5_000)}}`, undefined],
    'nine thousand keys to relay': [`{"type":"signal","call":"c","data":{${pairs(5_000)}}}`, 'invalid'],
    'a number of 60,000 digits': [`{"type":"ack","seq":${'9'.repeat(60_000)}}`, 'invalid'],
    '1e400': ['{"type":"ack","seq":1e400}', 'invalid'],
    'half a surrogate pair': ['{"type":"signal","call":"c","data":"\\ud800"}', 'invalid'],
    'type twice': ['{"type":"leave","type":"ping"}', undefined],
    '__proto__ and constructor in params': [
      '{"type":"place","to":"bob","params":{"__proto__":"x","constructor":"y"},"sdp":7}',
      'invalid',
    ],
    'NUL in a text': ['{"type":"status","status":"away","note":"a\\u0000b"}', undefined],
    'a type that is on every object': ['{"type":"constructor"}', 'unknown-type'],
    '__proto__ as a type': ['{"type":"__proto__"}', 'unknown-type'],
  }
  await scene.survives(
    t,
    { code: 'invalid', metric: 'switchhook_frames_refused_total{code="invalid"}' },
    async () => {
      for (const [what, [json, code]] of Object.entries(answers)) {
        peer.tcp.write(text(json))
        if (code !== undefined) t.match(await peer.next('error'), { code }, what)
        peer.tcp.write(text(ping))
        await peer.next('pong')
        await scene.clock.settle(1_000)
      }
      t.equal(({} as { x?: string }).x, undefined)
    },
  )
  peer.tcp.write(close(1000))
  await peer.closed
  await scene.survives(t, malformed, async () => {
    for (const [what, bytes] of [
      ['a byte order mark', `\ufeff${ping}`],
      ['NUL', '\0'],
      ['NUL behind it', `${ping}\0`],
      ['deep, and no object', nested],
    ] as const) {
      await closes(t, { [what]: [text(bytes)] }, 4500)
    }
  })
})
