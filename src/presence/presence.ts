// What presence offers the other rooms: registration for the gateway, reading for whoever has the right,
// and for the router the claim, which is the lock that keeps one person from two calls.
// Everything is told by names and ids, so that the other side may be another machine.

import type { Config, TenantConfig } from '../config.js'
import type { Result } from '../errors.js'
import type {
  AccountId,
  CallId,
  Destination,
  DeviceChange,
  DeviceDeclared,
  DeviceId,
  HubFrame,
  Party,
  Resource,
  StatusChange,
  TenantId,
  ViewName,
} from '../protocol/index.js'
import type { Link, Reader } from './link.js'

/** A client application that has shown its right to be present. */
export interface Arrival extends Party {
  readonly link: Link
  /** Open groups its token joins; unknown and closed ones are left out by the graph. */
  readonly groups: readonly string[]
  /** Whether it may be offered calls (`call:receive`). */
  readonly canReceive: boolean
  /** Whether this kind of client confirms that it rings; one that never does is not held suspect for it. */
  readonly confirms: boolean
  /** Name and version of the client application. */
  readonly client?: string
  readonly status?: DeviceDeclared
  readonly note?: string
  /** Calls at once by the token; the directory's word wins. */
  readonly tokenCapacity?: number
  /** Calls at once that this client asks for, while it is attached; never more than the account's. */
  readonly capacity?: number
}

/** One registration of a device. Once it has left, or another has taken the device over, its methods do nothing. */
export interface Attachment {
  readonly party: Party
  /** The open and listed groups of the account. */
  readonly groups: readonly Destination[]
  /** The connection was lost and may come back. */
  linger(): void
  /** It came back: all devices of the account are sent `self`. */
  resume(): void
  /** Gone for good: the device leaves presence. */
  leave(): void
  /** What this client application says of itself. */
  declare(change: DeviceChange): Result<undefined>
  /** Anything was heard of it: clears `suspect`. */
  alive(): void
  /** It did not answer in time: ranked after all live devices, and probed. */
  suspect(): void
  /** A fresh token's rights. */
  grant(rights: { canReceive: boolean; groups: readonly string[]; tokenCapacity?: number }): void
}

/** Who may read how much: devices are shown by right, not by view. */
export interface Query {
  readonly view: ViewName
  readonly devices: boolean
}

export interface Page {
  /** At most so many accounts; absent: all. */
  readonly limit?: number
  /** From an earlier answer. */
  readonly cursor?: string
}

/** One reader's subscriptions. Every frame goes to its reader. */
export interface Subscriptions {
  readonly size: number
  /** Sends a snapshot, then every change. Subscribing again sends a fresh snapshot, with the view asked for now. */
  subscribe(destination: Destination, query: Query): void
  /** Stops one; an unknown one is ignored. */
  unsubscribe(destination: Destination): void
  /** Ends those that `allowed` no longer holds for. */
  prune(allowed: (destination: Destination, query: Query) => boolean): void
  close(): void
}

/** One call's hold on one account. Calls are told apart by id: a second claim for the same call is refused. */
export interface Hold {
  readonly tenant: TenantId
  readonly account: AccountId
  readonly call: CallId
}

/** How a hold ended, for the facts that routing goes by. */
export interface Release {
  /** Connected for so long; absent: never answered. */
  readonly talkMs?: number
  /** The person was rung and did not answer. */
  readonly missed?: boolean
  /** So many misses in a row, and the system sets the override `away`; absent: never. */
  readonly awayAfterMisses?: number
  /** Not to be offered a call of a group for so long. */
  readonly coolDownMs?: number
  /** How long the person is in wrap-up; their place stays taken until then. */
  readonly wrapupMs?: number
}

export interface Presence {
  /**
   * Registers a device, or takes over the place of its earlier connection. Synchronous: seen by all readers when it
   * returns. At the end of the turn, and after each change, all devices of the account are sent `self`.
   */
  attach(arrival: Arrival): Result<Attachment>
  /** The presence status resource; an unknown name looks like an account that is offline. */
  resource(tenant: TenantId, destination: Destination, query: Query, page?: Page): Resource
  /** Whether a group or an account of that name exists: listed, configured or present. */
  knows(tenant: TenantId, destination: Destination): boolean
  /** A person's word for all their devices; `null` clears it. `by` is who said so. */
  override(tenant: TenantId, account: AccountId, change: StatusChange, by: AccountId): Result<undefined>
  /**
   * The person's own word on their wrap-up: it ends `endMs` from now, 0 at once. `conflict` where there is none to
   * extend.
   */
  wrapup(tenant: TenantId, account: AccountId, endMs: number): Result<undefined>
  subscriptions(tenant: TenantId, reader: Reader): Subscriptions

  /**
   * Takes one place of the account and rings those of `devices` that are there and available; refused `not-found` if
   * there are none, and `busy` if no place is free.
   */
  claim(hold: Hold, devices: readonly DeviceId[]): Promise<Result<readonly DeviceId[]>>
  /** Takes one place of the account for a call that its own device places: engaged at once. */
  seize(hold: Hold, device: DeviceId): Result<undefined>
  /**
   * The place that one call has is another's from now on, and what the account is doing stays as it is. Unknown holds are
   * ignored.
   */
  pass(hold: Hold, to: CallId): void
  /** This device answered: the account is engaged, its other devices stop ringing. */
  engage(hold: Hold, device: DeviceId): void
  /** This device no longer rings for the call; the account's place stays held. */
  quiet(hold: Hold, device: DeviceId): void
  /** Gives the place back. Unknown holds are ignored. */
  release(hold: Hold, outcome?: Release): void
  /** Sends a frame to a device; false if it is not there. */
  send(party: Party, frame: HubFrame): boolean
  /** Marks a device suspect, and probes it. */
  suspect(party: Party): void

  /** Takes new directories: groups, members, capacities. Whoever is present stays so. */
  configure(tenants: Config['tenants']): void
  /** The same of one group, which has come, changed or gone; `config` is all that holds of its tenant now. */
  configureGroup(tenant: TenantId, group: Destination, config: TenantConfig): void

  /** What metrics show. */
  readonly counts: { readonly devices: number; readonly accounts: number; readonly subscriptions: number }
}
