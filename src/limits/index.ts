// The door of the limits room: what one peer, account or tenant may take, and how whoever wants more is told.

export { Bounds } from './bounds.js'
export { Bucket, Buckets, type Pace, perMinute, perSecond } from './bucket.js'
export { Connections, type ConnectionsOptions } from './connections.js'
export { connectionsWithin, descriptorLimit } from './descriptors.js'
export { Quota } from './quota.js'
export { type LimitFacts, type LimitName, limitNames, limitTable } from './table.js'
export { telling } from './telling.js'
