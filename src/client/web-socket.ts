// The little of a WebSocket that the SDK needs, so that the browser's own and the one of `ws` both fit.
// Declared here because the library is compiled without the DOM's types, and must not depend on Node's.

/**
 * An open or opening socket (the WHATWG interface, as far as it is used). The events are `never` so that each
 * platform's own handler types fit; what is read of them is below.
 */
export interface WebSocketLike {
  readonly readyState: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
  /** Only in `ws`: ends the connection without the closing handshake. */
  terminate?(): void
}

export interface MessageEventLike {
  readonly data: unknown
}

/** `message` is there in Node only: browsers do not say what went wrong. */
export interface ErrorEventLike {
  readonly message?: string
}

export interface CloseEventLike {
  readonly code: number
  readonly reason: string
}

/**
 * What makes sockets: `globalThis.WebSocket`, or the `WebSocket` of `ws`. The third argument is for `ws`, which
 * may deliver several messages in one turn unless told otherwise; everyone else ignores it.
 */
export type WebSocketConstructor = new (
  url: string,
  protocols: string[],
  options: { allowSynchronousEvents: false },
) => WebSocketLike

/** `readyState` of a socket that can be written to. */
export const OPEN = 1
