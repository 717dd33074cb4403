// The npm package `sip`, written by others long before, as an oracle: of any valid message both parsers say the same, and
// each reads what the other has written.

import { createRequire } from 'node:module'
import fc from 'fast-check'
import t from 'tap'
import { formatNameAddr, formatUri, parseUri, uriOf } from '../../../src/gateway/dialects/sip/address.js'
import { Headers, isRequest, type SipMessage } from '../../../src/gateway/dialects/sip/message.js'
import { parse } from '../../../src/gateway/dialects/sip/parse.js'
import { serialize } from '../../../src/gateway/dialects/sip/serialize.js'
import { formatVia } from '../../../src/gateway/dialects/sip/via.js'
import { mainValues } from './main-values.js'

/** What `sip` makes of an address, a Via and a message. */
interface Address {
  readonly name?: string
  readonly uri: string
  readonly params: Readonly<Record<string, string | null>>
}
interface OraclesVia extends Pick<Address, 'params'> {
  readonly protocol: string
  readonly host: string
  readonly port?: number
}
interface Oracles {
  readonly method?: string
  readonly uri?: string
  readonly status?: number
  readonly reason?: string
  readonly headers: {
    readonly via: readonly OraclesVia[]
    readonly to: Address
    readonly from: Address
    readonly contact?: readonly Address[]
    readonly cseq: { readonly seq: number; readonly method: string }
    readonly 'call-id': string
    readonly 'max-forwards'?: string
    readonly subject?: string
  }
  readonly content: string
}
const oracle = createRequire(import.meta.url)('sip') as {
  parse(bytes: Buffer): Oracles
  stringify(message: Oracles): string
}

/** It takes bytes for characters. */
const listen = (text: string): Oracles =>
  JSON.parse(JSON.stringify(oracle.parse(Buffer.from(text))), (_, value) =>
    typeof value === 'string' ? Buffer.from(value, 'latin1').toString() : value,
  )

const read = (text: string): SipMessage => {
  const found = parse(text)
  if (!found.ok) throw new Error(`${found.reason}: ${text}`)
  return found.message
}

const unquoted = (text: string | null | undefined): string =>
  (text ?? '').replace(/^"(.*)"$/s, '$1').replace(/\\(.)/gs, '$1')

const paramsOf = (params: Address['params']) =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, unquoted(value)]))

const addressOf = ({ name, uri, params }: Address) => ({
  name: unquoted(name),
  uri,
  params: paramsOf(params),
})

const theirs = ({ method, uri, status, reason, headers, content }: Oracles) => ({
  ...{ method, uri, status, reason, body: content },
  vias: headers.via.map(({ protocol, host, port, params }) => ({
    protocol,
    host,
    port,
    params: paramsOf(params),
  })),
  from: addressOf(headers.from),
  to: addressOf(headers.to),
  contacts: (headers.contact ?? []).map(addressOf),
  cseq: headers.cseq,
  callId: headers['call-id'],
  maxForwards: Number(headers['max-forwards']),
  subject: headers.subject,
})

const ours = (message: SipMessage) => {
  const values = mainValues(message)
  const address = (of: (typeof values)['from']) =>
    of && { name: of.displayName ?? '', uri: of.uri, params: of.params }
  return {
    ...(isRequest(message)
      ? { method: message.method, uri: message.uri, status: undefined, reason: undefined }
      : { method: undefined, uri: undefined, status: message.status, reason: message.reason }),
    body: values.body,
    vias: values.vias.map(via => ({
      protocol: via?.transport,
      host: via?.host,
      port: via?.port,
      params: via?.params,
    })),
    from: address(values.from),
    to: address(values.to),
    contacts: values.contacts.map(address),
    cseq: values.cseq,
    callId: values.callId,
    maxForwards: values.maxForwards,
    subject: values.fields.Subject,
  }
}

const from = (chars: string, most = 12) =>
  fc.string({ unit: fc.constantFrom(...chars), minLength: 1, maxLength: most })
