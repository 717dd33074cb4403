// A SIP phone that says exactly what a spec tells it, over a real WebSocket. It reads and writes the text of messages by
// itself, with nothing of the hub's own reading and writing of them.

import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { SipAccount } from '../../src/gateway/token/index.js'
import type { AccountId, TenantId } from '../../src/protocol/index.js'
import { type Client, newStand, type Stand, type StandOptions, until } from './gateway.js'

export interface Said {
  readonly start: string
  readonly method: string
  readonly status: number
  readonly body: string
  readonly text: string
  /** The first value of a header field. */
  of(name: string): string
  all(name: string): string[]
}

const read = (text: string): Said => {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [start = '', ...lines] = head.split('\r\n')
  const fields = lines.map(line => {
    const at = line.indexOf(':')
    return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()] as const
  })
  const all = (name: string): string[] =>
    fields.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value)
  const [first = '', second = ''] = start.split(' ')
  return {
    start,
    method: first === 'SIP/2.0' ? '' : first,
    status: first === 'SIP/2.0' ? Number(second) : 0,
    body: rest.join('\r\n\r\n'),
    text,
    of: name => all(name)[0] ?? '',
    all,
  }
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/** What SIP accounts may. */
export const sipScopes = new Set(['presence:register', 'presence:read', 'call:receive', 'call:place'])

/** SIP accounts of `acme`, all with one secret. */
export const sipAccounts = (
  names: readonly string[] = ['alice', 'bob', 'carol'],
  change: Partial<SipAccount> = {},
) => ({
  find: (domain: string, account: string): SipAccount | undefined =>
    domain === 'acme' && names.includes(account)
      ? {
          tenant: 'acme' as TenantId,
          account: account as AccountId,
          secret: 'a long secret',
          algorithm: 'MD5',
          scopes: sipScopes,
          ...change,
        }
      : undefined,
})

export interface Dialogue {
  readonly callId: string
  readonly from: string
  readonly to: string
  readonly target: string
  seq: number
}

export interface Asking {
  readonly uri?: string
  readonly from?: string
  readonly to?: string
  readonly callId?: string
  readonly branch?: string
  readonly seq?: number
  readonly headers?: readonly string[]
  readonly body?: string
}

export class SipPhone {
  readonly ws: WebSocket
  readonly closed: Promise<number>
  readonly account: string
  readonly contact: string
  /** Everything that came. */
  readonly heard: Said[] = []
  readonly texts: string[] = []
  #read = 0
  #wake = (): void => {}

  constructor(port: number, account: string, contact = `${account}-ws`) {
    this.account = account
    this.contact = `sip:${contact}@phone.invalid;transport=ws`
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/sip`, ['sip'])
    this.ws.on('error', () => {})
    this.closed = new Promise(resolve => {
      this.ws.on('close', code => resolve(code))
    })
    this.ws.on('message', data => {
      const text = data.toString()
      this.texts.push(text)
      if (text.trim() !== '') this.heard.push(read(text))
      this.#wake()
    })
  }

  say(text: string): void {
    this.ws.send(text)
  }

  /** The next message that is so; what comes before it is passed over. */
  async next(is: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      while (this.#read < this.heard.length) {
        const said = this.heard[this.#read++]!
        if (is(said)) return said
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  request(method: string): Promise<Said> {
    return this.next(said => said.method === method)
  }

  /** The next response to a request of that method, beyond 100 unless one asks for that. */
  response(method: string, least = 101): Promise<Said> {
    return this.next(said => said.status >= least && said.of('CSeq').endsWith(` ${method}`))
  }

  /** A request without a dialog, as text. */
  compose(method: string, asking: Asking = {}): string {
    const aor = `sip:${this.account}@acme`
    const { uri = 'sip:acme', headers = [], body = '', seq = 1 } = asking
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/WS phone.invalid;branch=${asking.branch ?? `z9hG4bK${randomUUID()}`}`,
      'Max-Forwards: 70',
      `From: ${asking.from ?? `<${aor}>;tag=${randomUUID()}`}`,
      `To: ${asking.to ?? `<${aor}>`}`,
      `Call-ID: ${asking.callId ?? randomUUID()}`,
      `CSeq: ${seq} ${method}`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    return `${lines.join('\r\n')}\r\n\r\n${body}`
  }

  /** Says a request, and gives its final response. */
  async ask(method: string, asking: Asking = {}): Promise<Said> {
    this.say(this.compose(method, asking))
    return this.next(said => said.status >= 200 && said.of('CSeq').endsWith(` ${method}`))
  }

