// What a hub, a platform or an application may do wrong, and for how long: over sockets in memory, on virtual time.

import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import type { ClientFrame } from '../../src/client/frames.js'
import { type Connection, Softphone, type SoftphoneOptions } from '../../src/client/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { virtualTimers } from '../support/scripted-hub.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const turn = () => new Promise(resolve => setImmediate(resolve))

const welcome = {
  type: 'welcome',
  session: 's1',
  resumed: true,
  account: 'alice',
  heartbeatMs: 10_000,
}

/** A place with its own time, sockets and signals, which counts what a softphone holds of them. */
const newPlace = () => {
  const clock = new VirtualClock()
  const timers = virtualTimers(clock)
  const pending = new Set<unknown>()
  const made: WeakRef<MemorySocket>[] = []
  const place = { made, open: new Set<MemorySocket>(), pending, clock, watching: 0, greets: true }

  class MemorySocket {
    readyState = 0
    onopen: ((event: object) => void) | null = null
    onmessage: ((event: { data: string }) => void) | null = null
    onerror: ((event: object) => void) | null = null
    onclose: ((event: { code: number; reason: string }) => void) | null = null

    constructor() {
      made.push(new WeakRef(this))
      place.open.add(this)
      queueMicrotask(() => {
        if (this.readyState !== 0) return
        this.readyState = 1
        this.onopen?.({})
      })
    }

    send(text: string) {
      const { type } = JSON.parse(text) as ClientFrame
      if (type === 'hello' && place.greets) this.hear(welcome)
    }

    hear(frame: object) {
      const data = JSON.stringify(frame).replaceAll('"huge"', '1e999')
      queueMicrotask(() => this.onmessage?.({ data }))
    }

    /** The connection ends, by whichever side. */
    close(code = 1006) {
      place.open.delete(this)
      this.readyState = 3
      queueMicrotask(() => this.onclose?.({ code, reason: '' }))
    }
  }

  const options = {
    url: 'http://hub.test',
    token: 'token-1',
    device: 'web-1',
    random: () => 0.5,
    WebSocket: MemorySocket,
    timers: {
      now: timers.now,
      setTimeout(task: () => void, delayMs: number) {
        const timer = timers.setTimeout(() => {
          pending.delete(timer)
          task()
        }, delayMs)
        pending.add(timer)
        return timer
      },
      clearTimeout(timer: unknown) {
        pending.delete(timer)
        timers.clearTimeout(timer)
      },
    },
    signals: {
      offline: false,
      watch() {
        place.watching += 1
        return () => {
          place.watching -= 1
        }
      },
    },
  } satisfies SoftphoneOptions
  return Object.assign(place, { options })
}

type Place = ReturnType<typeof newPlace>

const reaches = async (phone: Softphone, state: Connection['state']) => {
  while (phone.connection.state !== state) await turn()
}

/** Lets the wait for the next attempt pass. */
const retries = async ({ clock }: Place, phone: Softphone) => {
  await reaches(phone, 'reconnecting')
  const { connection } = phone
  if (connection.state === 'reconnecting') clock.advance(connection.inMs + 5)
}

t.test('[U12] a thousand reconnects leave nothing behind', async t => {
  const place = newPlace()
  const phone = new Softphone(place.options)
  const states = { online: 0, reconnecting: 0 }
  phone.on('connection', ({ state }) => {
    if (state === 'online' || state === 'reconnecting') states[state] += 1
  })
  await phone.connect()
  phone.subscribe('support')
  phone.presence(['bob']).catch(() => {})
  for (let round = 0; round < 1000; round++) {
    place.clock.advance(10_000)
    for (const socket of place.open) {
      socket.hear({ type: 'progress', seq: round + 1, call: `c${round}`, state: 'trying' })
      socket.hear({ type: 'ended', seq: round + 2, call: `c${round}`, reason: 'completed' })
    }
    await turn()
    for (const socket of place.open) socket.close()
    await retries(place, phone)
    await reaches(phone, 'online')
  }
  t.strictSame(states, { online: 1001, reconnecting: 1000 })
  t.equal(place.made.length, 1001)
  t.equal(place.open.size, 1)
  t.equal(place.watching, 1)
  t.ok(place.pending.size <= 4, `${place.pending.size} timers`)
  t.strictSame(phone.calls, [])
  await turn()
  collectGarbage()
  const alive = place.made.filter(ref => ref.deref() !== undefined).length
  t.ok(alive <= 3, `${alive} sockets are remembered`)
  for (const socket of place.open) queueMicrotask(() => socket.close(1000))
  await phone.close()
  t.strictSame([place.pending.size, place.watching, place.open.size], [0, 0, 0])
})

t.test('connecting and closing as fast as can be ends as last said, with nothing left open', async t => {
  const place = newPlace()
  const phone = new Softphone({ ...place.options, token: async () => 'token-1' })
  for (let round = 0; round < 1000; round++) {
    phone.connect().catch(() => {})
    if (round % 3 === 0) await turn()
    void phone.close()
    if (round % 7 === 0) await turn()
  }
  const connected = phone.connect()
  await connected
  t.equal(phone.connection.state, 'online')
  t.equal(place.open.size, 1)
  await phone.close()
  t.strictSame([place.pending.size, place.watching, place.open.size], [0, 0, 0])
})

