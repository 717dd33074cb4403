// What bounds a peer: rates, counts, and who may connect from where. Where each limit is enforced, the specs of that
// room show it.

import { EventEmitter } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { defaultLimits, readConfig } from '../src/config.js'
import {
  Bounds,
  Bucket,
  Buckets,
  Connections,
  connectionsWithin,
  descriptorLimit,
  limitTable,
  perMinute,
  perSecond,
  Quota,
  telling,
} from '../src/limits/index.js'
import { readBlock, silentLog, subscriberOf } from '../src/runtime/index.js'
import { limitsTable } from './support/limits-page.js'

t.test('a bucket gives a burst, then a steady rate, and says when there is more', async t => {
  const bucket = new Bucket(0)
  const pace = perSecond(10)
  for (let count = 0; count < 20; count++) t.equal(bucket.take(pace, 0), 0)
  t.equal(bucket.take(pace, 0), 100)
  t.equal(bucket.take(pace, 50), 50, 'what is refused takes nothing')
  t.equal(bucket.take(pace, 100), 0)
  t.equal(bucket.take(perSecond(20), 100), 0, 'at a wider pace there is room at once')
  t.equal(bucket.take(pace, 1e9, 20), 0, 'what is not used does not add up')
  t.equal(bucket.take(pace, 1e9, 5), 500)
  t.same(perMinute(30), { perSecond: 0.5, burst: 5 })
  t.same(perMinute(1), { perSecond: 1 / 60, burst: 1 })

  const buckets = new Buckets()
  t.equal(buckets.take('a', perMinute(1), 0), 0)
  t.equal(buckets.take('a', perMinute(1), 0), 60_000)
  t.equal(buckets.take('b', perMinute(1), 0), 0, 'each key has its own')
})

t.test('a quota counts by key, and keeps nothing of whoever has none', async t => {
  const quota = new Quota()
  t.same(
    [quota.take('a', 2), quota.take('a', 2), quota.take('a', 2), quota.take('b', 2)],
    [true, true, false, true],
  )
  t.same([quota.of('a'), quota.of('b'), quota.of('c')], [2, 1, 0])
  quota.give('a')
  t.equal(quota.take('a', 2), true)
  for (let count = 0; count < 2; count++) quota.give('a')
  t.equal(quota.of('a'), 0)
})

t.test('a quota counts amounts, too', async t => {
  const quota = new Quota()
  t.same([quota.take('a', 10, 6), quota.take('a', 10, 5), quota.take('a', 10, 4)], [true, false, true])
  quota.give('a', 6)
  t.same([quota.of('a'), quota.take('a', 10, 6)], [4, true])
})

t.test(
  'of one address so many refusals a second are told, all are counted, and else all is told',
  async t => {
    const bounds = new Bounds({ refusalLinesPerSecond: 10 })
    const told: [level: string, facts: object][] = []
    const line = (level: string) => (facts: object) => void told.push([level, facts])
    let now = 0
    const log = telling({ info: line('info'), warn: line('warn'), error: line('error') }, bounds, () => now)
    const refuse = (peer: string) => log.info({ code: 'unauthorized', peer }, 'a request was refused')
    for (let count = 0; count < 1_000; count++) refuse('192.0.2.1')
    t.equal(told.length, 20)
    t.equal(bounds.reached.refusalLinesPerSecond, 980)
    refuse('192.0.2.2')
    t.equal(told.length, 21, 'of another address it is told')
    for (let count = 0; count < 100; count++) refuse(`2001:db8::${count}`)
    t.equal(told.length, 41, 'of a subscriber with many addresses as of one')
    now += 1_000
    for (let count = 0; count < 1_000; count++) refuse('192.0.2.1')
    t.equal(told.length, 51, 'ten a second')
    told.length = 0
    for (let count = 0; count < 100; count++) {
      log.info({}, 'no refusal')
      log.info({ peer: '192.0.2.1' }, 'no refusal')
      log.warn({ code: 'x', peer: '192.0.2.1' }, 'a warning')
      log.error({ code: 'x', peer: '192.0.2.1' }, 'a fault of ours')
    }
    t.equal(told.length, 400)
  },
)

