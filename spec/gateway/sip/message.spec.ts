// The values that SIP messages are made of.

import t from 'tap'
import { isRequest } from '../../../src/gateway/dialects/sip/message.js'
import { parse } from '../../../src/gateway/dialects/sip/parse.js'
import { serialize } from '../../../src/gateway/dialects/sip/serialize.js'

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

t.test('a REGISTER as the SDKs send it is read and written', async t => {
  const read = parse(register)
  if (!read.ok) throw new Error(read.reason)
  t.ok(isRequest(read.message))
  t.same(read.message.headers.all('Supported'), ['path', 'gruu', 'outbound'])
  const again = parse(serialize(read.message))
  if (!again.ok) throw new Error(again.reason)
  t.same([...again.message.headers], [...read.message.headers])
  t.equal(serialize(read.message), register.replace('\nm:', '\nContact:').replace('\nk:', '\nSupported:'))
})
