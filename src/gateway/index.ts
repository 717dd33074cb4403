// The door of the gateway room: where softphones, gateways and wallboards come in.

export type { Dialect, Translator } from './dialects/dialect.js'
export { native } from './dialects/native.js'
export { sip } from './dialects/sip/sip.js'
export { voice } from './dialects/voice/voice.js'
export { createGateway, type Gateway, type GatewayCounts, type GatewayOptions } from './gateway.js'
export { type Message, messageOf } from './outlet.js'
export type { Upgrade } from './upgrade.js'
