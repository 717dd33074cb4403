// The accounts that sign in from a SIP phone, by domain and name: what each has to prove, and the grant that it has once
// it did. How that is proven is the dialect's. Another configuration takes the place of this one as a whole; who has
// signed in before keeps their grant until it expires.

import type { Config, DigestAlgorithm, Read } from '../../config.js'
import type { Fault } from '../../errors.js'
import type { AccountId, TenantId } from '../../protocol/index.js'
import { type Grant, scopesOf } from './grant.js'

/** One account, and the secret that proves to be it. */
export interface SipAccount {
  readonly tenant: TenantId
  readonly account: AccountId
  readonly secret: string
  readonly algorithm: DigestAlgorithm
  readonly scopes: ReadonlySet<string>
}

/** Accounts by their names, by their domains in lower case. */
export type SipDomains = ReadonlyMap<string, ReadonlyMap<string, SipAccount>>

/** Reads the SIP accounts of all tenants. Faults have paths such as `tenants.acme.accounts.alice.sip.scope`. */
export const readSipAccounts = (tenants: Config['tenants']): Read<SipDomains> => {
  const faults: Fault[] = []
  const domains = new Map<string, ReadonlyMap<string, SipAccount>>()
  for (const [tenant, { sipDomain, accounts }] of tenants) {
    const own = new Map<string, SipAccount>()
    for (const [account, { sip }] of accounts) {
      if (sip === undefined) continue
      const { scope, ...proof } = sip
      // A token may say what another hub knows; a configuration is this one's.
      for (const word of scope.split(' ').filter(word => scopesOf(word).size === 0)) {
        const path = `tenants.${tenant}.accounts.${account}.sip.scope`
        faults.push({ path, message: `must have known permissions only, not ${JSON.stringify(word)}` })
      }
      own.set(account, { tenant, account, ...proof, scopes: scopesOf(scope) })
    }
    domains.set(sipDomain.toLowerCase(), own)
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: domains }
}

export class SipAccounts {
  #domains: SipDomains

  constructor(domains: SipDomains) {
    this.#domains = domains
  }

  /** The account of that name in a domain, whose case means nothing; undefined: none that signs in from a SIP phone. */
  find(domain: string, account: string): SipAccount | undefined {
    return this.#domains.get(domain.toLowerCase())?.get(account)
  }

  /** Goes by these from now on. */
  configure(domains: SipDomains): void {
    this.#domains = domains
  }
}

/**
 * What an account may that has proven its secret, until `expires`, milliseconds since 1970. It does not say when it was
 * issued: the secret is as old as it may be, so a revocation of the account holds for it.
 */
export const grantOfSip = ({ tenant, account, scopes }: SipAccount, expires: number): Grant => ({
  tenant,
  account,
  scopes,
  expires,
  groups: [],
})