t.test('a refusal names its limit and the value, and is counted', async t => {
  const bounds = new Bounds({ devicesPerAccount: 3 })
  t.equal(bounds.reached.devicesPerAccount, 0)
  t.same(bounds.refuse('devicesPerAccount'), {
    ok: false,
    code: 'too-many',
    message: 'at most 3 devices of one account (limits.devicesPerAccount)',
  })
  t.match(bounds.refuse('connections', { value: 7, retryAfterMs: 9 }), {
    code: 'overloaded',
    retryAfterMs: 9,
  })
  t.match(bounds.reached, { devicesPerAccount: 1, connections: 1, params: 0 })
})

t.test(
  'limits are checked against each other at the start, and addresses of proxies for their form',
  async t => {
    const faults = (input: object) => {
      const read = readConfig(input, { dir: '.', env: {} })
      return read.ok ? [] : read.faults.map(({ path, message }) => `${path} ${message}`)
    }
    t.same(faults({ limits: { crowdedBytes: 10, unsentBytes: 9, messageBytes: 21, bytesPerSecond: 10 } }), [
      'limits.crowdedBytes must be at most limits.unsentBytes',
      'limits.messageBytes must be at most twice limits.bytesPerSecond',
    ])
    t.match(faults({ limits: { devicesPerAccount: 0, more: 1 } }), [/limits.more/, /devicesPerAccount/])
    const trustProxy = ['10.0.0.0/8', '::1', 'nginx', '10.0.0.0/33', '2001:db8::/32', '1.2.3.4/8/8']
    t.same(
      faults({ listen: { trustProxy } }),
      [2, 3, 5].map(at => `listen.trustProxy[${at}] must be an IP address, or a block such as 10.0.0.0/8`),
    )
    t.same(readBlock('2001:db8::/32'), { network: '2001:db8::', prefix: 32, family: 'ipv6' })
  },
)

