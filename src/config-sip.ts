// SIP accounts as a configuration has them: each with a secret that is long enough, in the domain of its tenant, which
// is no other tenant's. What their permissions mean is judged by the token room.

import type { Static } from 'typebox'
import type { Reading } from './config-reading.js'
import type { DigestAlgorithm, Reference } from './config-schema.js'

/** How an account signs in from a SIP phone; its secret has been read. */
export interface SipConfig {
  readonly secret: string
  readonly algorithm: DigestAlgorithm
  /** As the claim of that name. */
  readonly scope: string
}

/** The fewest characters of a secret: a digest that was overheard can be guessed at without end. */
const secretLength = 12

/** The `sip` of an account that stands at `path`. */
export const readSip = (
  reading: Reading,
  path: string,
  { secret, ...sip }: Omit<SipConfig, 'secret'> & { readonly secret: Static<Reference> },
): SipConfig => {
  const before = reading.faults.length
  const text = reading.text(`${path}.secret`, secret)
  if (reading.faults.length === before && text.length < secretLength) {
    reading.fault(`${path}.secret`, `must be at least ${secretLength} characters`)
  }
  return { ...sip, secret: text }
}

/** Two tenants with one domain; the case of a domain means nothing (RFC 3261, section 19.1.4). */
export const weighDomains = (
  reading: Reading,
  tenants: ReadonlyMap<string, { readonly sipDomain: string }>,
): void => {
  const owners = new Map<string, string>()
  for (const [name, { sipDomain }] of tenants) {
    const domain = sipDomain.toLowerCase()
    const owner = owners.get(domain)
    if (owner !== undefined) {
      reading.fault(`tenants.${name}.sipDomain`, `must be another than that of ${owner}, which has ${domain}`)
    }
    owners.set(domain, name)
  }
}
