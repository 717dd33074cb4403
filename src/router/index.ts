// The door of the router room.

export { endings, type SkipReason } from './endings.js'
export type { DestinationExplained, ExplainRequest, Explanation } from './explain.js'
export type {
  Caller,
  CallRequest,
  CallState,
  CallView,
  ListQuery,
  Router,
  Side,
  TimelineEntry,
} from './routing.js'
export { callStates } from './routing.js'
export { createSource, type Source } from './source/index.js'
export { createRouter, type RouterOptions, readRoutes } from './switchboard.js'