const alphanumeric = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
// A token of all digits among the parameters would be put first by an object.
const token = fc.tuple(from('abcxyzABC'), from(`${alphanumeric}-.!%*_+\`'~`)).map(pair => pair.join(''))
const host = fc.oneof(
  fc.constantFrom('example.com', '192.0.2.7', 'a-b.invalid'),
  from('abc09').map(name => `${name}.test`),
)
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined })
// The oracle forgets that a quote was escaped at the end of a value, and knows no UTF-8 beyond one line of it.
const quotable = from(`${alphanumeric} ;,=<>@:?&größ大"\\`, 20).map(text => text.trim() || 'x')
const params = fc
  .dictionary(
    token.map(name => name.toLowerCase()),
    fc.oneof(
      fc.constant(''),
      token,
      quotable.map(text => text.replace(/[<>"\\]/g, '-')),
    ),
    { maxKeys: 4 },
  )
  .map(entries => new Map(Object.entries(entries)))
const account = fc.oneof(token, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }))
const uri = fc.oneof(
  fc.tuple(account, host).map(([name, at]) => uriOf(name, at)),
  fc
    .tuple(fc.constantFrom('sip', 'sips'), host, port)
    .map(([scheme, at, number]) => `${scheme}:${at}${number ? `:${number}` : ''}`),
)
const address = fc
  .record({ displayName: fc.option(quotable, { nil: undefined }), uri, params })
  .map(({ displayName, ...rest }) =>
    formatNameAddr({ ...rest, ...(displayName !== undefined && { displayName }) }),
  )
const via = fc
  .record({ transport: fc.constantFrom('WS', 'WSS', 'TCP'), host, port, params, branch: token })
  .map(({ port, params, branch, ...rest }) =>
    formatVia({
      ...rest,
      ...(port !== undefined && { port }),
      params: new Map([...params, ['branch', `z9hG4bK${branch}`]]),
    }),
  )
const fields = fc.record({
  vias: fc.array(via, { minLength: 1, maxLength: 3 }),
  ...{ from: address, to: address, callId: token, seq: fc.integer({ min: 0, max: 2 ** 31 - 1 }) },
  contacts: fc.array(address, { maxLength: 3 }),
  maxForwards: fc.integer({ min: 0, max: 255 }),
  subject: from(`${alphanumeric} ,;:"<>`, 30).map(text => text.trim() || 'x'),
  body: fc.oneof(fc.constant(''), from(`${alphanumeric} \r\n=:größ`, 60)),
  // It takes % for an escape in a method, which it is not (RFC 4475, section 3.1.1.5).
  method: fc.oneof(
    fc.constantFrom('INVITE', 'REGISTER', 'MESSAGE'),
    token.map(name => name.replaceAll('%', '!')),
  ),
  compact: fc.boolean(),
  apart: fc.boolean(),
})

const headersOf = (of: typeof fields extends fc.Arbitrary<infer T> ? T : never): Headers => {
  const headers = new Headers()
  for (const value of of.apart ? of.vias : [of.vias.join(', ')]) headers.add('Via', value)
  headers.add('From', of.from).add('To', of.to).add('Call-ID', of.callId)
  headers
    .add('CSeq', `${of.seq} ${of.method}`)
    .add('Max-Forwards', `${of.maxForwards}`)
    .add('Subject', of.subject)
  if (of.contacts.length > 0) headers.add('Contact', of.contacts.join(of.apart ? ', ' : ' ,'))
  return headers
}

const message = fc.oneof(
  fc
    .tuple(fields, uri)
    .map(([of, to]) => ({ method: of.method, uri: to, headers: headersOf(of), body: of.body, of })),
  fc
    .tuple(fields, fc.integer({ min: 100, max: 699 }), from(`${alphanumeric} `, 20))
    .map(([of, status, phrase]) => ({
      status,
      reason: phrase.trim(),
      headers: headersOf(of),
      body: of.body,
      of,
    })),
)

const short = [
  ['Via', 'v'],
  ['From', 'f'],
  ['To', 't'],
  ['Call-ID', 'i'],
  ['Contact', 'm'],
  ['Subject', 's'],
]

t.test('both parsers say the same of any valid message', async t => {
  fc.assert(
    fc.property(message, ({ of, ...written }) => {
      let text = serialize(written)
      if (of.compact)
        for (const [name, letter] of short) text = text.replaceAll(`\n${name}: `, `\n${letter} :\r\n\t`)
      t.strictSame(ours(read(text)), theirs(listen(text)))
    }),
    { numRuns: 300 },
  )
})

t.test('each reads what the other has written', async t => {
  fc.assert(
    fc.property(message, ({ of, ...written }) => {
      const first = listen(serialize(written))
      // It counts characters.
      const text = oracle.stringify(first).replace(/^Content-Length: .*\r\n/m, '')
      t.strictSame(ours(read(text)), theirs(first))
      t.strictSame(theirs(listen(serialize(read(text)))), theirs(first))
    }),
    { numRuns: 300 },
  )
})

t.test('a URI survives being read and written', async t => {
  fc.assert(
    fc.property(fc.tuple(uri, params), ([text, more]) => {
      const known = parseUri(text)
      if (known === undefined) throw new Error(text)
      const whole = { ...known, params: more, headers: more }
      t.strictSame(parseUri(formatUri(whole)), whole)
    }),
    { numRuns: 300 },
  )
})
