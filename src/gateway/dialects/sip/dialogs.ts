// A dialog (RFC 3261, section 12): what its two ends agree on, and the requests that go out in it. The other end is
// the client at the other side of one connection, with nobody between: there is no route set.

import { parseNameAddr, tagOf } from './address.js'
import { type Field, Headers, type SipRequest, type SipResponse } from './message.js'
import { newVia } from './transactions.js'
import { parseCseq } from './via.js'

export const maxForwards: Field = ['Max-Forwards', '70']

interface Ends {
  readonly callId: string
  /** From and To of what goes out: ours with its tag, and the client's with its. */
  readonly local: string
  readonly remote: string
  /** Where the client wants its requests, as it wrote it. */
  readonly target: string
  /** The last CSeq of each. */
  readonly localSeq: number
  readonly remoteSeq: number
}

const seqOf = (message: SipRequest | SipResponse): number =>
  (parseCseq(message.headers.get('CSeq') as string) as { seq: number }).seq

/** Where a message says that its sender is to be reached; else by the sender's own address. */
const targetOf = ({ headers }: SipRequest | SipResponse, sender: string): string => {
  const address = parseNameAddr(headers.get('Contact') ?? '') ?? parseNameAddr(sender)
  return (address as { uri: string }).uri
}

export class Dialog {
  readonly callId: string
  readonly #local: string
  readonly #remote: string
  #target: string
  #localSeq: number
  #remoteSeq: number

  constructor({ callId, local, remote, target, localSeq, remoteSeq }: Ends) {
    this.callId = callId
    this.#local = local
    this.#remote = remote
    this.#target = target
    this.#localSeq = localSeq
    this.#remoteSeq = remoteSeq
  }

  /** The dialog that a request of the client begins, under our tag. */
  static begunBy(request: SipRequest, tag: string): Dialog {
    const { headers } = request
    const remote = headers.get('From') as string
    return new Dialog({
      callId: headers.get('Call-ID') as string,
      local: `${headers.get('To')};tag=${tag}`,
      remote,
      target: targetOf(request, remote),
      localSeq: 0,
      remoteSeq: seqOf(request),
    })
  }

  /** The dialog that a response of the client begins. */
  static answeredBy(response: SipResponse): Dialog {
    const { headers } = response
    const remote = headers.get('To') as string
    return new Dialog({
      callId: headers.get('Call-ID') as string,
      local: headers.get('From') as string,
      remote,
      target: targetOf(response, remote),
      localSeq: seqOf(response),
      remoteSeq: -1,
    })
  }

  /** The client's tag. */
  get remoteTag(): string | undefined {
    return tagOf(this.#remote)
  }

  /** Whether a request of the client is in its turn (section 12.2.2); it is the last one then. */
  takes(request: SipRequest): boolean {
    const seq = seqOf(request)
    if (seq <= this.#remoteSeq) return false
    this.#remoteSeq = seq
    if (request.headers.has('Contact')) this.#target = targetOf(request, this.#remote)
    return true
  }

  /** The next request to the client. */
  request(method: string, fields: readonly Field[] = [], body = ''): SipRequest {
    this.#localSeq++
    return this.#build(method, this.#localSeq, fields, body)
  }

  /** The ACK to a 2xx (section 13.2.2.4). */
  ack(response: SipResponse): SipRequest {
    return this.#build('ACK', seqOf(response), [], '')
  }

  #build(method: string, seq: number, fields: readonly Field[], body: string): SipRequest {
    const headers = new Headers([
      ['Via', newVia()],
      maxForwards,
      ['From', this.#local],
      ['To', this.#remote],
      ['Call-ID', this.callId],
      ['CSeq', `${seq} ${method}`],
      ...fields,
    ])
    return { method, uri: this.#target, headers, body }
  }
}
