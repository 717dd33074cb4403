// The door of the queues.

export { Queues, type QueuesOptions } from './queues.js'
export { type Departed, Waiting } from './waiting.js'
