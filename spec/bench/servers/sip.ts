// The SIP messages alone, in process: read and written by the hub's own words, and by the npm package `sip`.

import { createRequire } from 'node:module'
import { parse } from '../../../src/gateway/dialects/sip/parse.js'
import { serialize } from '../../../src/gateway/dialects/sip/serialize.js'
import { serve } from './serve.js'

export interface Load {
  readonly message: keyof typeof texts
  readonly total: number
}

const common = (method: string): string[] => [
  'Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK8251914',
  'Max-Forwards: 69',
  'To: <sip:alice@example.com>',
  'From: "Alice" <sip:alice@example.com>;tag=qs6bjj2qkq',
  'Call-ID: 1fl3b3vdfe5k9cqe9b2n',
  `CSeq: 7301 ${method}`,
  'Contact: <sip:4n0qk3d1@df7jal23ls0d.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";expires=600',
  'Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY',
  'Supported: path,gruu,outbound',
  'User-Agent: JsSIP 3.13.8',
]

const candidate = 'a=candidate:1467250027 1 udp 2122260223 192.0.2.7 46154 typ host generation 0 network-id 1'
const description = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8']
const body = `${[...description, ...Array<string>(20).fill(candidate)].join('\r\n')}\r\n`

const texts = {
  register: `REGISTER sip:example.com SIP/2.0\r\n${[...common('REGISTER'), 'Expires: 600', 'Content-Length: 0'].join('\r\n')}\r\n\r\n`,
  invite: `INVITE sip:bob@example.com SIP/2.0\r\n${[...common('INVITE'), 'Content-Type: application/sdp', `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`,
}

interface Theirs {
  parse(text: string): object
  stringify(message: object): string
}

serve(async () => {
  const theirs = createRequire(import.meta.url)('sip') as Theirs
  const perSecond =
    (exchange: (text: string) => string) =>
    ({ message, total }: Load): number => {
      const text = texts[message]
      const begun = performance.now()
      for (let done = 0; done < total; done++) {
        if (exchange(text).length < text.length / 2) throw new Error('something was lost')
      }
      return (total / (performance.now() - begun)) * 1000
    }
  return {
    info: {},
    answers: {
      ours: perSecond(text => {
        const read = parse(text)
        if (!read.ok) throw new Error(read.reason)
        return serialize(read.message)
      }),
      theirs: perSecond(text => {
        return theirs.stringify(theirs.parse(text))
      }),
    },
  }
})
