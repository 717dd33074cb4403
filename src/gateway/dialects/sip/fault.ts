// Why a message is refused, and the bounds of what is in one.

/** What a request is answered that cannot be read: RFC 3261, section 21.4, and 21.5.6. */
export type BadStatus = 400 | 413 | 414 | 416 | 505

export interface Fault {
  readonly status: BadStatus
  /** For people, as the reason phrase of an answer. */
  readonly reason: string
}

export const bad = (reason: string): Fault => ({ status: 400, reason })

/** Bounds of what is in a message; its whole size is for the transport to bound. */
export const sipBounds = {
  /** Header fields. */
  fields: 64,
  /** Header fields of one name. */
  repeated: 40,
  /** Characters of a header field, unfolded, and of the start line. */
  line: 8192,
} as const
