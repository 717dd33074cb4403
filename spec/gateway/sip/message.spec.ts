// The values that SIP messages are made of: header fields, addresses, the words they are made of, and what is written.

import t from 'tap'
import {
  accountOf,
  formatNameAddr,
  formatUri,
  parseNameAddr,
  parseUri,
  type SipUri,
  tagOf,
  uriOf,
} from '../../../src/gateway/dialects/sip/address.js'
import { Headers, type SipMessage } from '../../../src/gateway/dialects/sip/message.js'
import { parse } from '../../../src/gateway/dialects/sip/parse.js'
import { reasonPhrases, responseTo } from '../../../src/gateway/dialects/sip/response.js'
import { serialize } from '../../../src/gateway/dialects/sip/serialize.js'
import { formatCseq, formatVia, parseCseq, parseVia } from '../../../src/gateway/dialects/sip/via.js'
import { mainValues } from './main-values.js'

const register = [
  'REGISTER sip:example.com SIP/2.0',
  'Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKasudf',
  'Max-Forwards: 69',
  'To: <sip:alice@example.com>',
  'From: "alice" <sip:alice@example.com>;tag=65bnmj.34asd',
  'Call-ID: aiuy7k9njasd',
  'CSeq: 1 REGISTER',
  'm: <sip:alice@df7jal23ls0d.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance="<urn:uuid:f81-7dec-14a06cf1>";expires=600',
  'k: path, gruu, outbound',
  'Content-Length: 0',
  '',
  '',
].join('\r\n')

const read = (text: string): SipMessage => {
  const found = parse(text)
  if (!found.ok) throw new Error(found.reason)
  return found.message
}

t.test('a REGISTER as the SDKs send it is read and written', async t => {
  const message = read(register)
  t.same(message.headers.all('Supported'), ['path', 'gruu', 'outbound'])
  t.match(mainValues(message), {
    contacts: [
      { params: { '+sip.ice': '', '+sip.instance': '<urn:uuid:f81-7dec-14a06cf1>', expires: '600' } },
    ],
  })
  t.equal(serialize(message), register.replace('\nm:', '\nContact:').replace('\nk:', '\nSupported:'))
})

t.test('a header field has one key, in any case and in its compact form', async t => {
  const headers = new Headers([
    ['f', 'sip:a@b;tag=1'],
    ['subJECT', 'hello'],
    ['X-own', 'x'],
  ])
  t.equal(headers.get('From'), 'sip:a@b;tag=1')
  t.equal(headers.get('FROM'), 'sip:a@b;tag=1')
  t.equal(headers.get('s'), 'hello')
  t.equal(headers.get('x-OWN'), 'x')
  t.equal(headers.get('X-Other'), undefined)
  t.same(
    [...headers].map(([name]) => name),
    ['From', 'Subject', 'X-own'],
  )
  const compact = { a: 'Accept-Contact', b: 'Referred-By', c: 'Content-Type', d: 'Request-Disposition' }
  const more = {
    e: 'Content-Encoding',
    i: 'Call-ID',
    j: 'Reject-Contact',
    k: 'Supported',
    l: 'Content-Length',
  }
  const yet = { m: 'Contact', n: 'Identity-Info', o: 'Event', r: 'Refer-To', t: 'To', u: 'Allow-Events' }
  const last = { v: 'Via', x: 'Session-Expires', y: 'Identity' }
  for (const [letter, name] of Object.entries({ ...compact, ...more, ...yet, ...last })) {
    t.same([...new Headers([[letter, 'x']])], [[name, 'x']])
    t.ok(new Headers([[name, 'x']]).has(letter.toUpperCase()))
  }
})

t.test('a field that is a list is split, any other is left whole', async t => {
  const headers = new Headers([
    ['Contact', '"a, \\"b" <sip:a,b@c>;q=1 , sip:d@e'],
    ['Contact', '<sip:f@g>'],
    ['Date', 'Sat, 13 Nov 2010 23:29:00 GMT'],
    ['WWW-Authenticate', 'Digest realm="a", nonce="b"'],
    ['Supported', ''],
    ['Allow', 'INVITE,,BYE'],
    ['Route', '<sip:a,b'],
    ['Warning', '399 a "never, ending'],
  ])
  t.same(headers.all('Contact'), ['"a, \\"b" <sip:a,b@c>;q=1', 'sip:d@e', '<sip:f@g>'])
  t.equal(headers.get('Contact'), '"a, \\"b" <sip:a,b@c>;q=1')
  t.same(headers.all('Date'), ['Sat, 13 Nov 2010 23:29:00 GMT'])
  t.same(headers.all('WWW-Authenticate'), ['Digest realm="a", nonce="b"'])
  t.same([headers.all('Supported'), headers.get('Supported')], [[], undefined])
  t.same(headers.all('Allow'), ['INVITE', 'BYE'])
  t.same(headers.all('Route'), ['<sip:a,b'])
  t.same(headers.all('Warning'), ['399 a "never, ending'])
})

