// The door of the webhooks room: what applications outside are told, and that it comes to them.

export { Deliveries, type DeliveriesOptions } from './deliveries.js'
export type { Callback } from './delivery.js'
export { faultsOfWebhooks, type PresenceWebhook, PresenceWebhooks } from './presence-webhooks.js'