  /** What answers a challenge. */
  digest(challenged: Said, method: string, uri: string, username = this.account, secret = 'a long secret') {
    const asked = challenged.of('WWW-Authenticate')
    const [, realm = ''] = /realm="([^"]*)"/.exec(asked)!
    const [, nonce = ''] = /nonce="([^"]*)"/.exec(asked)!
    const response = md5(
      `${md5(`${username}:${realm}:${secret}`)}:${nonce}:00000001:c:auth:${md5(`${method}:${uri}`)}`,
    )
    return `Authorization: Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, cnonce="c", qop=auth, nc=00000001`
  }

  registerHeaders(seconds: number): string[] {
    return [`Contact: <${this.contact}>;expires=${seconds}`]
  }

  /** Registers by its secret. */
  async register(seconds = 600, headers: readonly string[] = []): Promise<Said> {
    const own = [...this.registerHeaders(seconds), ...headers]
    const challenged = await this.ask('REGISTER', { headers: own })
    return this.ask('REGISTER', {
      headers: [...own, this.digest(challenged, 'REGISTER', 'sip:acme')],
      seq: 2,
    })
  }

  /** Answers a request. */
  reply(to: Said, status: number, { tag = '', headers = [] as readonly string[], body = '' } = {}): void {
    const lines = [
      `SIP/2.0 ${status} As Told`,
      ...to.all('Via').map(value => `Via: ${value}`),
      `From: ${to.of('From')}`,
      `To: ${to.of('To')}${tag === '' ? '' : `;tag=${tag}`}`,
      `Call-ID: ${to.of('Call-ID')}`,
      `CSeq: ${to.of('CSeq')}`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    this.say(`${lines.join('\r\n')}\r\n\r\n${body}`)
  }

  /** The dialog that an answer to a request of the phone's began. */
  dialogue(asked: { from: string; callId: string }, answer: Said): Dialogue {
    const [, target = ''] = /<(.*)>/.exec(answer.of('Contact')) ?? []
    return { callId: asked.callId, from: asked.from, to: answer.of('To'), target, seq: 1 }
  }

  /** The dialog that a request of the hub's began, answered under this tag. */
  answered(request: Said, tag: string): Dialogue {
    const [, target = ''] = /<(.*)>/.exec(request.of('Contact')) ?? []
    return {
      callId: request.of('Call-ID'),
      from: `${request.of('To')};tag=${tag}`,
      to: request.of('From'),
      target,
      seq: 0,
    }
  }

  /** A request within a dialog, as text. */
  within(dialogue: Dialogue, method: string, asking: Asking = {}): string {
    if (method !== 'ACK') dialogue.seq++
    return this.compose(method, { uri: dialogue.target, ...dialogue, ...asking })
  }

  async askWithin(dialogue: Dialogue, method: string, asking: Asking = {}): Promise<Said> {
    this.say(this.within(dialogue, method, asking))
    return this.response(method, 200)
  }

  /** Calls, and gives the dialog once it is answered and acknowledged. */
  async call(to: string, body = offer): Promise<{ dialogue: Dialogue; answer: Said }> {
    const asked = this.inviting(to)
    this.say(this.compose('INVITE', { ...asked, ...media(body) }))
    const answer = await this.response('INVITE', 200)
    const dialogue = this.dialogue(asked, answer)
    this.say(this.within(dialogue, 'ACK'))
    return { dialogue, answer }
  }

  inviting(to: string) {
    return {
      uri: `sip:${to}@acme`,
      from: `<sip:${this.account}@acme>;tag=${randomUUID()}`,
      to: `<sip:${to}@acme>`,
      callId: randomUUID(),
      branch: `z9hG4bK${randomUUID()}`,
    }
  }

  /** The header fields and the body of a request with a description of media. */
  get where(): string {
    return `Contact: <${this.contact}>`
  }
}

export const media = (body: string): Asking =>
  body === '' ? {} : { headers: ['Content-Type: application/sdp'], body }

const sdp = (user: string, setup: string, direction = 'sendrecv'): string =>
  [
    'v=0',
    `o=${user} 1 1 IN IP4 0.0.0.0`,
    's=-',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${user}`,
    `a=ice-pwd:${user}-password-of-some-length`,
    'a=fingerprint:sha-256 00',
    `a=setup:${setup}`,
    `a=${direction}`,
    'a=rtpmap:111 opus/48000/2',
    '',
  ].join('\r\n')

export const description = sdp
export const offer = sdp('caller', 'actpass')
export const answer = sdp('callee', 'active')

/** A gateway for SIP phones that are patient, and may say as much as they like. */
export const sipStand = (
  t: { teardown(task: () => unknown): void },
  { limits, rest, ...options }: StandOptions = {},
): Promise<Stand> =>
  newStand(t, {
    sipAccounts: sipAccounts(),
    limits: {
      framesPerSecond: 100_000,
      bytesPerSecond: 1_000_000_000,
      takeoversPerMinute: 100,
      ...limits,
    },
    rest: {
      presence: { heartbeatMs: 3_600_000 },
      limits: { callsPerMinutePerAccount: 100_000, callsPerMinutePerTenant: 100_000 },
      ...rest,
    },
    ...options,
  })

/** A phone that is connected. */
export const sipPhone = async (
  t: { teardown(task: () => unknown): void },
  { port }: Pick<Stand, 'port'>,
  account: string,
  contact?: string,
): Promise<SipPhone> => {
  const phone = new SipPhone(port, account, contact)
  t.teardown(() => phone.ws.terminate())
  await once(phone.ws, 'open')
  return phone
}

/** Who takes part in the specs of a stand: phones that come, and go again. */
export const peopleOf = (t: { teardown(task: () => unknown): void }, stand: Stand) => ({
  /** A phone that is registered. */
  async phone(account = 'alice', contact?: string): Promise<SipPhone> {
    const registered = await sipPhone(t, stand, account, contact)
    await registered.register(3600)
    return registered
  },

  /** A phone of the hub's own language. */
  async desk(account = 'bob'): Promise<Client> {
    return (await stand.phone(account, { device: 'desk' })).client
  },

  async gone(...clients: { ws: SipPhone['ws'] }[]): Promise<void> {
    for (const { ws } of clients) ws.close(1000)
    await until(() => stand.gateway.counts.sessions === 0)
  },
})
