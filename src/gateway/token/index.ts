// The token door: the HTTP API and the command line come in here, and see nothing else of the gateway.

export { allows, type Grant, type Scope, scopes } from './grant.js'