t.test('a listener may close in whatever state, and that is the end', async t => {
  for (const state of ['connecting', 'online', 'reconnecting'] as const) {
    const place = newPlace()
    const phone = new Softphone(place.options)
    const told: string[] = []
    phone.on('connection', connection => {
      if (connection.state === state) void phone.close()
    })
    phone.on('connection', connection => told.push(connection.state))
    const connected = phone.connect()
    connected.catch(() => {})
    await turn()
    if (state === 'reconnecting') for (const socket of place.open) socket.close()
    await turn()
    place.clock.advance(60_000)
    await turn()
    t.equal(phone.connection.state, 'closed', state)
    t.strictSame(told.slice(-2), [state, 'closed'], 'all listeners are told in order')
    t.strictSame([place.pending.size, place.open.size], [0, 0])
  }
})

t.test('a platform that can make no socket is told of, and tried again with back-off', async t => {
  const place = newPlace()
  class Refusing extends place.options.WebSocket {
    constructor() {
      super()
      place.open.delete(this)
      throw new Error('blocked by policy')
    }
  }
  const faults: unknown[] = []
  const waits: number[] = []
  const phone = new Softphone({ ...place.options, WebSocket: Refusing })
  phone.on('error', error => faults.push(error))
  phone.on('connection', connection => connection.state === 'reconnecting' && waits.push(connection.inMs))
  phone.connect().catch(() => {})
  for (let round = 0; round < 4; round++) await retries(place, phone)
  await reaches(phone, 'reconnecting')
  t.match(phone.connection, { error: { message: /blocked by policy/ } })
  t.match(faults[0], { message: 'blocked by policy' })
  t.strictSame(waits, [250, 500, 1000, 2000, 4000])
  await phone.close()
})

t.test('a frame that makes no sense ends the connection and is told, and nothing is thrown', async t => {
  const place = newPlace()
  const phone = new Softphone(place.options)
  const fault = phone.once('error')
  await phone.connect()
  phone.subscribe('support')
  const [socket] = place.open
  socket!.hear({ type: 'presence', destination: 'support', snapshot: true, version: 1, accounts: [] })
  socket!.hear({ type: 'presence', destination: 'support', prev: 1, version: 2, accounts: 5 })
  t.match(await fault, TypeError)
  t.match(phone.connection, { state: 'reconnecting', error: { message: /makes no sense/ } })
  await phone.close()
})

const word = fc.oneof(
  fc.constantFrom('c1', 'support', 'ringing', 'available', '', '__proto__', '1'),
  fc.integer(),
  fc.constantFrom(null, true, [], {}, [null], 'huge', -1, 'x'.repeat(100)),
)
const types = [
  'welcome',
  'ok',
  'placed',
  'pong',
  'error',
  'resources',
  'self',
  'presence',
  'token-expiring',
  'drain',
  'invite',
  'connected',
  'cancel',
  'progress',
  'perform',
  'answered',
  'ended',
  'signal',
  'constructor',
]
const fields = [
  'ref',
  'seq',
  'call',
  'destination',
  'snapshot',
  'version',
  'prev',
  'accounts',
  'removed',
  'code',
  'retryAfterMs',
  'reconnectAfterMs',
  'heartbeatMs',
  'resumed',
  'session',
  'state',
  'reason',
  'refused',
  'inMs',
]
const nonsense = fc
  .tuple(fc.constantFrom(...types), fc.dictionary(fc.constantFrom(...fields), word, { maxKeys: 8 }))
  .map(([type, rest]) => ({ ...rest, type }))

t.test('whatever a hub says, nothing is thrown, and back-off is kept', async t => {
  const said = fc.array(nonsense, { minLength: 1, maxLength: 12 })
  const run = async (frames: object[]) => {
    const place = newPlace()
    const phone = new Softphone({ ...place.options, token: () => 'token-1' })
    phone.on('error', () => {})
    phone.connect().catch(() => {})
    await turn()
    phone.subscribe(['support', 'sales'])
    for (const request of [phone.presence(['bob']), phone.place({ to: 'support' })]) request.catch(() => {})
    const before = place.made.length
    for (let round = 0; round < 3; round++) {
      for (const frame of frames) {
        for (const socket of place.open) socket.hear(frame)
        await turn()
        place.clock.advance(1)
      }
    }
    const attempts = place.made.length - before
    await phone.close()
    assert(attempts <= 2, `${attempts} attempts in ${3 * frames.length} ms`)
    assert.equal(place.pending.size + place.watching, 0, 'something was left behind')
  }
  await fc.assert(fc.asyncProperty(said, run), { numRuns: 300 })
  t.pass('300 conversations')
})

t.test('a provider that closes the softphone while it is asked is the last word', async t => {
  for (const asked of ['token', 'device'] as const) {
    const place = newPlace()
    const told: string[] = []
    const phone: Softphone = new Softphone({
      ...place.options,
      [asked]: () => {
        void phone.close()
        return new Promise<string>(() => {})
      },
    })
    phone.on('connection', ({ state }) => told.push(state))
    await t.rejects(phone.connect(), { code: 'closed' })
    t.strictSame(told, ['connecting', 'closed'], asked)
    t.strictSame([place.pending.size, place.open.size, place.watching], [0, 0, 0])
  }
})

t.test('a hub that says much but never welcomes is given up, and tried again', async t => {
  const place = newPlace()
  place.greets = false
  const phone = new Softphone(place.options)
  phone.connect().catch(() => {})
  await turn()
  for (let second = 0; second < 29; second++) {
    place.clock.advance(1000)
    for (const socket of place.open) socket.hear({ type: 'pong' })
    await turn()
  }
  t.equal(phone.connection.state, 'connecting')
  place.clock.advance(1005)
  t.match(phone.connection, { state: 'reconnecting', error: { message: /did not answer hello/ } })
  await phone.close()
  t.strictSame([place.pending.size, place.open.size], [0, 0])
})
