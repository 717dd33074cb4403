// The door of the HTTP room.

export { createHttp, type Http, type HttpOptions } from './http.js'
export type { Bound } from './listener.js'
