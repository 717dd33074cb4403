// The voice SDK as it is published, in plain Node: some globals of a browser, a WebSocket that speaks to a hub without
// TLS, and peers that agree on whatever is offered, without media. One process has one of it, since it reads what it
// needs of the globals when it is loaded.

import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { WebSocket } from 'ws'

/** What the specs use of the SDK's calls and devices; see its own documentation. */
export interface SdkCall extends EventEmitter {
  readonly parameters: Readonly<Record<string, string>>
  readonly customParameters: ReadonlyMap<string, string>
  accept(): void
  reject(): void
  ignore(): void
  disconnect(): void
  status(): string
  sendMessage(message: { content: unknown; contentType?: string; messageType: string }): string
}

export interface SdkDevice extends EventEmitter {
  readonly state: string
  readonly identity: string
  readonly isBusy: boolean
  register(): Promise<void>
  unregister(): Promise<void>
  connect(options: { params?: Readonly<Record<string, string>> }): Promise<SdkCall>
  updateToken(token: string): void
  updateOptions(options: object): void
  destroy(): void
}

export interface SdkError {
  readonly code: number
  readonly originalError?: { readonly code: number }
}

class Track {
  readonly kind = 'audio'
  enabled = true
  stop(): void {}
}

class Stream {
  readonly #tracks: Track[] = [new Track()]

  getAudioTracks(): Track[] {
    return this.#tracks
  }

  getTracks(): Track[] {
    return this.#tracks
  }

  addTrack(): void {}
}

let described = 0
const describe = (setup: string): string =>
  `${[
    'v=0',
    `o=- ${++described} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sendrecv',
    `a=setup:${setup}`,
    'a=rtpmap:0 PCMU/8000',
  ].join('\r\n')}\r\n`

interface Description {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
}

/** Negotiates (RFC 8829), and no more. */
class Peer {
  signalingState = 'stable'
  connectionState = 'new'
  iceConnectionState = 'new'
  iceGatheringState = 'new'
  localDescription: Description | null = null
  onsignalingstatechange = (): void => {}

  addTrack(): void {}
  getSenders(): object[] {
    return []
  }
  getTransceivers(): object[] {
    return [{ setCodecPreferences() {} }]
  }
  async createOffer(): Promise<Description> {
    return { type: 'offer', sdp: describe('actpass') }
  }
  async createAnswer(): Promise<Description> {
    return { type: 'answer', sdp: describe('active') }
  }
  async setLocalDescription(description: Description): Promise<void> {
    this.localDescription = description
    this.#step(description, 'have-local-offer')
  }
  async setRemoteDescription(description: Description): Promise<void> {
    if (!/^v=0\r\n[\s\S]*\r\nm=audio /.test(description.sdp)) throw new Error('not a description')
    this.#step(description, 'have-remote-offer')
  }
  async getStats(): Promise<ReadonlyMap<string, unknown>> {
    return new Map()
  }
  close(): void {
    this.signalingState = 'closed'
  }

  #step({ type }: Description, offered: string): void {
    this.signalingState = type === 'offer' ? offered : 'stable'
    this.onsignalingstatechange()
  }
}

class Quiet {
  async play(): Promise<void> {}
  stop(): void {}
}

/** Every connection that the SDK has opened, the newest last. */
export const sockets: WebSocket[] = []

const getUserMedia = async (): Promise<Stream> => new Stream()

Object.defineProperty(globalThis, 'navigator', {
  configurable: true,
  value: { userAgent: 'Node', platform: 'Node', onLine: true, mediaDevices: { getUserMedia } },
})
Object.assign(globalThis, {
  window: globalThis,
  MediaStream: Stream,
  MediaStreamTrack: Track,
  RTCPeerConnection: Peer,
  RTCRtpReceiver: { getCapabilities: () => ({ codecs: [] }) },
  RTCSessionDescription: class {
    constructor(description: Description) {
      Object.assign(this, description)
    }
  },
  WebSocket: class extends WebSocket {
    constructor(url: string) {
      super(url.replace(/^wss:/, 'ws:'))
      // The SDK closes one that takes too long to open, and listens no more: in a browser that is no error.
      this.on('error', () => {})
      sockets.push(this)
    }
  },
})

const { Device } = createRequire(import.meta.url)('@twilio/voice-sdk') as {
  Device: new (token: string, options: object) => SdkDevice
}

/** A device of the SDK that connects to a hub on this port. */
export const sdkDevice = (token: string, port: number | string, options: object = {}): SdkDevice => {
  const device = new Device(token, {
    chunderw: `127.0.0.1:${port}`,
    publishEvents: false,
    logLevel: 'silent',
    RTCPeerConnection: Peer,
    Sound: Quiet,
    getUserMedia,
    enumerateDevices: async () => [],
    // The timer by which it tells of its token's end outlives the device.
    tokenRefreshMs: undefined,
    ...options,
  })
  device.on('error', () => {})
  return device
}

/** What an emitter tells from now on, as its words and what came with them. */
export class Told {
  readonly words: [string, unknown[]][] = []
  #read = 0
  readonly #news = new EventEmitter()

  constructor(emitter: EventEmitter) {
    const emit = emitter.emit.bind(emitter)
    emitter.emit = (word: string, ...facts: unknown[]) => {
      this.words.push([word, facts])
      const done = emit(word, ...facts)
      this.#news.emit('news')
      return done
    }
    if (emitter.listenerCount('error') === 0) emitter.on('error', () => {})
  }

  /** The next of that word, with what came first with it; others in between are passed over. */
  async next(word: string): Promise<unknown> {
    for (;;) {
      const at = this.words.findIndex(([told], index) => index >= this.#read && told === word)
      if (at >= 0) {
        this.#read = at + 1
        return this.words[at]![1][0]
      }
      await new Promise(resolve => this.#news.once('news', resolve))
    }
  }

  has(word: string): boolean {
    return this.words.some(([told]) => told === word)
  }
}
