// What a page with a softphone has before its SDK is there: what the reader of a connect snippet brings (`fetchToken`,
// `ring`, `play`), and the words in which a spec drives every SDK. The binding `tell` hears what happens. An SDK's own
// file says what the words mean to it, and gives that to `become`.

const options = JSON.parse(new URLSearchParams(location.search).get('options'))
const peers = []
const early = []

globalThis.options = options
globalThis.fetchToken = async () => options.token
globalThis.play = () => {}
globalThis.ring = call => early.push(call)
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) {
    super(...given)
    peers.push(this)
  }
}

/** How many packets of sound the latest call has had. */
const packets = async () => {
  const counts = { in: 0, out: 0 }
  for (const report of (await peers.at(-1)?.getStats())?.values() ?? []) {
    if (report.type === 'inbound-rtp') counts.in += report.packetsReceived
    if (report.type === 'outbound-rtp') counts.out += report.packetsSent
  }
  return counts
}

/** Tells `audio` once more than so many packets more have gone either way; nothing in a browser tells of packets. */
const listen = async (least = 50) => {
  const before = await packets()
  const timer = setInterval(async () => {
    const now = await packets()
    const counts = { in: now.in - before.in, out: now.out - before.out }
    if (counts.in <= least || counts.out <= least) return
    clearInterval(timer)
    tell({ event: 'audio', ...counts })
  }, 100)
}

globalThis.become = words => {
  globalThis.phone = { ...words, packets, listen }
  globalThis.ring = words.ring
  tell({ event: 'ready' })
  for (const call of early.splice(0)) words.ring(call)
}
addEventListener('error', ({ message }) => tell({ event: 'fault', message }))
addEventListener('unhandledrejection', ({ reason }) => tell({ event: 'fault', message: String(reason) }))

/** What a document of presence says (RFC 3863, with the activities of RFC 4480). */
globalThis.statusOf = (body = '') => {
  const document = new DOMParser().parseFromString(body, 'application/xml')
  const activities = document.getElementsByTagNameNS('urn:ietf:params:xml:ns:pidf:rpid', 'activities')
  return {
    basic: document.getElementsByTagNameNS('urn:ietf:params:xml:ns:pidf', 'basic')[0]?.textContent,
    activity: activities[0]?.firstElementChild?.localName,
  }
}
