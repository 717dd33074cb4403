// The door of the protocol room: names, statuses, the presence resource, and the frames of both directions.

export * from './client-frames.js'
export * from './codec.js'
export * from './hub-frames.js'
export * from './names.js'
export * from './resource.js'
export * from './statuses.js'
