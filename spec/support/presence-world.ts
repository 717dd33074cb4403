// A presence of its own for a spec: tenants by configuration, a clock that moves when told, links that keep what
// they are sent, and the fold that a careful reader of the feed makes of it.

import { type ConfigInput, readConfig } from '../../src/config.js'
import { type Arrival, type Attachment, createPresence, type Link } from '../../src/presence/index.js'
import type { AccountEntry, HubFrame, PresenceFrame, Resource, SelfFrame } from '../../src/protocol/index.js'
import { VirtualClock } from '../../src/runtime/index.js'

type Tenant = Omit<NonNullable<ConfigInput['tenants']>[string], 'keys'>

/** Text as a name of whatever kind is asked for. */
export const n = (text: string): never => text as never

export const tenantsOf = (tenants: Readonly<Record<string, Tenant>>) => {
  const keys = [{ alg: 'HS256' as const, secret: 'a secret of at least 32 bytes....' }]
  const named = Object.entries(tenants).map(([name, tenant]) => [name, { ...tenant, keys }])
  const read = readConfig({ tenants: Object.fromEntries(named) }, { dir: '.', env: {} })
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return read.value.tenants
}

/** A link that keeps what it is sent. */
export class Ear implements Link {
  readonly heard: HubFrame[] = []
  probes = 0

  send(frame: HubFrame): void {
    this.heard.push(frame)
  }

  probe(): void {
    this.probes++
  }

  get presence(): PresenceFrame[] {
    return this.heard.filter(frame => frame.type === 'presence')
  }

  get self(): SelfFrame[] {
    return this.heard.filter(frame => frame.type === 'self')
  }
}

export interface Joining extends Partial<Omit<Arrival, 'tenant' | 'account' | 'device' | 'status'>> {
  readonly tenant?: string
  readonly status?: string
}

export const worldOf = (tenants: Readonly<Record<string, Tenant>>) => {
  const clock = new VirtualClock()
  const presence = createPresence(tenantsOf(tenants), clock)
  return {
    clock,
    presence,
    /** Attaches a device, which must be welcome. */
    join(account: string, device: string, joining: Joining = {}): Attachment {
      const arrival = {
        tenant: 'acme',
        account,
        device,
        link: new Ear(),
        groups: [],
        canReceive: true,
        confirms: true,
        ...joining,
      }
      const attached = presence.attach(arrival as never)
      if (!attached.ok) throw new Error(attached.message)
      return attached.value
    },
    /** One account's entry, at the level of devices. */
    entry(account: string, tenant = 'acme'): AccountEntry {
      return presence.resource(n(tenant), n(account), { view: 'full', devices: true }).accounts![0]!
    },
    status(destination: string, tenant = 'acme'): string {
      return presence.resource(n(tenant), n(destination), { view: 'summary', devices: false }).status
    },
    hold: (account: string, call: string, tenant = 'acme') => ({
      tenant: n(tenant),
      account: n(account),
      call: n(call),
    }),
  }
}

/** A resource without the facts of the moment, its accounts by name: what a reader's fold must equal. */
export const settled = (resource: Resource) => {
  const { accounts, cursor: _, ...head } = resource
  return {
    ...head,
    ...(accounts && {
      accounts: Object.fromEntries(
        accounts.map(({ lastSeen: _, devices, ...entry }) => [
          entry.account,
          {
            ...entry,
            ...(devices && { devices: devices.map(({ link: _, client: __, ...device }) => device) }),
          },
        ]),
      ),
    }),
  }
}

/** Folds a feed by the strict rule: a diff that does not build on the version held is a failure. */
export class Fold {
  #head: Omit<PresenceFrame, 'type' | 'snapshot' | 'prev' | 'accounts' | 'removed'> | undefined
  #accounts: Map<string, AccountEntry> | undefined

  apply({ type: _, snapshot, prev, accounts, removed = [], ...head }: PresenceFrame): void {
    if (snapshot) this.#accounts = accounts && new Map()
    else if (prev !== this.#head?.version) {
      throw new Error(`a diff from ${prev}, but the version held is ${this.#head?.version}`)
    } else if (head.version <= (prev as number)) throw new Error('a diff that leads nowhere')
    this.#head = head
    for (const entry of accounts ?? []) this.#accounts?.set(entry.account, entry)
    for (const name of removed) this.#accounts?.delete(name)
  }

  get state() {
    return { ...this.#head, ...(this.#accounts && { accounts: Object.fromEntries(this.#accounts) }) }
  }
}
