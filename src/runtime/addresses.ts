// IP addresses as a hub compares them: one spelling each, the network that one subscriber has, and blocks of them.

import { BlockList, isIP, isIPv4 } from 'node:net'

/** An address, or all that share its first bits. */
export interface Block {
  readonly network: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

const bits = { ipv4: 32, ipv6: 128 } as const
const written = /^([^/]+)(?:\/(\d{1,3}))?$/
const mapped = /^::ffff:(?=\d+\.)/i

/** An address in the spelling that all others are compared in: an IPv4 one that came as IPv6 is itself again. */
export const plainAddress = (address: string): string => address.replace(mapped, '')

/** Reads `192.0.2.1`, `10.0.0.0/8` or `2001:db8::/32`; undefined if it is none of them. */
export const readBlock = (text: string): Block | undefined => {
  const [, network = '', prefix] = written.exec(text) ?? []
  if (isIP(network) === 0) return undefined
  const family = isIPv4(network) ? 'ipv4' : 'ipv6'
  const size = prefix === undefined ? bits[family] : Number(prefix)
  return size > bits[family] ? undefined : { network, prefix: size, family }
}

/** Whether an address is in one of the blocks, each as `readBlock` takes them; what is none of those is in none. */
export const withinBlocks = (texts: readonly string[]): ((address: string) => boolean) => {
  if (texts.length === 0) return () => false
  const list = new BlockList()
  for (const text of texts) {
    const block = readBlock(text)
    if (block !== undefined) list.addSubnet(block.network, block.prefix, block.family)
  }
  return address => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/**
 * What one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 one (RFC 6177), within which they may
 * choose as many addresses as they like.
 */
export const subscriberOf = (address: string): string => {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::').map(part => (part === '' ? [] : part.split(':')))
  const zeros = tail === undefined ? [] : Array(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...(tail ?? [])].slice(0, 4).join(':').toLowerCase()
}
