// The ring that finds the key of a token by tenant and `kid`: among the tenant's own keys, and in the sets that it
// names by their address. Faults of configured keys come all at once, before the hub starts.

import type { Config, KeyConfig, Read } from '../../config.js'
import type { Fault } from '../../errors.js'
import type { KeySet, KeySets } from './key-sets.js'
import { authTokenKid, readKey, type TokenKey, tokenKey } from './keys.js'

/** Where the verifier finds keys. */
export interface KeyRing {
  /**
   * The tenant's key of this `kid`, whatever value that is; `undefined` finds the only key of a tenant with one, and
   * `authTokenKid` its `authToken`, where that is long enough for a key. The same key is the same object each time. Never
   * rejects; takes time where a set has to be asked for.
   */
  find(tenant: string, kid: unknown): Promise<TokenKey | undefined>
}

interface TenantKeys {
  readonly byKid: Map<unknown, TokenKey>
  readonly sets: KeySet[]
}

const nothing = async (): Promise<undefined> => undefined

/** Reads the keys of all tenants. Faults have paths such as `tenants.acme.keys[0].publicKey`. */
export const readKeys = async (tenants: Config['tenants'], remote: KeySets): Promise<Read<KeyRing>> => {
  const faults: Fault[] = []
  const ring = new Map<string, TenantKeys>()

  const read = async ({ byKid, sets }: TenantKeys, tenant: string, config: KeyConfig, sole: boolean) => {
    if ('jwksUrl' in config) {
      const set = remote.of(tenant, config.jwksUrl)
      if (!('find' in set)) return set
      // Without a kid, a key is found where there is no other: neither in the set nor beside it.
      sets.push(sole ? set : { find: kid => (kid === undefined ? nothing() : set.find(kid)) })
      return undefined
    }
    const key = readKey(config)
    if ('path' in key) return key
    const ready = await tokenKey(key, config.alg)
    if (config.kid !== undefined) byKid.set(config.kid, ready)
    if (sole) byKid.set(undefined, ready)
    return undefined
  }

  /** An `authToken` signs requests whatever its length, so that a short one is no fault. */
  const readAuthToken = async ({ byKid }: TenantKeys, secret: string | undefined): Promise<void> => {
    if (secret === undefined) return
    const key = readKey({ alg: 'HS256', secret })
    if (!('path' in key)) byKid.set(authTokenKid, await tokenKey(key, 'HS256'))
  }

  for (const [tenant, { keys, authToken }] of tenants) {
    const own: TenantKeys = { byKid: new Map(), sets: [] }
    ring.set(tenant, own)
    await readAuthToken(own, authToken)
    for (const [index, config] of keys.entries()) {
      const fault = await read(own, tenant, config, keys.length === 1)
      if (fault) faults.push({ ...fault, path: `tenants.${tenant}.keys[${index}].${fault.path}` })
    }
  }
  if (faults.length > 0) return { ok: false, faults }
  return {
    ok: true,
    value: {
      async find(tenant, kid) {
        const own = ring.get(tenant)
        let key = own?.byKid.get(kid)
        // No set has it.
        const sets = kid === authTokenKid ? [] : (own?.sets ?? [])
        for (const set of sets) key ??= await set.find(kid)
        return key
      },
    },
  }
}
