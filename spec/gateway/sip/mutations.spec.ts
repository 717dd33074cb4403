// [FS1] Mutated messages, as PROTOS did it: whatever comes, parsing does not throw, takes little time, and what was read
// can be written and read again. A seeded mutator changes characters of the torture messages and of the SDKs' own.
//
// The seed is printed; `SEED=… npx tap …` runs the same, `SIP_MUTATIONS=…` another number of them.

import t from 'tap'
import { parse } from '../../../src/gateway/dialects/sip/parse.js'
import { responseTo } from '../../../src/gateway/dialects/sip/response.js'
import { serialize } from '../../../src/gateway/dialects/sip/serialize.js'
import { type Chance, chanceOf, seedOf } from '../../support/chance.js'
import { beyond } from './torture/beyond.js'
import { invalid } from './torture/invalid.js'
import { valid } from './torture/valid.js'

const count = Number(process.env.SIP_MUTATIONS ?? 1_000_000)
/** Mutations of one text before the next is taken up, each on top of the one before. */
const depth = 8
const batch = 10_000

const jssip = [
  'INVITE sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/WS 4n0qk3d1v5jc.invalid;branch=z9hG4bK8251914',
  'Max-Forwards: 69',
  'To: <sip:bob@example.com>',
  'From: "Alice" <sip:alice@example.com>;tag=qs6bjj2qkq',
  'Call-ID: 1fl3b3vdfe5k9cqe9b2n',
  'CSeq: 7301 INVITE',
  'Authorization: Digest algorithm=MD5, username="alice", realm="acme", nonce="n", uri="sip:bob@example.com", response="r", qop=auth, cnonce="c", nc=00000001',
  'Contact: <sip:alice@example.com;gr=urn:uuid:f81d4fae;ob>',
  'Content-Type: application/sdp',
  'Session-Expires: 90',
  'Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY',
  'Supported: timer,ice,replaces,outbound',
  'User-Agent: JsSIP 3.13.8',
  'Content-Length: 0',
  '',
  '',
].join('\r\n')

const corpus = [
  ...[...valid, ...beyond, ...invalid].map(({ text }) => text),
  ...Array<string>(10).fill(jssip),
]

const words = [
  ...[
    '\r\n',
    '\r\n ',
    '\r\n\r\n',
    '\r',
    '\n',
    '\0',
    '\t',
    ' ',
    '"',
    '\\',
    '<',
    '>',
    ';',
    ',',
    ':',
    '=',
    '?',
    '@',
    '%',
  ],
  ...[
    '%00',
    '%s%n',
    '%zz',
    '\u00ff',
    '\uFEFF',
    '\ud800',
    'ß',
    '[::1]',
    '127.0.0.1',
    ';;',
    ',,',
    '""',
    '<>',
    '*',
  ],
  ...[
    '-1',
    '0',
    '255',
    '256',
    '65536',
    '2147483648',
    '4294967296',
    '9'.repeat(30),
    'a'.repeat(300),
    ' '.repeat(300),
  ],
  ...['SIP/2.0', 'sip:', 'tel:', 'Via: ', 'l: 0\r\n', 'To: x\r\n', 'CSeq : 1 INVITE\r\n', 'z9hG4bK', ';tag='],
]

const mutated = (text: string, chance: Chance): string => {
  // Most of what is looked at is near the beginning of something.
  const at = chance.below(text.length + 1)
  const end = at + 1 + chance.below(chance.odds(0.8) ? 4 : 200)
  switch (chance.below(6)) {
    case 0:
      return text.slice(0, at) + chance.pick(words) + text.slice(at)
    case 1:
      return text.slice(0, at) + chance.pick(words) + text.slice(end)
    case 2:
      return text.slice(0, at) + String.fromCharCode(chance.below(256)) + text.slice(at + 1)
    case 3:
      return text.slice(0, at) + text.slice(end)
    case 4:
      return text.slice(0, end) + text.slice(at)
    default: {
      const other = chance.pick(corpus)
      const from = chance.below(other.length)
      return text.slice(0, at) + other.slice(from, from + end - at) + text.slice(end)
    }
  }
}

const withText = (text: string, work: () => void): void => {
  try {
    work()
  } catch (error) {
    throw new Error(`${JSON.stringify(text)}: ${String(error)}`)
  }
}

t.test('[FS1] a mutated message is read or refused, quickly, and what is read is written', async t => {
  const chance = chanceOf(seedOf(t))
  const outcomes = { read: 0, answered: 0, dropped: 0 }
  let slowest = 0
  let text = ''
  for (let done = 0; done < count; done += batch) {
    const begun = process.cpuUsage()
    for (let each = 0; each < batch; each++) {
      text = mutated(each % depth === 0 ? chance.pick(corpus) : text, chance)
      withText(text, () => {
        const read = parse(text)
        if (read.ok) {
          outcomes.read++
          const written = serialize(read.message)
          const again = parse(written)
          if (!again.ok) throw new Error(`what was written is refused: ${again.reason}`)
          if (serialize(again.message) !== written) throw new Error('what was written reads otherwise')
        } else if (read.partial === undefined) {
          outcomes.dropped++
        } else {
          outcomes.answered++
          if (each % 8 !== 0) return
          const answer = serialize(responseTo(read.partial, read.status, { toTag: 'x' }))
          if (/\0|\r(?!\n)|[^\r]\n/.test(answer)) throw new Error('an answer has what ends a line')
        }
      })
    }
    slowest = Math.max(slowest, process.cpuUsage(begun).user)
  }
  t.comment(JSON.stringify({ ...outcomes, slowest }))
  t.ok(slowest < 5_000_000, `${batch} took ${slowest} µs`)
  t.ok(Math.min(...Object.values(outcomes)) > count / 50, 'each outcome is met')
})
