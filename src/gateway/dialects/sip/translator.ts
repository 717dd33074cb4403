// One connection of a SIP client. Until its session is there it keeps next to nothing: whoever proves nothing is
// challenged, the first request that brings a proof makes the `hello`, and what comes before the hub has answered that
// waits, within bounds. From then on the user agent has it, the one that the client had before if it is the same one.

import { frameOf, type HubFrame, isCallFrame } from '../../../protocol/index.js'
import type { Message } from '../../outlet.js'
import { messageOf } from '../../outlet.js'
import type { Grant } from '../../token/index.js'
import type { Heard, Line, Translator } from '../dialect.js'
import { parseNameAddr, parseUri, uriOf } from './address.js'
import type { Request } from './agent.js'
import { statusOf } from './answers.js'
import { type Door, type Proof, senderOf } from './door.js'
import { isRequest, type SipMessage, type SipRequest } from './message.js'
import { parse } from './parse.js'
import { registers } from './registrar.js'
import { responseTo } from './response.js'
import { serialize } from './serialize.js'
import { newToken } from './transactions.js'
import { UserAgent, type Wire } from './user-agent.js'
import { parseVia } from './via.js'

/** So many characters wait for the answer to a hello. */
export const waitingLimit = 64 * 1024

/** A name for the device that a client is: that of its instance, else that of its address (RFC 5626, section 4.1). */
export const deviceOf = ({ headers }: SipRequest): string => {
  const contact = parseNameAddr(headers.get('Contact') ?? '')
  const name = contact?.params.get('+sip.instance') ?? parseUri(contact?.uri ?? '')?.user ?? ''
  return (
    name
      .replace(/^<urn:uuid:|>$/gi, '')
      .replace(/[^A-Za-z0-9_\-+@:]/g, '-')
      .slice(0, 128) || newToken()
  )
}

export class SipTranslator implements Translator, Wire {
  readonly #line: Line
  readonly #door: Door
  #agent: UserAgent | undefined
  /** Who the session was of before. */
  #earlier: SipTranslator | undefined
  /** The request that made the hello, and what came after it; undefined: there was none yet. */
  #first: SipRequest | undefined
  #waiting: SipMessage[] = []
  #waitingSize = 0
  /** The frames that are being read. */
  #reading: Heard[] | undefined
  readonly #asked = new Map<string, (reply: HubFrame) => void>()
  #refs = 0
  #seq = 0
  #acked = 0

  constructor(line: Line, door: Door) {
    this.#line = line
    this.#door = door
  }

  get agent(): UserAgent | undefined {
    return this.#agent
  }

  read(text: string): readonly Heard[] {
    const heard: Heard[] = []
    this.#reading = heard
    if (/^[\r\n]*$/.test(text)) this.#keepAlive(text)
    else this.#receive(text)
    this.#reading = undefined
    // What a lost connection takes with it is told again, or gone: no frame is wanted twice.
    if (this.#seq > this.#acked) {
      this.#acked = this.#seq
      heard.push(frameOf({ type: 'ack', seq: this.#seq }, ''))
    }
    return heard
  }

  write(frame: HubFrame): readonly Message[] {
    if (isCallFrame(frame)) this.#seq = frame.seq as number
    const ref = 'ref' in frame ? (frame.ref as string) : ''
    const answered = this.#asked.get(ref)
    this.#asked.delete(ref)
    if (answered !== undefined) answered(frame)
    else this.#agent?.hear(frame)
    return []
  }

  follow(earlier: Translator): void {
    if (earlier instanceof SipTranslator) this.#earlier = earlier
  }

  closed(): void {
    this.#agent?.rest()
  }

  send(message: SipMessage): void {
    this.#line.say(messageOf(serialize(message)))
  }

  ask({ grant, ...frame }: Request, answered?: (reply: HubFrame) => void): void {
    this.#refs++
    const ref = String(this.#refs)
    this.#asked.set(ref, answered ?? (() => {}))
    const decoded = frameOf({ ...frame, ref }, '')
    const heard: Heard = grant === undefined ? decoded : { ...decoded, grant: grant as Grant }
    if (this.#reading === undefined) this.#line.hear(heard)
    else this.#reading.push(heard)
  }

  /** RFC 5626, section 4.4.1: two line ends ask for one, which asks for nothing. */
  #keepAlive(text: string): void {
    if (text === '\r\n\r\n') this.#line.say(messageOf('\r\n'))
  }

  #receive(text: string): void {
    const parsed = parse(text)
    if (!parsed.ok) {
      const { partial, reason, status } = parsed
      if (partial !== undefined) this.send(responseTo(partial, status, { reason, toTag: newToken() }))
      return
    }
    const { message } = parsed
    const via = parseVia(message.headers.get('Via') as string)
    const asks = isRequest(message) && message.method !== 'ACK'
    if (asks && via?.params.get('branch') === undefined) {
      this.send(responseTo(message, 400, { reason: 'Via Without a Branch', toTag: newToken() }))
    } else if (this.#agent !== undefined) this.#agent.receive(message)
    else if (this.#first !== undefined) this.#wait(message, text.length)
    else if (asks) this.#greet(message)
  }

  #wait(message: SipMessage, size: number): void {
    this.#waitingSize += size
    if (this.#waitingSize <= waitingLimit) this.#waiting.push(message)
    else if (isRequest(message)) {
      this.send(responseTo(message, 503, { toTag: newToken(), headers: [['Retry-After', '1']] }))
    }
  }

  #greet(request: SipRequest): void {
    const proof = this.#door.prove(request)
    if (!proof.ok) {
      this.send(proof.response)
      return
    }
    this.#first = request
    const { token, grant } = proof
    const hello = {
      type: 'hello',
      token,
      device: deviceOf(request),
      status: registers(request) ? 'available' : 'offline',
      client: (request.headers.get('User-Agent') ?? 'SIP').slice(0, 128),
      ...(grant && { grant }),
    }
    this.ask(hello, reply => {
      if (reply.type === 'welcome') this.#enter(request, reply.account)
      else this.#turnAway(request, reply as { code: string })
    })
  }

  #turnAway(request: SipRequest, { code }: { code: string }): void {
    const status = statusOf(code)
    this.send(
      status === 401 ? this.#door.challenge(request) : responseTo(request, status, { toTag: newToken() }),
    )
  }

  /** The session is there. */
  #enter(request: SipRequest, account: string): void {
    const { domain } = senderOf(request)
    const contact = parseNameAddr(request.headers.get('Contact') ?? '')?.uri ?? uriOf(account, domain)
    const there = registers(request)
    const known = this.#earlier?.leave(contact)
    this.#earlier = undefined
    this.#agent =
      known ??
      new UserAgent(this.#line.clock, this, (again): Proof => this.#door.prove(again), {
        account,
        domain,
        contact,
        there,
      })
    known?.resume(this, there)
    this.#agent.receive(request, true)
    for (const message of this.#waiting) this.#agent.receive(message)
    this.#waiting = []
  }

  /** The client goes on elsewhere: its user agent, if it is the same application, which has the same address. */
  leave(contact: string): UserAgent | undefined {
    const agent = this.#agent
    agent?.rest()
    this.#agent = undefined
    return agent?.contact === contact ? agent : undefined
  }
}
