// A client of the voice SDK's signalling on the bare wire: messages with payloads, and the echo of what asks for a
// sign of life, unless it is told to keep silent.

import type { ClientOptions } from 'ws'
import type { Caller } from '../../src/router/index.js'
import { type Client, type Stand, type TokenSays, until } from './gateway.js'
import { acme } from './room.js'

export interface Payload {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the hub says is looked at by the spec.
  readonly payload: any
}

export class VoiceWire {
  readonly messages: Payload[] = []
  readonly #client: Client
  echoes = true
  beats = 0
  #read = 0

  constructor(client: Client) {
    this.#client = client
    client.ws.removeAllListeners('message').on('message', data => {
      const text = String(data)
      if (text !== '\n') this.messages.push(JSON.parse(text))
      else {
        this.beats++
        if (this.echoes) client.ws.send('\n')
      }
    })
  }

  get closed(): Client['closed'] {
    return this.#client.closed
  }

  get ws(): Client['ws'] {
    return this.#client.ws
  }

  say(type: string, payload: object = {}): void {
    this.#client.ws.send(JSON.stringify({ type, version: '1.6', payload }))
  }

  /** The next message of that type; those of other types in between are passed over. */
  async next(type: string): Promise<Payload['payload']> {
    for (;;) {
      const at = this.messages.findIndex((message, index) => index >= this.#read && message.type === type)
      if (at >= 0) {
        this.#read = at + 1
        return this.messages[at]!.payload
      }
      const before = this.messages.length
      await until(() => this.messages.length > before)
    }
  }

  async ask(type: string, payload: object, answer: string): Promise<Payload['payload']> {
    this.say(type, payload)
    return this.next(answer)
  }

  get types(): string[] {
    return this.messages.map(({ type }) => type)
  }
}

/** An open connection that has said nothing. */
export const voiceWire = async (stand: Stand, options?: ClientOptions): Promise<VoiceWire> => {
  const client = stand.client(options, [], '/signal')
  const wire = new VoiceWire(client)
  await client.opened
  return wire
}

export const browserinfo = { p: 'browser', plugin: 'rtc', v: '2.18.5', browser: { userAgent: 'spec' } }

/** A client that has been told that it is connected. */
export const listening = async (stand: Stand, account: string, says?: TokenSays): Promise<VoiceWire> => {
  const wire = await voiceWire(stand)
  await wire.ask('listen', { token: await stand.token(account, says), browserinfo }, 'connected')
  return wire
}

/** A client that has registered. */
export const registered = async (stand: Stand, account: string, says?: TokenSays): Promise<VoiceWire> => {
  const wire = await listening(stand, account, says)
  await wire.ask('register', { media: { audio: true } }, 'ready')
  return wire
}

/** An offer, or an answer, of one line of audio. */
export const someSdp = (id: string): string =>
  `v=0\r\no=- ${id} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n`

export const resourceOf = ({ room }: Stand, account: string) =>
  room.presence.resource(acme, account as never, { view: 'full', devices: true })
export const statusOf = (stand: Stand, account: string): string => resourceOf(stand, account).status
export const devicesOf = (stand: Stand, account: string) => resourceOf(stand, account).accounts![0]!.devices!

/** Rings an account from outside; the words that its caller hears. */
export const ring = (stand: Stand, to: string, more: object = {}) => {
  const heard: string[] = []
  const { router } = stand.room
  const caller: Caller = {
    account: 'gateway' as never,
    send: frame => void heard.push('reason' in frame ? `${frame.type} ${frame.reason}` : frame.type),
  }
  const placed = router.place({ tenant: acme, to, from: '+15550199', direction: 'inbound', caller, ...more })
  if (!placed.ok) throw new Error(placed.message)
  return { call: placed.value as string, heard, giveUp: () => router.hangup(caller, placed.value) }
}

/** Calls, and gives what the call is known by. */
export const dial = (wire: VoiceWire, query: string, name = 'TJS1'): string => {
  wire.say('invite', { callsid: name, sdp: someSdp(name), twilio: { params: query } })
  return name
}

/** Two clients in a call that `alice` placed. */
export const talking = async (stand: Stand) => {
  const alice = await registered(stand, 'alice')
  const bob = await registered(stand, 'bob')
  dial(alice, 'To=bob')
  const invite = await bob.next('invite')
  bob.say('answer', { callsid: invite.callsid, sdp: someSdp('bob') })
  const answer = await alice.next('answer')
  return { alice, bob, call: invite.callsid as string, invite, answer }
}

/** Everything that came until now has been read and answered. */
export const settled = async (wire: VoiceWire): Promise<void> => {
  wire.say('nothing')
  await wire.next('error')
}
