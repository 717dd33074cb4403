// The presence of one process: the graph behind the room's face. It translates names and ids into records, and
// holds nothing of its own but the readers' lists of what they watch.

import type { Config } from '../config.js'
import type { Bounds } from '../limits/index.js'
import type { AccountId, Destination, Party, TenantId } from '../protocol/index.js'
import type { Clock } from '../runtime/index.js'
import type { OverrideStore } from '../store/index.js'
import { override } from './declaration.js'
import type { Channel } from './feed.js'
import { Graph } from './graph.js'
import { claim, engage, pass, quiet, release, seize } from './holds.js'
import type { Reader } from './link.js'
import type { Presence, Query, Subscriptions } from './presence.js'
import { deviceOf, newAccount } from './records.js'
import { attach, doubt } from './registration.js'
import { levelOf, resourceOf } from './render.js'
import { endWrapup } from './wrapup.js'

const accountName = (destination: Destination): AccountId => destination as string as AccountId

class Watching implements Subscriptions {
  readonly #graph: Graph
  readonly #tenant: TenantId
  readonly #reader: Reader
  readonly #count: (by: number) => void
  readonly #watched = new Map<Destination, { readonly channel: Channel; readonly query: Query }>()

  constructor(graph: Graph, tenant: TenantId, reader: Reader, count: (by: number) => void) {
    this.#graph = graph
    this.#tenant = tenant
    this.#reader = reader
    this.#count = count
  }

  get size(): number {
    return this.#watched.size
  }

  subscribe(destination: Destination, query: Query): void {
    this.unsubscribe(destination)
    const tenant = this.#graph.tenant(this.#tenant)
    const topic =
      this.#graph.topic(tenant, destination) ?? this.#graph.account(tenant, accountName(destination))
    const channel = this.#graph.channel(topic, levelOf(query))
    this.#watched.set(destination, { channel, query })
    this.#count(1)
    channel.join(this.#reader)
  }

  unsubscribe(destination: Destination): void {
    const watched = this.#watched.get(destination)
    if (watched === undefined) return
    const { channel } = watched
    this.#watched.delete(destination)
    this.#count(-1)
    channel.leave(this.#reader)
    if (channel.size === 0) this.#graph.unwatch(channel)
  }

  prune(allowed: (destination: Destination, query: Query) => boolean): void {
    for (const [destination, { query }] of this.#watched) {
      if (!allowed(destination, query)) this.unsubscribe(destination)
    }
  }

  close(): void {
    this.prune(() => false)
  }
}

/** Presence of the configured tenants, in this process. What `kept` has of them is there from the start. */
export const createPresence = (
  tenants: Config['tenants'],
  clock: Clock,
  kept?: OverrideStore,
  bounds?: Bounds,
): Presence => {
  const graph = new Graph(tenants, clock, kept, bounds)
  let subscriptions = 0
  const deviceOfParty = (party: Party) => {
    const account = graph.find(party.tenant, party.account)
    return account && deviceOf(account, party.device)
  }
  return {
    attach: arrival => attach(graph, arrival),
    resource(tenantId, destination, query, page = {}) {
      const tenant = graph.tenant(tenantId)
      const topic = graph.topic(tenant, destination) ?? newAccount(tenant, accountName(destination))
      return resourceOf(topic, levelOf(query), page, true)
    },
    knows(tenantId, destination) {
      const topic = graph.topic(graph.tenant(tenantId), destination)
      if (topic === undefined) return false
      return (
        topic.kind === 'group' || topic.listed || topic.devices.length > 0 || topic.override !== undefined
      )
    },
    override: (tenant, account, change, by) => override(graph, graph.tenant(tenant), account, change, by),
    wrapup: (tenant, account, endMs) => endWrapup(graph, graph.find(tenant, account), endMs),
    subscriptions: (tenant, reader) =>
      new Watching(graph, tenant, reader, by => {
        subscriptions += by
      }),
    claim: async (hold, devices) => claim(graph, hold, devices),
    seize: (hold, device) => seize(graph, hold, device),
    pass: (hold, to) => pass(graph, hold, to),
    engage: (hold, device) => engage(graph, hold, device),
    quiet: (hold, device) => quiet(graph, hold, device),
    release: (hold, outcome = {}) => release(graph, hold, outcome),
    send(party, frame) {
      const device = deviceOfParty(party)
      device?.link.send(frame)
      return device !== undefined
    },
    suspect(party) {
      const device = deviceOfParty(party)
      if (device !== undefined) doubt(graph, device)
    },
    configure: directories => graph.configure(directories),
    configureGroup: (tenant, group, config) => graph.configureGroup(tenant, group, config),
    get counts() {
      return { devices: graph.devices, accounts: graph.accounts, subscriptions }
    },
  }
}
