// Session descriptions (RFC 8866) for calls that have none, where a client can not do without: an offer of audio that
// is not sent either way, and an answer that declines whatever was offered (RFC 3264, section 6). A description that
// someone gave passes untouched, and never comes here.

/** Nobody's certificate: no media is ever secured with it. */
const fingerprint = Array(32).fill('00').join(':')

const head = (id: number): readonly string[] => [
  'v=0',
  `o=- ${id} 1 IN IP4 0.0.0.0`,
  's=-',
  'c=IN IP4 0.0.0.0',
  't=0 0',
]

const textOf = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`

const silence = textOf([
  ...head(1),
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0',
  'a=mid:0',
  'a=inactive',
  'a=rtcp-mux',
  'a=ice-ufrag:none',
  'a=ice-pwd:nobodyIsAtThisEndOfTheLine',
  `a=fingerprint:sha-256 ${fingerprint}`,
  'a=setup:actpass',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:0 PCMU/8000',
])

/** An offer of one line of audio that is inactive, as WebRTC takes it (RFC 8829, section 5.2). */
export const silentOffer = (): string => silence

/** A line that is declined: the port is zero, the rest as it was offered. */
const declined = (line: string): string => line.replace(/^(m=\S+ )\S+/, '$10')

/** An answer that declines every line of media of an offer, in their order. */
export const silentAnswer = (offer: string): string => {
  const lines = offer.split(/\r\n|\n/)
  const kept = lines.flatMap(line => {
    // The voice SDK leaves out what has no attributes.
    if (line.startsWith('m=')) return [declined(line), 'a=inactive']
    return line.startsWith('a=mid:') ? [line] : []
  })
  return textOf([...head(2), ...kept])
}
