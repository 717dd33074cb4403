// The door of the egress room: the one way to ask servers outside.

export type { Connect } from './address.js'
export { createEgress, type Egress, type EgressAnswer, type EgressRequest, type Method } from './egress.js'
export { locate, shown } from './location.js'
