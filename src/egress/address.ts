// Where outgoing requests may lead: the guarded connector of an undici dispatcher. It judges every address that a name
// resolves to before it connects, so that no port of a private network is ever knocked at, and then the address that
// the connection really has, before a byte is sent on it (with TLS, before the handshake): a name may resolve to
// anything, another answer may come the second time, and an address has many spellings.

import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, isIPv4, isIPv6, type LookupFunction, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buildConnector } from 'undici'

// The IANA special-purpose registries (RFC 6890 and its successors): all that is not of the public Internet.

const special4 = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  special4.addSubnet(network, prefix, 'ipv4')
}

// Global unicast is 2000::/3. The first three are all else: loopback, addresses that stand for IPv4 ones (mapped,
// 64:ff9b::/96), unique local, link-local, multicast. The others lie within it: Teredo and the like, 6to4, examples.
const special6 = new BlockList()
for (const [network, prefix] of [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  special6.addSubnet(network, prefix, 'ipv6')
}

/** Whether an address is one of the public Internet. Text that is no address, or none, is not. */
export const isPublic = (address: string | undefined): boolean => {
  const text = String(address)
  return isIPv4(text) ? !special4.check(text, 'ipv4') : isIPv6(text) && !special6.check(text, 'ipv6')
}

/** A server that is not asked, since it is where none may be. */
export class AddressRefused extends Error {
  constructor(host: string, address: string | undefined) {
    super(`${host} is at ${address}, which is not a public address`)
    this.name = 'AddressRefused'
  }
}

/** Opens a connection to a server outside, named as in its URL: `https:`, a host, a port or nothing. */
export type Connect = (to: {
  readonly protocol: string
  readonly hostname: string
  readonly port: string
}) => Duplex

/** The network that servers outside are in, where it is not the machine's own. */
export interface Network {
  /** In place of guarded connections. */
  readonly connect?: Connect | undefined
  /** Resolves a name to all of its addresses. Default: the system's resolver. */
  readonly lookup?: LookupFunction
  /** Which addresses are public. Default: those of the public Internet. */
  readonly isPublic?: typeof isPublic
}

/** A connector for undici over connections that are made elsewhere: as they are, with no TLS and no judgement. */
const plainConnector =
  (connect: Connect): buildConnector.connector =>
  (target, callback) => {
    // undici asks of a socket what every duplex stream has, and wants it in a later turn than it asked in.
    const socket = connect(target) as Socket
    queueMicrotask(() => callback(null, socket))
  }

/** A resolver that fails with `AddressRefused` where one of the addresses of a name may not be asked. */
const judgedLookup =
  (resolve: LookupFunction, mayAsk: (address: string) => boolean): LookupFunction =>
  (hostname, options, callback) =>
    resolve(hostname, options, (error, found, family) => {
      // One address that is not public is reason enough: which of them answers first is a matter of chance.
      const refused = error === null && [found].flat().find(each => !mayAsk(addressOf(each)))
      if (refused) callback(new AddressRefused(hostname, addressOf(refused)), found, family)
      else callback(error, found, family)
    })

const addressOf = (found: string | { readonly address: string }): string =>
  typeof found === 'string' ? found : found.address

/** A connector for undici that fails with `AddressRefused` where an address is not public, unless `allowPrivate`. */
const guardedConnector = (
  options: { readonly allowPrivate: boolean; readonly timeoutMs: number },
  network: Network,
): buildConnector.connector => {
  const judge = network.isPublic ?? isPublic
  const mayAsk = (address: string | undefined): boolean => options.allowPrivate || judge(address)
  const lookup = judgedLookup(network.lookup ?? systemLookup, mayAsk)
  const connect = buildConnector({ timeout: options.timeoutMs, lookup })
  return ({ hostname: written, ...target }, callback) => {
    const hostname = written.replace(/^\[(.*)\]$/, '$1')
    const port = target.port || (target.protocol === 'https:' ? '443' : '80')
    if (isIP(hostname) !== 0 && !mayAsk(hostname)) {
      return queueMicrotask(() => callback(new AddressRefused(hostname, hostname), null))
    }
    connect({ ...target, hostname, protocol: 'http:', port }, (error, socket) => {
      if (error !== null) return callback(error, null)
      if (!mayAsk(socket.remoteAddress)) {
        socket.destroy()
        return callback(new AddressRefused(hostname, socket.remoteAddress), null)
      }
      if (target.protocol === 'https:') return connect({ ...target, hostname, httpSocket: socket }, callback)
      return callback(null, socket)
    })
  }
}

/** The way to servers outside: guarded, unless connections are made elsewhere. */
export const connectorOf = (
  options: { readonly allowPrivate: boolean; readonly timeoutMs: number },
  network: Network,
): buildConnector.connector =>
  network.connect === undefined ? guardedConnector(options, network) : plainConnector(network.connect)
