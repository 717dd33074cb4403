// Where outgoing requests may lead: the guarded connector of an undici dispatcher. It looks at the address that
// a connection really has, before a byte is sent on it (with TLS, before the handshake): a name may resolve to
// anything, another answer may come the second time, and an address has many spellings.

import { BlockList, isIPv4, isIPv6, type Socket } from 'node:net'
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

/** A connection that was closed before it was used, since it led where none may. */
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

/** A connector for undici over connections that are made elsewhere: as they are, with no TLS and no judgement. */
export const plainConnector =
  (connect: Connect): buildConnector.connector =>
  (target, callback) => {
    // undici asks of a socket what every duplex stream has, and wants it in a later turn than it asked in.
    const socket = connect(target) as Socket
    queueMicrotask(() => callback(null, socket))
  }

/** A connector for undici that fails with `AddressRefused` where the address is not public, unless `allowPrivate`. */
export const guardedConnector = (options: {
  readonly allowPrivate: boolean
  readonly timeoutMs: number
}): buildConnector.connector => {
  const connect = buildConnector({ timeout: options.timeoutMs })
  return (target, callback) => {
    const port = target.port || (target.protocol === 'https:' ? '443' : '80')
    connect({ ...target, protocol: 'http:', port }, (error, socket) => {
      if (error !== null) return callback(error, null)
      if (!options.allowPrivate && !isPublic(socket.remoteAddress)) {
        socket.destroy()
        return callback(new AddressRefused(target.hostname, socket.remoteAddress), null)
      }
      if (target.protocol === 'https:') return connect({ ...target, httpSocket: socket }, callback)
      return callback(null, socket)
    })
  }
}
