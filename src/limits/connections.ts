// Who may connect: every connection of the listener is counted, in all and by the address it comes from, until it
// closes. Beyond a limit it is let in only to hear why, a few at a time; more than that are closed unheard, so that
// the process never runs out of files. Behind a trusted proxy it is the address in X-Forwarded-For that counts, by
// socket, and nobody else's word for an address is believed.

import type { IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import type { Config } from '../config.js'
import type { Refusal } from '../errors.js'
import { type Log, plainAddress, subscriberOf, withinBlocks } from '../runtime/index.js'
import type { Bounds } from './bounds.js'
import { connectionsWithin } from './descriptors.js'
import { Quota } from './quota.js'

export interface ConnectionsOptions {
  readonly bounds: Bounds
  readonly listen: Pick<Config['listen'], 'trustProxy'>
  readonly log: Log
  /** How many files and sockets the process may have open; absent: that is not known, and no reason to take fewer. */
  readonly descriptors?: number | undefined
}

/** What a request shows of its connection. */
type Request = Pick<IncomingMessage, 'headers' | 'socket'>

const addressOf = ({ remoteAddress = 'none' }: Pick<Socket, 'remoteAddress'>): string =>
  plainAddress(remoteAddress)

/**
 * Unique among the open connections of a listener, and the same for a connection and for the TLS within it. What has no
 * port (within the process, or over a Unix socket) is known by itself.
 */
const nameOf = (socket: Socket): unknown =>
  socket.remotePort === undefined ? socket : `${socket.remoteAddress} ${socket.remotePort}`

export class Connections {
  /** How many there may be at once. */
  readonly most: number
  readonly #bounds: Bounds
  readonly #log: Log
  readonly #trusts: (address: string) => boolean
  readonly #byAddress = new Quota()
  /** Those that are let in to hear why they may not stay. */
  readonly #refused = new Map<unknown, Refusal>()
  readonly #hearings: number
  #open = 0
  /** Whether it has been said that connections are closed unheard. */
  #told = false

  constructor({ bounds, listen, log, descriptors }: ConnectionsOptions) {
    const { connections } = bounds.of
    this.#bounds = bounds
    this.#log = log
    this.#trusts = withinBlocks(listen.trustProxy)
    this.most = Math.min(
      connections,
      descriptors === undefined ? connections : connectionsWithin(descriptors),
    )
    this.#hearings = Math.ceil(this.most / 16)
    if (this.most < connections) {
      const facts = { connections: this.most, 'limits.connections': connections, descriptors }
      log.warn(
        facts,
        'fewer connections than limits.connections: the process may not have so many files open',
      )
    }
  }

  /** How many there are, those that only hear why not left out. */
  get open(): number {
    return this.#open
  }

  /** Whether there is no room for another. */
  get full(): boolean {
    return this.#open >= this.most
  }

  /** A connection came: counts it until it closes, or closes it. */
  accept(socket: Socket): void {
    const name = nameOf(socket)
    const address = addressOf(socket)
    const subscriber = subscriberOf(address)
    const proxy = this.#trusts(address)
    const refusal = this.#admit(subscriber, proxy)
    if (refusal === undefined) {
      this.#told = false
      this.#keep(socket, proxy ? undefined : subscriber)
    } else if (this.#refused.size < this.#hearings) {
      this.#refused.set(name, refusal)
      socket.once('close', () => this.#refused.delete(name))
    } else {
      socket.destroy()
      if (!this.#told) {
        this.#told = true
        this.#log.warn(
          { code: refusal.code, reason: refusal.message, peer: address },
          'connections are closed unheard',
        )
      }
    }
  }

  /** Why whoever is at the other end of a request may not stay, if so. */
  refusalOf({ socket }: Pick<Request, 'socket'>): Refusal | undefined {
    return this.#refused.get(nameOf(socket))
  }

  /** As `refusalOf`, of a request to become a socket: whoever is behind a proxy is counted until it closes. */
  upgrade(request: Request): Refusal | undefined {
    const refusal = this.refusalOf(request)
    const { socket } = request
    if (refusal !== undefined || !this.#trusts(addressOf(socket))) return refusal
    const subscriber = subscriberOf(this.peerOf(request))
    const { connectionsPerAddress } = this.#bounds.of
    if (!this.#byAddress.take(subscriber, connectionsPerAddress)) {
      return this.#bounds.refuse('connectionsPerAddress')
    }
    socket.once('close', () => this.#byAddress.give(subscriber))
    return undefined
  }

  /** The address that a request comes from: the last one that no trusted proxy stands for. */
  peerOf({ headers, socket }: Request): string {
    let peer = addressOf(socket)
    const hops = String(headers['x-forwarded-for'] ?? '').split(',')
    while (hops.length > 0 && this.#trusts(peer)) {
      const hop = plainAddress(String(hops.pop()).trim())
      if (isIP(hop) === 0) break
      peer = hop
    }
    return peer
  }

  /** Counts a connection until it closes. Apart, so that what an open one holds on to is little. */
  #keep(socket: Socket, subscriber: string | undefined): void {
    this.#open++
    socket.on('close', () => {
      this.#open--
      if (subscriber !== undefined) this.#byAddress.give(subscriber)
    })
  }

  #admit(subscriber: string, proxy: boolean): Refusal | undefined {
    const { connectionsPerAddress } = this.#bounds.of
    if (this.full) return this.#bounds.refuse('connections', { value: this.most, retryAfterMs: 1_000 })
    if (proxy || this.#byAddress.take(subscriber, connectionsPerAddress)) return undefined
    return this.#bounds.refuse('connectionsPerAddress')
  }
}
