// What both sides of a call say to each other beside it, in the words that all languages of the hub share
// (docs/protocol.md): tones, texts, and other descriptions of media. What comes is anybody's JSON, and read with care.

export interface Signal {
  /** Tones, as they are pressed. */
  readonly dtmf?: string
  readonly offer?: string
  readonly answer?: string
  readonly refused?: true
  readonly message?: { readonly content: string; readonly contentType: string }
}

const fieldsOf = (data: unknown): Record<string, unknown> =>
  typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {}

/** Tones of RFC 4733, as many as anybody presses before the next signal. */
const tones = /^[0-9A-D*#]{1,64}$/i

const texts = ['offer', 'answer'] as const

/** The words of a signal that SIP has something for. */
export const signalOf = (data: unknown): Signal => {
  const fields = fieldsOf(data)
  const signal: { -readonly [K in keyof Signal]: Signal[K] } = {}
  for (const name of texts) {
    const text = fields[name]
    if (typeof text === 'string') signal[name] = text
  }
  if (typeof fields.dtmf === 'string' && tones.test(fields.dtmf)) signal.dtmf = fields.dtmf
  if (fields.refused === true) signal.refused = true
  const { content, contentType = 'text/plain' } = fieldsOf(fields.message)
  if (typeof content === 'string' && typeof contentType === 'string')
    signal.message = { content, contentType }
  return signal
}

/** The tones of an INFO's body, by its type; undefined if it has none that are known. */
export const tonesOf = (type: string, body: string): string | undefined => {
  const pressed =
    (/^application\/dtmf-relay\b/i.test(type) && /^\s*Signal\s*=\s*(\S)\s*$/im.exec(body)?.[1]) ||
    (/^application\/dtmf\b/i.test(type) && body.trim())
  return pressed && tones.test(pressed) ? pressed : undefined
}
