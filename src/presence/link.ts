// The port to a live connection: what presence and the router need of whoever carries frames to a client.
// The gateway's session implements it; specs and simulations attach links of their own.

import type { HubFrame, PresenceFrame } from '../protocol/index.js'

export interface Link {
  /** Delivers a frame, or keeps it until the client is back. Never throws. The same object may go to many links. */
  send(frame: HubFrame): void
  /** Asks the other end for a sign of life, at once. */
  probe(): void
}

/** Whoever watches destinations, whatever they are reached by: a link is one. */
export interface Reader {
  /**
   * Told at the end of each turn that changed something, however soon after the last one: for who is in this process,
   * and acts on it.
   */
  readonly prompt?: boolean
  /** Told of each change, in order. Never throws. The same object may go to many. */
  send(frame: PresenceFrame): void
}
