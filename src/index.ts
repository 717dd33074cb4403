// The public surface of the package: a hub to embed, its configuration, and the words of its protocol.

export {
  type Config,
  type ConfigInput,
  loadConfig,
  type Read,
  readConfig,
  type Surroundings,
} from './config.js'
export { type ErrorCode, errorTable, type Fault, HubError } from './errors.js'
export { type MintOptions, mintToken } from './gateway/token/index.js'
export { createHub, type Hub, type HubOptions, type Listening } from './hub.js'
export type {
  AccountEntry,
  CancelReason,
  ClientFrame,
  Counts,
  DeviceEntry,
  EndReason,
  HubFrame,
  Resource,
  Status,
} from './protocol/index.js'
export { type Clock, type Log, VirtualClock } from './runtime/index.js'
