// The door of the testing room: `switchhook/testing`, a whole hub within a test's own process and time, with fake
// people at real softphones, and switches for the faults between them.

export type { Claims, Line, LineOptions } from './line.js'
export type { Direction, Link } from './link.js'
export type { CallOptions, Phone } from './phone.js'
export { type TestHub, type TestHubOptions, type TestTenant, type Timeline, testHub } from './test-hub.js'
