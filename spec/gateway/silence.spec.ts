// What stands in for a session description where a call has none: read line by line, as RFC 8866 and RFC 3264 have it.

import fc from 'fast-check'
import t from 'tap'
import { silentAnswer, silentOffer } from '../../src/gateway/dialects/silence.js'

const linesOf = (sdp: string): string[] => {
  t.match(sdp, /\r\n$/)
  const lines = sdp.slice(0, -2).split('\r\n')
  for (const line of lines) t.match(line, /^[a-z]=./, line)
  return lines
}
const mediaOf = (sdp: string): string[] => linesOf(sdp).filter(line => line.startsWith('m='))

t.test('a silent offer has one line of audio, which goes neither way', t => {
  const lines = linesOf(silentOffer())
  t.match(
    lines.slice(0, 5).map(line => line[0]),
    ['v', 'o', 's', 'c', 't'],
  )
  t.match(mediaOf(silentOffer()), [/^m=audio 9 UDP\/TLS\/RTP\/SAVPF /])
  for (const wanted of ['a=inactive', 'a=mid:0', 'a=rtcp-mux', 'a=setup:actpass'])
    t.ok(lines.includes(wanted))
  t.match(
    lines.find(line => line.startsWith('a=ice-pwd:')),
    /^a=ice-pwd:[A-Za-z0-9+/]{22,}$/,
  )
  t.match(
    lines.find(line => line.startsWith('a=fingerprint:')),
    /^a=fingerprint:sha-256 (?:00:){31}00$/,
  )
  t.end()
})

t.test('a silent answer declines each line of an offer, in its place', t => {
  const answer = silentAnswer(
    'v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nt=0 0\nm=audio 5004/2 RTP/AVP 0 8\na=sendrecv\nm=video 6000 RTP/AVP 96\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:data\n',
  )
  t.same(mediaOf(answer), [
    'm=audio 0 RTP/AVP 0 8',
    'm=video 0 RTP/AVP 96',
    'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
  ])
  t.same(linesOf(answer).slice(-2), ['a=inactive', 'a=mid:data'])
  t.same(mediaOf(silentAnswer(silentOffer())), ['m=audio 0 UDP/TLS/RTP/SAVPF 111 0'])
  t.same(mediaOf(silentAnswer('')), [])
  t.end()
})

t.test('whatever is offered, the answer has as many lines, of the same kinds, and each is declined', t => {
  const kind = fc.constantFrom('audio', 'video', 'text', 'application', 'message', 'image')
  const line = fc.record({
    kind,
    port: fc.nat(65_535),
    profile: fc.constantFrom('RTP/AVP', 'UDP/TLS/RTP/SAVPF'),
  })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
      const offer = [
        'v=0',
        's=-',
        ...lines.map(({ kind, port, profile }) => `m=${kind} ${port} ${profile} 0`),
        '',
      ]
      t.same(
        mediaOf(silentAnswer(offer.join(end))),
        lines.map(({ kind, profile }) => `m=${kind} 0 ${profile} 0`),
      )
    }),
    { seed: 7, numRuns: 50 },
  )
  t.end()
})
