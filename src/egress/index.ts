// The door of the egress room: the one way to ask servers outside.

export type { Connect, Network } from './address.js'
export { DocumentCache, type Shelf } from './cache.js'
export { createEgress, type Egress, type EgressAnswer, type EgressRequest, type Method } from './egress.js'
export { locate, shown } from './location.js'
export { addressed, digested, type Message, signatureOf, signed } from './signed.js'