t.test('header fields are added, set in place and deleted', async t => {
  const headers = new Headers([
    ['v', 'a'],
    ['To', 'b'],
    ['Via', 'c'],
  ])
  headers.set('VIA', 'd').set('Expires', '60').add('To', 'e')
  t.same(
    [...headers],
    [
      ['Via', 'd'],
      ['To', 'b'],
      ['Expires', '60'],
      ['To', 'e'],
    ],
  )
  t.equal(headers.delete('t').size, 2)
  t.notOk(headers.has('To'))
  t.throws(() => headers.add('X Y', ''), { name: 'TypeError' })
  t.throws(() => headers.set('X\r\nY', ''), { name: 'TypeError' })
})

t.test('a URI is decoded when it is read, and escaped when it is written', async t => {
  const uri = parseUri('SIPS:a%40b:p%3aw@Example.COM:5061;transport=ws;lr;X=%3B?Subject=a%26b&x=')
  t.same(uri, {
    scheme: 'sips',
    user: 'a@b',
    password: 'p:w',
    host: 'example.com',
    port: 5061,
    params: new Map([
      ['transport', 'ws'],
      ['lr', ''],
      ['x', ';'],
    ]),
    headers: new Map([
      ['Subject', 'a&b'],
      ['x', ''],
    ]),
  })
  t.equal(formatUri(uri as SipUri), 'sips:a%40b:p%3Aw@example.com:5061;transport=ws;lr;x=%3B?Subject=a%26b&x')
  t.same(parseUri('sip:[::1]'), { scheme: 'sip', host: '[::1]', params: new Map(), headers: new Map() })
  t.equal(formatUri(parseUri('sip:a@[::1]') as SipUri), 'sip:a@[::1]')
  t.equal(formatUri(parseUri('sip:b:5060') as SipUri), 'sip:b:5060')
  for (const wrong of [
    'sip:',
    'sip:a@b@c',
    'sip:a b@c',
    'sip:a@b;',
    'sip:a@b?',
    'sip:%zz@b',
    'tel:1',
    'sip:a@b:x',
  ]) {
    t.equal(parseUri(wrong), undefined, wrong)
  }
})

t.test('a name goes into a URI and comes out of it, whatever is in it', async t => {
  for (const name of [
    'alice',
    '+15550100',
    'a b',
    'größe',
    '大',
    'a:b@c',
    'a%41',
    '"<>;?&',
    '\0\r\n',
    '🙂',
  ]) {
    t.equal(accountOf(uriOf(name, 'example.com')), name, name)
    t.match(uriOf(name, 'example.com'), /^sip:[!-~]+@example\.com$/)
  }
  t.equal(accountOf('sip:%ff@example.com'), '\uFFFD')
  t.equal(accountOf('tel:+1-(201)-555.0123;ext=5'), '+12015550123')
  t.equal(accountOf('tel:none'), undefined)
  t.equal(accountOf('sip:example.com'), undefined)
  t.equal(accountOf('https://example.com'), undefined)
})

t.test('an address is read with its name and its parameters', async t => {
  const names = (value: string) => parseNameAddr(value)?.displayName
  t.equal(names('"Al \\"A\\" \\\\" <sip:a@b>'), 'Al "A" \\')
  t.equal(names('Al A <sip:a@b>'), 'Al A')
  t.equal(names('<sip:a@b>'), undefined)
  t.same(parseNameAddr(' sip:a@b ;tag=1; x="y;\\"z" '), {
    uri: 'sip:a@b',
    params: new Map([
      ['tag', '1'],
      ['x', 'y;"z'],
    ]),
  })
  for (const wrong of [
    ...['', '<sip:a@b', '"a" sip:a@b', '"a <sip:a@b>', 'a, b <sip:a@b>', '<sip:a b@c>', 'sip:a@b tag=1'],
    ...['<sip:a@b>;;', '<sip:a@b> x', '"a"b <sip:c@d>', '>sip:a@b<', 'alice', '<alice>', 'sip:a@b;x="y'],
  ]) {
    t.equal(parseNameAddr(wrong), undefined, wrong)
  }
  t.equal(tagOf('Al <sip:a@b;tag=no>;TAG=yes'), 'yes')
  t.equal(tagOf('sip:a@b'), undefined)
  t.equal(tagOf('"'), undefined)
})

t.test('[FX7] an address is written so that nothing in it can end it early', async t => {
  t.equal(formatNameAddr({ uri: 'sip:a@b', params: new Map([['lr', '']]) }), '<sip:a@b>;lr')
  t.equal(
    formatNameAddr({ displayName: 'Al', uri: 'sip:a@b', params: new Map([['tag', 'x']]) }),
    'Al <sip:a@b>;tag=x',
  )
  const evil = 'x"\\ <sip:m@m>\r\nTo: m\0'
  const text = formatNameAddr({
    displayName: evil,
    uri: 'sip:a@b>\r\nTo: <m',
    params: new Map([['tag', evil]]),
  })
  t.notMatch(text, /[\0\r\n]/)
  t.equal(text, '"x\\"\\\\ <sip:m@m> To: m " <sip:a@b%3E%20To:%20%3Cm>;tag="x\\"\\\\ <sip:m@m> To: m "')
  t.match(parseNameAddr(formatNameAddr({ displayName: evil, uri: 'sip:a@b', params: new Map() })), {
    displayName: 'x"\\ <sip:m@m> To: m ',
  })
})

