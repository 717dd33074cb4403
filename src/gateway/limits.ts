// What one peer may cost: the gateway's bounds, in one table. Each can be set when the gateway is made; the
// defaults are the documented ones.

export interface Limits {
  /** A connection without a valid hello is closed after so long, whatever else it sends. */
  readonly helloMs: number
  /** A peer that does not finish its side of a close within so long is cut off. */
  readonly closeMs: number
  /** The largest message a client may send, in bytes. */
  readonly messageBytes: number
  /** Frames that may wait while a token is verified: how many, and their bytes in all. */
  readonly waitingFrames: number
  readonly waitingBytes: number
  /** Messages, pings and pongs that a peer may send a second, and at once after a quiet time. */
  readonly framesPerSecond: number
  readonly burst: number
  /** Above so many unsent bytes presence is held back: its diffs collapse into a later snapshot. */
  readonly crowdedBytes: number
  /** Above so many unsent bytes the connection is closed. */
  readonly unsentBytes: number
  /** Frames about calls that are kept for a resume. */
  readonly unacked: number
  /** Destinations that one session may watch. */
  readonly subscriptions: number
}

export const defaultLimits: Limits = {
  helloMs: 5_000,
  closeMs: 5_000,
  messageBytes: 64 * 1024,
  waitingFrames: 32,
  waitingBytes: 256 * 1024,
  framesPerSecond: 100,
  burst: 200,
  crowdedBytes: 1024 * 1024,
  unsentBytes: 8 * 1024 * 1024,
  unacked: 1_000,
  subscriptions: 1_000,
}
