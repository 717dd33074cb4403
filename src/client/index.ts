// The door of the client room: `switchhook/client`, for browsers and Node alike, without a dependency.

export {
  Call,
  type CallEnd,
  type CallEvents,
  type CallFacts,
  type CallSnapshot,
  type CallState,
} from './call.js'
export type { Connection } from './connection.js'
export type { Listener } from './emitter.js'
export { fold } from './fold.js'
export type {
  AccountEntry,
  CancelReason,
  Counts,
  Declared,
  DeviceDeclared,
  DeviceEntry,
  EndReason,
  Fields,
  HubFrames,
  Params,
  Party,
  PresenceFrame,
  RejectReason,
  Reply,
  RequestType,
  Resource,
  Self,
  Status,
  StatusChange,
  View,
  Welcome,
} from './frames.js'
export type {
  GroupChange,
  GroupSummary,
  Groups,
  GroupView,
  Guards,
  MemberChange,
  MemberView,
  Tagged,
} from './groups.js'
export {
  type CallQuery,
  type CallView,
  type Explanation,
  HubApi,
  type HubApiOptions,
  type InboundCall,
  type StreamEvent,
} from './http.js'
export type { Provided } from './provider.js'
export type { Signal, Signals } from './signals.js'
export { Softphone } from './softphone.js'
export type { SoftphoneEvents, SoftphoneOptions } from './softphone-options.js'
export { SwitchhookError, type SwitchhookErrorCode } from './switchhook-error.js'
export { tabDevice } from './tab-device.js'
export type { Timers } from './timers.js'
export { Watch, type WatchEvents } from './watch.js'
export type { WebSocketConstructor, WebSocketLike } from './web-socket.js'
