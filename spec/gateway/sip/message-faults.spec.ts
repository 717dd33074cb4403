// What peers get wrong in the frame of a message, by mistake or on purpose: lengths, bounds, line ends, fields twice.

import t from 'tap'
import { isRequest, type SipRequest } from '../../../src/gateway/dialects/sip/message.js'
import { parse, sipBounds, type Unparsed } from '../../../src/gateway/dialects/sip/parse.js'

const start = 'OPTIONS sip:user@example.com SIP/2.0'
const fields = [
  'Via: SIP/2.0/WS 192.0.2.1;branch=z9hG4bKkdjuw',
  'From: sip:caller@example.net;tag=1',
  'To: sip:user@example.com',
  'Call-ID: faults.1',
  'CSeq: 8 OPTIONS',
]

const text = (more: readonly string[], body = '', of = fields): string =>
  `${[start, ...of, ...more].join('\r\n')}\r\n\r\n${body}`

const request = (from: string): SipRequest => {
  const read = parse(from)
  if (!read.ok || !isRequest(read.message)) throw new Error(`no request: ${JSON.stringify(read)}`)
  return read.message
}

const refusal = (from: string): Unparsed => {
  const read = parse(from)
  if (read.ok) throw new Error('it was read')
  return read
}

const refused = (from: string): readonly [status: number, reason: string, answered: boolean] => {
  const { status, reason, partial } = refusal(from)
  return [status, reason, partial !== undefined]
}

const without = (name: string): string[] => fields.filter(field => !field.startsWith(name))

t.test('[FS5] a body longer than its Content-Length ends there, a shorter one is refused', async t => {
  t.equal(request(text(['Content-Length: 4'], 'body')).body, 'body')
  t.equal(request(text([], 'body')).body, 'body')
  t.equal(request(text(['Content-Length: 2'], 'body')).body, 'bo')
  t.equal(request(text(['Content-Length: 0'], 'INVITE sip:a@b SIP/2.0')).body, '')
  t.equal(request(text(['Content-Length: 6'], 'größe')).body, 'größ', 'it counts bytes')
  t.same(refused(text(['Content-Length: 5'], 'body')), [400, 'Unfinished Message', true])
})

t.test('[FS5] a Content-Length that is negative, no number, huge or there twice is refused', async t => {
  for (const length of ['-1', 'five', '4, 4', '', '0x4', '+4', '4.0']) {
    t.same(
      refused(text([`Content-Length: ${length}`], 'body')),
      [400, 'Malformed Content-Length', true],
      length,
    )
  }
  t.same(refused(text([`Content-Length: ${'9'.repeat(400)}`], 'body')), [400, 'Unfinished Message', true])
  t.same(refused(text(['Content-Length: 4', 'l : 3'], 'body')), [400, 'More Than One l', true])
  t.same(refused(text(['l: 4', 'Content-Length: 4'], 'body')), [400, 'More Than One Content-Length', true])
})

t.test('[FS5] 50 Accept headers are too many, and so are 65 of any', async t => {
  const accepts = Array.from({ length: 50 }, () => 'Accept: application/sdp')
  t.same(refused(text(accepts)), [413, 'Too Many Accept', true])
  const others = Array.from({ length: sipBounds.fields - fields.length }, (_, at) => `X-${at}: x`)
  t.equal(request(text(others)).headers.size, sipBounds.fields)
  t.same(refused(text([...others, 'X-Last: x'])), [413, 'Too Many Header Fields', true])
})

t.test('[FS5] a CSeq of 2^31 or more is refused, one below is not', async t => {
  const numbered = (seq: string): string => text([`CSeq: ${seq} OPTIONS`], '', without('CSeq'))
  t.equal(request(numbered('2147483647')).headers.get('CSeq'), '2147483647 OPTIONS')
  for (const seq of ['2147483648', '4294967296', '99999999999', '-1', '1.5', 'x', '']) {
    t.same(refused(numbered(seq)), [400, 'Malformed CSeq', true], seq)
  }
})

t.test('[FS5] a blank before the colon makes no other header of it', async t => {
  t.equal(request(text(['Subject \t : x'])).headers.get('s'), 'x')
  t.same(refused(text(['CSeq : 9 OPTIONS'])), [400, 'More Than One CSeq', true])
  t.same(refused(text(['X Y: x'])), [400, 'Malformed Header Field', true])
})

t.test('[FS5] folded lines are one, and what is in them makes no header of its own', async t => {
  const { headers } = request(text(['Subject: a\r\n\tb\r\n  To: sip:mallory@example.com']))
  t.equal(headers.get('Subject'), 'a b To: sip:mallory@example.com')
  t.same(headers.lines('To'), ['sip:user@example.com'])
  t.same(refused(text([]).replace('\r\n', '\r\n ')), [400, 'Malformed Start Line', false])
})

t.test('[FS5] a NUL, a bare CR or a bare LF is refused, wherever it stands in a head', async t => {
  for (const mark of ['\0', '\r', '\n']) {
    t.same(refused(text([`Subject: a${mark}b`])), [400, 'Malformed Header Field', true])
    t.same(refused(text([`Sub${mark}ject: a`])), [400, 'Malformed Header Field', true])
    t.same(refused(text([`Subject: "a\\\\${mark}"`])), [400, 'Malformed Header Field', true])
    const uri = text([]).replace('user@', `us${mark}er@`)
    t.notOk(parse(uri).ok)
  }
  t.same(refused(text([]).replaceAll('\r\n', '\n')), [400, 'Malformed Start Line', false])
  t.same(refused(text([]).replaceAll('\r\n', '\r')), [400, 'Malformed Start Line', false])
  t.equal(request(text([], '\0\r\n\n')).body, '\0\r\n\n', 'a body may have any')
})

