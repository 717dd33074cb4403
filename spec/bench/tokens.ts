// Tokens by the thousand, minted ahead of what is measured: HS256 by Node's own HMAC. Every one is a new one, even
// for the same account, unless it is kept and used again.

import { createHmac } from 'node:crypto'

export const secret = 'a secret of at least thirty-two bytes, for benchmarks'

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const header = part({ alg: 'HS256', typ: 'JWT' })
let minted = 0

/** A token of the tenant `acme` with these scopes, good for an hour. */
export const tokenOf = (account: string, scope: string): string => {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: 'acme', sub: account, aud: 'switchhook', iat: now, exp: now + 3600, scope }
  const signed = `${header}.${part({ ...claims, jti: `t${++minted}` })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** What a softphone's token allows. */
export const phoneScope = 'presence:register presence:read call:receive call:place'

/** One address, one outside system and one tenant stand for a whole world here: what bounds one of them is raised. */
const limits = {
  connections: 18_000,
  connectionsPerAddress: 18_000,
  requestsPerSecond: 1_000_000,
  callsPerMinutePerAccount: 10_000_000,
  callsPerMinutePerTenant: 10_000_000,
}

/** The tenant `acme`, with whatever else it has. */
export const configOf = (tenant: object = {}, rest: object = {}): object => ({
  limits,
  ...rest,
  tenants: { acme: { keys: [{ alg: 'HS256', secret }], ...tenant } },
})
