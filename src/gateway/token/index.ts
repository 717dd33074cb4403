// The token door: the HTTP API and the command line come in here, and see nothing else of the gateway.

export { bearerOf } from './bearer.js'
export { type Application, allows, type Grant, queryOf, type Scope, scopes, scopesOf } from './grant.js'
export { createKeySets, type KeySetNews, type KeySets } from './key-sets.js'
export { authTokenKid, type TokenKey } from './keys.js'
export { type MintOptions, mintToken } from './mint.js'
export { Revocations, type Revoked, revoked } from './revocations.js'
export { type KeyRing, readKeys } from './ring.js'
export { readToken, type Unverified } from './shape.js'
export {
  grantOfSip,
  readSipAccounts,
  type SipAccount,
  SipAccounts,
  type SipDomains,
} from './sip-accounts.js'
export { createVerifier, type Verifier, type VerifierOptions, type VerifierStats } from './verifier.js'
