// The door of the store room.

export { type DeliveryQueue, type KeptDelivery, unkeptDeliveries } from './deliveries.js'
export type { Disk } from './disk.js'
export { type FileStoreOptions, openFileStore } from './file-store.js'
export type { RecordLogOptions } from './record-log.js'
export type {
  AttemptRecord,
  CallRecord,
  CallRecords,
  KeptKey,
  KeyDigest,
  Position,
  RecordCounts,
} from './records.js'
export {
  type KeptGroup,
  type KeptOverride,
  nothingKept,
  type OverrideStore,
  type Store,
  type Table,
} from './store.js'
export { tryFolder } from './trial.js'