t.test('[FS5] a header of 64 kB is refused, as is a Request-URI', async t => {
  const long = 'x'.repeat(64 * 1024)
  t.same(refused(text([`Subject: ${long}`])), [413, 'Header Field Too Long', true])
  t.same(refused(text([]).replace('user@', `${long}@`)), [414, 'Request-URI Too Long', true])
  t.equal(
    request(text([`Subject: ${'x'.repeat(sipBounds.line - 9)}`])).headers.get('Subject')?.length,
    sipBounds.line - 9,
  )
})

t.test('[FS5] texts that are made to be slow are not', async t => {
  const much = 60_000
  const slow = [
    ' '.repeat(much),
    `To: ${' '.repeat(8000)}`,
    `To: ${'a '.repeat(4000)}<`,
    `To: ${'"\\'.repeat(2700)}`,
    `To: <sip:${'a:'.repeat(4000)}`,
    `To: sip:a@b${';a=a'.repeat(2000)},`,
    `To: sip:${'%41'.repeat(2600)}`,
    `Via: ${'SIP / '.repeat(1300)}`,
    `CSeq: ${'0'.repeat(8000)}`,
    `Route: ${'<,'.repeat(4000)}`,
    `Route: ${'"",'.repeat(2600)}`,
    `${'\r\n '.repeat(much / 3)}`,
    `${' \r\n'.repeat(much / 3)}`,
    `${'a:\r\n'.repeat(much / 4)}`,
  ]
  const before = process.cpuUsage()
  for (const each of slow) {
    const read = parse(text(Array.from({ length: each.length > 9000 ? 1 : 7 }, () => each)))
    t.ok(read.ok || read.reason !== '')
    parse(each)
    parse(`OPTIONS ${each} SIP/2.0\r\n\r\n`)
  }
  const { user } = process.cpuUsage(before)
  t.ok(user < 1_000_000, `${user} µs`)
})

t.test('a request without what leads an answer back is dropped, without the rest it is answered', async t => {
  t.same(refused(text([], '', without('Via'))), [400, 'Missing Via', false])
  t.same(refused(text([], '', without('CSeq'))), [400, 'Missing CSeq', false])
  t.same(refused(text([], '', without('From'))), [400, 'Missing From', true])
  t.same(refused(text([], '', without('To'))), [400, 'Missing To', true])
  t.same(refused(text([], '', without('Call-ID'))), [400, 'Missing Call-ID', true])
})

t.test('what answers a bad request is of it the first of each, and nothing that was not read', async t => {
  const { partial } = refusal(text(['To: sip:other@example.com', 'Via: SIP/2.0/WS b;branch=2', 'Subject: x']))
  t.same(
    [...(partial?.headers ?? [])],
    [
      ['Via', 'SIP/2.0/WS 192.0.2.1;branch=z9hG4bKkdjuw'],
      ['Via', 'SIP/2.0/WS b;branch=2'],
      ['From', 'sip:caller@example.net;tag=1'],
      ['To', 'sip:user@example.com'],
      ['Call-ID', 'faults.1'],
      ['CSeq', '8 OPTIONS'],
    ],
  )
  t.match(partial, { method: 'OPTIONS', uri: 'sip:user@example.com', body: '' })
})

t.test('a bad ACK, a bad response, and what is no SIP at all, are answered by nothing', async t => {
  const ack = text(['Content-Length: 9']).replaceAll('OPTIONS', 'ACK')
  t.same(refused(ack), [400, 'Unfinished Message', false])
  t.same(refused(text(['Content-Length: 9']).replace(start, 'SIP/2.0 200 OK')), [
    400,
    'Unfinished Message',
    false,
  ])
  for (const noise of [
    '',
    '\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    '{"type":"hello"}',
    'SIP/2.0 99 Low\r\n\r\n',
  ]) {
    t.same(refused(noise), [400, 'Malformed Start Line', false], noise)
  }
})

t.test('a head that does not end is no message', async t => {
  t.same(refused(text([]).slice(0, -2)), [400, 'Malformed Header Field', true])
  t.same(refused(text([]).slice(0, -4)), [400, 'Unfinished Message', true])
})

t.test('a Request-URI is of sip, sips or tel', async t => {
  const to = (uri: string): string => text([]).replace('sip:user@example.com SIP', `${uri} SIP`)
  for (const uri of [
    'sips:u@example.com:5061;transport=ws',
    'tel:+1-201-555-0123',
    'SIP:[2001:db8::1]:5060',
  ]) {
    t.equal(request(to(uri)).uri, uri)
  }
  t.equal(
    request(to('sip:who?me@example.com')).uri,
    'sip:who?me@example.com',
    'a name may have a question mark',
  )
  for (const uri of [
    'sip:',
    'sip:@',
    'sip:u@',
    'sip:u@h:port',
    'sip:%4@h',
    'sip:a b@h',
    'u@h',
    '*',
    'sip:h?a=b',
  ]) {
    t.match(refused(to(uri)), [400, /Request-/, true], uri)
  }
  t.same(refused(to('mailto:u@example.com')), [416, 'Unsupported URI Scheme', true])
})

t.test('a response may have no phrase, and no blank before it either', async t => {
  const read = parse(text([]).replace(start, 'SIP/2.0 200'))
  t.match(read, { ok: true, message: { status: 200, reason: '' } })
})
