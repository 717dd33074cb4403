// The door of the protocol room: names, statuses, the resources of presence, calls and queues, and the frames of both directions.

export * from './annotate.js'
export * from './call-resource.js'
export * from './client-frames.js'
export * from './codec.js'
export * from './hub-frames.js'
export * from './names.js'
export * from './published.js'
export * from './queue-resource.js'
export * from './replies.js'
export * from './resource.js'
export * from './statuses.js'