t.test('of an IPv6 address the first 64 bits count, which is what one subscriber has', async t => {
  t.equal(subscriberOf('192.0.2.7'), '192.0.2.7')
  for (const address of ['2001:DB8::1', '2001:db8:0:0:1:2:3:4', '2001:db8::', '2001:db8:0:0::9']) {
    t.equal(subscriberOf(address), '2001:db8:0:0', address)
  }
  t.equal(subscriberOf('::1'), '0:0:0:0')
  t.equal(subscriberOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2')
})

/** A connection as a listener sees it. */
class Peer extends EventEmitter {
  readonly remoteAddress: string
  readonly remotePort: number
  destroyed = false
  constructor(address: string, port: number) {
    super()
    this.remoteAddress = address
    this.remotePort = port
  }
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

const doorOf = (limits: object, trustProxy: string[] = [], descriptors?: number) => {
  const bounds = new Bounds(limits)
  const warned: object[] = []
  const log = { ...silentLog, warn: (facts: object) => void warned.push(facts) }
  const connections = new Connections({ bounds, listen: { trustProxy }, log, descriptors })
  let port = 0
  const come = (address: string): Peer => {
    const peer = new Peer(address, ++port)
    connections.accept(peer as never)
    return peer
  }
  const request = (socket: Peer, forwarded?: string) =>
    ({ socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as never
  return { bounds, connections, warned, come, request }
}

t.test('beyond a limit a connection hears why; beyond what can be heard it is closed', async t => {
  const { bounds, connections, warned, come, request } = doorOf({
    connections: 16,
    connectionsPerAddress: 15,
  })
  const first = Array.from({ length: 15 }, () => come('::ffff:192.0.2.1'))
  t.equal(connections.refusalOf(request(first[14]!)), undefined)
  const over = come('192.0.2.1')
  t.match(connections.refusalOf(request(over)), {
    code: 'too-many',
    message: /at most 15 connections from one/,
  })
  t.match(connections.upgrade(request(over)), { code: 'too-many' })
  t.notOk(connections.full, 'others have room')
  t.match([come('192.0.2.1').destroyed, come('192.0.2.1').destroyed], [true, true], 'one is heard at a time')
  t.match(warned, [{ code: 'too-many', peer: '192.0.2.1' }], 'said once')
  over.destroy()
  const other = come('192.0.2.2')
  t.equal(connections.refusalOf(request(other)), undefined)
  t.ok(connections.full)
  t.match(connections.refusalOf(request(come('192.0.2.3'))), { code: 'overloaded', retryAfterMs: 1000 })
  t.match(bounds.reached, { connectionsPerAddress: 3, connections: 1 })
  for (const peer of [...first, other]) peer.destroy()
  t.equal(connections.open, 0)
  t.equal(connections.refusalOf(request(come('192.0.2.1'))), undefined)
})

t.test('connections without a port are told apart: one that may not stay takes nobody along', async t => {
  const { connections, request } = doorOf({ connections: 1 })
  const [one, other] = [new Peer('10.0.0.1', undefined as never), new Peer('10.0.0.1', undefined as never)]
  for (const peer of [one, other]) connections.accept(peer as never)
  t.equal(connections.refusalOf(request(one)), undefined)
  t.match(connections.refusalOf(request(other)), { code: 'overloaded' })
  other.destroy()
  t.equal(connections.refusalOf(request(other)), undefined)
})

t.test(
  '[FH7] the word of a trusted proxy counts, of its sockets one by one; of anyone else it does not',
  async t => {
    const { connections, come, request } = doorOf({ connectionsPerAddress: 1 }, ['10.0.0.0/8', '::1'])
    const proxy = Array.from({ length: 5 }, () => come('10.0.0.1'))
    t.equal(connections.open, 5, 'a proxy has as many connections as it needs')
    t.equal(connections.upgrade(request(proxy[0]!, '198.51.100.1')), undefined)
    t.match(connections.upgrade(request(proxy[1]!, '6.6.6.6, 198.51.100.1')), { code: 'too-many' })
    t.equal(connections.upgrade(request(proxy[2]!, '198.51.100.1, 198.51.100.2')), undefined)
    proxy[0]!.destroy()
    t.equal(connections.upgrade(request(proxy[3]!, '198.51.100.1')), undefined)

    const peerOf = (address: string, forwarded?: string) =>
      connections.peerOf(request(new Peer(address, 1), forwarded))
    t.equal(peerOf('10.0.0.1', '6.6.6.6, 198.51.100.1, 10.0.0.2'), '198.51.100.1', 'through two proxies')
    t.equal(peerOf('::1', '2001:db8::1'), '2001:db8::1')
    t.equal(peerOf('10.0.0.1'), '10.0.0.1')
    t.equal(peerOf('10.0.0.1', 'unknown, 10.0.0.9'), '10.0.0.9')
    t.equal(peerOf('192.0.2.1', '10.0.0.1'), '192.0.2.1', 'nobody else is believed')
  },
)

t.test('a process takes no more connections than it may have files', async t => {
  const { connections, warned } = doorOf({}, [], 1024)
  t.equal(connections.most, 816)
  t.match(warned, [{ connections: 816, 'limits.connections': 15_000, descriptors: 1024 }])
  t.equal(doorOf({}, [], 1e6).connections.most, 15_000)
  t.equal(connectionsWithin(10), 1)
  const dir = t.testdir({
    limits: 'Max processes   1  1  processes\nMax open files            4096                 8192    files\n',
    endless: 'Max open files            unlimited            unlimited    files\n',
  })
  t.equal(descriptorLimit(join(dir, 'limits')), 4096)
  t.equal(descriptorLimit(join(dir, 'endless')), undefined)
  t.equal(descriptorLimit(join(dir, 'none')), undefined)
})

t.test(
  'docs/limits.md has every limit: what it is, what holds, what it does and how it is counted',
  async t => {
    const page = readFileSync('docs/limits.md', 'utf8')
    const whole = page.replace(
      /(<!-- limits -->\n).*(<!-- \/limits -->)/s,
      (_, begin, end) => `${begin}\n${limitsTable}\n\n${end}`,
    )
    if (process.env.UPDATE_DOCS) writeFileSync('docs/limits.md', whole)
    t.equal(readFileSync('docs/limits.md', 'utf8'), whole)
    t.same(
      Object.keys(defaultLimits).filter(name => !(name in limitTable)),
      ['closeMs', 'gatewayFactor'],
      'all are counted but a deadline of the wire, and what only widens others',
    )
    t.same(Object.keys(new Bounds().reached), Object.keys(limitTable), 'from the start')
  },
)