t.test('Via and CSeq are read and written', async t => {
  const via = parseVia('SIP/2.0/wss [::1]:5061;branch=z9hG4bK1;rport')
  t.match(via, { transport: 'WSS', host: '[::1]', port: 5061 })
  t.equal(via && formatVia(via), 'SIP/2.0/WSS [::1]:5061;branch=z9hG4bK1;rport')
  t.equal(formatVia({ transport: 'WS', host: 'x.invalid', params: new Map() }), 'SIP/2.0/WS x.invalid')
  for (const wrong of ['', 'SIP/2.0 a', 'SIP/2.0/WS', 'SIP/2.0/WS a b', 'SIP/2.0/WS a;', 'SIP/2.0/WS a:b']) {
    t.equal(parseVia(wrong), undefined, wrong)
  }
  t.same(parseCseq('0042  INVITE'), { seq: 42, method: 'INVITE' })
  t.equal(formatCseq({ seq: 0, method: 'BYE' }), '0 BYE')
  for (const wrong of ['', '1', 'INVITE', '1 INVITE x', '2147483648 BYE'])
    t.equal(parseCseq(wrong), undefined, wrong)
})

t.test('a response carries what leads it back, and its own tag', async t => {
  const request = read(register.replace('\r\nMax', '\r\nVia: SIP/2.0/WS b.invalid\r\nMax'))
  if (!('method' in request)) throw new Error('no request')
  const trying = responseTo(request, 100)
  t.same(
    [...trying.headers],
    [
      ['Via', 'SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKasudf'],
      ['Via', 'SIP/2.0/WS b.invalid'],
      ['From', '"alice" <sip:alice@example.com>;tag=65bnmj.34asd'],
      ['To', '<sip:alice@example.com>'],
      ['Call-ID', 'aiuy7k9njasd'],
      ['CSeq', '1 REGISTER'],
    ],
  )
  t.match(trying, { status: 100, reason: 'Trying', body: '' })
  const answer = responseTo(request, 200, { toTag: 'x1', headers: [['Expires', '60']], body: 'hi' })
  t.equal(answer.headers.get('To'), '<sip:alice@example.com>;tag=x1')
  t.equal(answer.headers.get('Expires'), '60')
  t.match(serialize(answer), /^SIP\/2\.0 200 OK\r\nVia: .*\r\nExpires: 60\r\nContent-Length: 2\r\n\r\nhi$/s)
  request.headers.set('To', '<sip:alice@example.com>;tag=theirs')
  t.equal(responseTo(request, 200, { toTag: 'x1' }).headers.get('To'), '<sip:alice@example.com>;tag=theirs')
  request.headers.delete('To')
  t.equal(responseTo(request, 299, { toTag: 'x1' }).headers.get('To'), undefined)
  t.equal(responseTo(request, 299).reason, '')
  t.equal(responseTo(request, 486, { reason: 'Gone Fishing' }).reason, 'Gone Fishing')
  t.equal(reasonPhrases[487], 'Request Terminated')
})

t.test('Content-Length is what the body has, whatever a header field says', async t => {
  const message = { method: 'MESSAGE', uri: 'sip:a@b', headers: new Headers([['l', '3']]), body: 'größe' }
  t.equal(serialize(message), 'MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 7\r\n\r\ngröße')
})

t.test('[FX7] no CR, LF or NUL gets from a value into a head', async t => {
  const evil = 'a\r\nX-Evil: 1\r\n\r\nbody\0'
  const headers = new Headers([
    ['Subject', evil],
    ['X-Param', evil],
  ])
  const request = serialize({ method: 'INFO', uri: `sip:${evil}@b`, headers, body: '' })
  const plain = 'a X-Evil: 1 body '
  t.equal(
    request,
    `INFO sip:a%0D%0AX-Evil:%201%0D%0A%0D%0Abody%00@b SIP/2.0\r\nSubject: ${plain}\r\nX-Param: ${plain}\r\nContent-Length: 0\r\n\r\n`,
  )
  const response = serialize({ status: 200, reason: evil, headers, body: '' })
  t.equal(
    response,
    `SIP/2.0 200 ${plain}\r\nSubject: ${plain}\r\nX-Param: ${plain}\r\nContent-Length: 0\r\n\r\n`,
  )
  t.throws(() => serialize({ method: 'IN FO', uri: 'sip:a@b', headers, body: '' }), { name: 'TypeError' })
})
