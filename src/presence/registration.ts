// A device's registration: arrival, takeover by a newer connection, loss and return, departure; and the open
// groups that an account is in while its tokens join them. Each step is one synchronous change of the graph.

import { ok, type Result, refuse } from '../errors.js'
import type { Declared, Destination, Party, StatusChange } from '../protocol/index.js'
import { declare } from './declaration.js'
import { device as deviceAutomaton } from './device.machine.js'
import type { Graph } from './graph.js'
import type { Link } from './link.js'
import type { Arrival, Attachment } from './presence.js'
import { type AccountRecord, type DeviceRecord, deviceOf, levels } from './records.js'

/** Brings the open groups that an account is in to those that its devices' tokens join. */
const regroup = (graph: Graph, account: AccountRecord): void => {
  const wanted = new Set(account.devices.flatMap(({ groups }) => groups))
  for (const group of account.tenant.groups.values()) {
    const in_ = account.groups.includes(group)
    const asked = group.open && wanted.has(group.name)
    if (asked && !in_) graph.join(group, account)
    if (!asked && in_ && !group.listed.has(account.account)) graph.part(group, account)
  }
}

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
  account.devices.push(device)
  graph.devices++
  return device
}

const depart = (graph: Graph, device: DeviceRecord): void => {
  const { account } = device
  device.untilTimer?.cancel()
  account.devices.splice(account.devices.indexOf(device), 1)
  for (const hold of account.holds) hold.devices = hold.devices.filter(other => other !== device)
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
    this.#device.account.lastSeen = this.#graph.clock.wall()
    this.#follow('lose')
  }

  resume(): void {
    if (this.#follow('resume')) this.#graph.tellSelf(this.#device.account)
  }

  leave(): void {
    if (this.#step('leave')) depart(this.#graph, this.#device)
  }

  declare(change: StatusChange & { status: Declared }): Result<undefined> {
    if (!this.#current) return ok(undefined)
    const declared = declare(this.#graph, this.#device, change)
    if (declared.ok) this.#graph.commit(this.#device.account)
    return declared
  }

  alive(): void {
    if (this.#device.state.value.liveness === 'suspect') this.#follow('alive')
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
    this.#graph.commit(device.account, levels.routing)
    regroup(this.#graph, device.account)
    this.#graph.tellSelf(device.account)
  }

  /** Whether no newer connection has taken the device over. */
  get #current(): boolean {
    return this.#device.link === this.#link
  }

  #step(event: 'lose' | 'resume' | 'leave' | 'alive'): boolean {
    const next = this.#current ? deviceAutomaton.next(this.#device.state, event) : undefined
    if (next === undefined) return false
    this.#device.state = next
    return true
  }

  #follow(event: 'lose' | 'resume' | 'alive'): boolean {
    const accepted = this.#step(event)
    if (accepted) this.#graph.commit(this.#device.account)
    return accepted
  }
}

/** Registers a device, or lets it take over the place of its earlier connection. */
export const attach = (graph: Graph, arrival: Arrival): Result<Attachment> => {
  const tenant = graph.tenant(arrival.tenant)
  if (tenant.groups.has(arrival.account as string as never)) {
    return refuse('name-taken', `${arrival.account} is the name of a group`)
  }
  const account = graph.account(tenant, arrival.account)
  const known = deviceOf(account, arrival.device)
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
  if (arrival.status !== undefined || arrival.note !== undefined) {
    const status = arrival.status ?? device.state.value.declared
    declare(graph, device, { status, ...(arrival.note !== undefined && { note: arrival.note }) })
  }
  account.lastSeen = graph.clock.wall()
  graph.commit(account, known ? levels.routing : levels.devices)
  regroup(graph, account)
  graph.tellSelf(account)
  return ok(new Registration(graph, device, link))
}
