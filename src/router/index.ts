// The door of the router room.

export { endings, type SkipReason } from './endings.js'
export type { ExplainRequest } from './explain.js'
export { addressesOf } from './routes.js'
export type {
  Caller,
  CallRequest,
  CallView,
  ListQuery,
  Report,
  Router,
  Side,
} from './routing.js'
export { createSource, type Source } from './source/index.js'
export { createRouter, type RouterOptions, readRoutes } from './switchboard.js'
