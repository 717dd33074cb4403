// A device's registration: arrival, takeover by a newer connection, loss and return, departure. Each step is one
// synchronous change of the graph.

import { ok, type Result } from '../errors.js'
import type { Destination, DeviceChange, Party } from '../protocol/index.js'
import { declare } from './declaration.js'
import { deviceAutomaton } from './device.machine.js'
import { regroup } from './directory.js'
import type { Graph } from './graph.js'
import type { Link } from './link.js'
import type { Arrival, Attachment } from './presence.js'
import { type AccountRecord, type DeviceRecord, deviceOf, levels } from './records.js'

const newDevice = (graph: Graph, account: AccountRecord, { device: id, link }: Arrival): DeviceRecord => {
  const device: DeviceRecord = {
    id,
    account,
    state: deviceAutomaton.initial,
    link,
    status: 'offline',
    since: graph.clock.wall(),
    declaredAt: graph.clock.now(),
    note: '',
    until: null,
    untilTimer: undefined,
    client: '',
    canReceive: false,
    confirms: true,
    groups: [],
    tokenCapacity: undefined,
    capacity: undefined,
  }
  account.devices = [...account.devices, device]
  graph.devices++
  return device
}

const depart = (graph: Graph, device: DeviceRecord): void => {
  const { account } = device
  device.untilTimer?.cancel()
  account.devices = account.devices.filter(other => other !== device)
  graph.devices--
  account.lastSeen = graph.clock.wall()
  regroup(graph, account)
  graph.commit(account, levels.devices)
  graph.forget(account)
}

/** Marks a device suspect, and asks it for a sign of life. */
export const doubt = (graph: Graph, device: DeviceRecord): void => {
  device.state = deviceAutomaton.settle(device.state, 'suspect')
  graph.commit(device.account)
  device.link.probe()
}

class Registration implements Attachment {
  readonly #graph: Graph
  readonly #device: DeviceRecord
  readonly #link: Link

  constructor(graph: Graph, device: DeviceRecord, link: Link) {
    this.#graph = graph
    this.#device = device
    this.#link = link
  }

  get party(): Party {
    const { account, id } = this.#device
    return { tenant: account.tenant.id, account: account.account, device: id }
  }

  get groups(): readonly Destination[] {
    return this.#device.account.groups.map(({ name }) => name)
  }

  linger(): void {
    if (!this.#step('lose')) return
    const { account } = this.#device
    account.lastSeen = this.#graph.clock.wall()
    this.#graph.commit(account)
  }

  resume(): void {
    if (this.#follow('resume')) this.#graph.tellSelf(this.#device.account)
  }

  leave(): void {
    if (this.#step('leave')) depart(this.#graph, this.#device)
  }

  declare(change: DeviceChange): Result<undefined> {
    if (!this.#current) return ok(undefined)
    const declared = declare(this.#graph, this.#device, change)
    if (declared.ok) this.#graph.commit(this.#device.account)
    return declared
  }

  alive(): void {
    this.#follow('alive')
  }

  suspect(): void {
    if (this.#current) doubt(this.#graph, this.#device)
  }

  grant({ canReceive, groups, tokenCapacity }: Parameters<Attachment['grant']>[0]): void {
    if (!this.#current) return
    const device = this.#device
    device.canReceive = canReceive
    device.groups = groups
    device.tokenCapacity = tokenCapacity
    this.#graph.commit(device.account)
    regroup(this.#graph, device.account)
    this.#graph.tellSelf(device.account)
  }

  /** Whether the device is there, and no newer connection has taken it over. */
  get #current(): boolean {
    return this.#device.link === this.#link && this.#device.state.value.link !== 'gone'
  }

  #step(event: 'lose' | 'resume' | 'leave' | 'alive'): boolean {
    const next = this.#current ? deviceAutomaton.next(this.#device.state, event) : undefined
    if (next === undefined) return false
    this.#device.state = next
    return true
  }

  #follow(event: 'resume' | 'alive'): boolean {
    const accepted = this.#step(event)
    if (accepted) this.#graph.commit(this.#device.account)
    return accepted
  }
}

/** Registers a device, or lets it take over the place of its earlier connection. */
export const attach = (graph: Graph, arrival: Arrival): Result<Attachment> => {
  const tenant = graph.tenant(arrival.tenant)
  const taken = graph.taken(tenant, arrival.account)
  if (taken !== undefined) return taken
  const account = graph.account(tenant, arrival.account)
  const known = deviceOf(account, arrival.device)
  if (known === undefined && account.devices.length >= graph.bounds.of.devicesPerAccount) {
    return graph.bounds.refuse('devicesPerAccount')
  }
  const device = known ?? newDevice(graph, account, arrival)
  const { link } = arrival
  device.link = link
  device.state = deviceAutomaton.settle(deviceAutomaton.settle(device.state, 'resume'), 'alive')
  device.client = arrival.client ?? ''
  device.canReceive = arrival.canReceive
  device.confirms = arrival.confirms
  device.groups = arrival.groups
  device.tokenCapacity = arrival.tokenCapacity
  device.capacity = arrival.capacity
  if (arrival.status !== undefined) declare(graph, device, { status: arrival.status })
  if (arrival.note !== undefined) device.note = arrival.note
  account.lastSeen = graph.clock.wall()
  graph.commit(account)
  regroup(graph, account)
  graph.tellSelf(account)
  return ok(new Registration(graph, device, link))
}
