// What a browser has for sound, as far as an example of ours asks for it: a microphone and a peer connection that
// negotiate and carry nothing, and remember what they were told and whether they were put away.

export class Microphone {
  stopped = false

  getTracks(): { stop(): void }[] {
    const stop = () => {
      this.stopped = true
    }
    return [{ stop }]
  }
}

export class Peer extends EventTarget {
  static readonly made: Peer[] = []
  iceGatheringState = 'new'
  localDescription: { sdp: string } | undefined
  remote: { type: string; sdp: string } | undefined
  microphone: Microphone | undefined
  closed = false

  constructor() {
    super()
    Peer.made.push(this)
  }

  addTrack(_: unknown, microphone: Microphone): void {
    this.microphone = microphone
  }

  async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    this.remote = description
  }

  /** The description is whole once it has its candidates, a turn later. */
  async setLocalDescription(): Promise<void> {
    const sdp = this.remote === undefined ? 'offer' : `answer to ${this.remote.sdp}`
    this.iceGatheringState = 'gathering'
    setImmediate(() => {
      this.localDescription = { sdp }
      this.iceGatheringState = 'complete'
      this.dispatchEvent(new Event('icegatheringstatechange'))
    })
  }

  close(): void {
    this.closed = true
  }
}
