// Transactions by themselves: a request is answered once for all, and again as before when it comes again.

import t from 'tap'
import { Agenda } from '../../../src/gateway/dialects/sip/agenda.js'
import type { SipMessage, SipRequest } from '../../../src/gateway/dialects/sip/message.js'
import { parse } from '../../../src/gateway/dialects/sip/parse.js'
import { responseTo } from '../../../src/gateway/dialects/sip/response.js'
import { Transactions, transactionMs } from '../../../src/gateway/dialects/sip/transactions.js'
import { VirtualClock } from '../../../src/runtime/index.js'

const request = (): SipRequest => {
  const parsed = parse(
    [
      'OPTIONS sip:hub@example.com SIP/2.0',
      'Via: SIP/2.0/WS client.invalid;branch=z9hG4bK1',
      'Max-Forwards: 70',
      'From: <sip:alice@example.com>;tag=1',
      'To: <sip:hub@example.com>',
      'Call-ID: once',
      'CSeq: 1 OPTIONS',
      '',
      '',
    ].join('\r\n'),
  )
  return (parsed as { message: SipRequest }).message
}

t.test(
  'what comes after a final response is not said, and a request that comes again is answered as before',
  async t => {
    const clock = new VirtualClock()
    const sent: SipMessage[] = []
    const transactions = new Transactions(message => void sent.push(message), new Agenda(clock))
    const transaction = transactions.begin(request())
    t.ok(transaction)
    const answer = (status: number) => transactions.respond(transaction!, responseTo(request(), status))
    answer(100)
    answer(200)
    answer(486)
    t.equal(transactions.begin(request()), undefined)
    t.same(
      sent.map(message => (message as { status: number }).status),
      [100, 200, 200],
    )
    clock.advance(transactionMs)
    t.equal(transactions.size, 0)
  },
)
