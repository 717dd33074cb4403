import t from 'tap'
import type { Signal, Signals, SoftphoneOptions } from '../../src/client/index.js'
import { type Page, pageSignals } from '../../src/client/signals.js'
import { platformTimers } from '../../src/client/timers.js'
import { reaches, ScriptedHub, virtualTimers } from '../support/scripted-hub.js'

/** A platform that gives the signals which the spec plays. */
const playedSignals = () => {
  const listeners = new Set<(signal: Signal) => void>()
  const network = { down: false }
  const signals: Signals = {
    get offline() {
      return network.down
    },
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return {
    signals,
    listeners,
    tell(signal: Signal) {
      if (signal !== 'away') network.down = signal === 'offline'
      for (const listener of [...listeners]) listener(signal)
    },
  }
}

/** A phone that is online, on a platform of its own. */
const online = async (hub: ScriptedHub, options: Partial<SoftphoneOptions> = {}) => {
  const platform = playedSignals()
  const { phone, line } = await hub.online({ signals: platform.signals, ...options })
  return { ...platform, phone, line }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('[U11] a page that is put away lets go without leaving, and resumes when it is back', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, tell } = await online(hub)
  const lost = t.rejects(phone.place({ to: 'support' }), { code: 'disconnected' })
  await line.next('place')
  tell('away')
  t.match(phone.connection, { state: 'paused', attempt: 0, error: { message: 'the page was put away' } })
  t.strictSame(await line.closed, { code: 4000 })
  t.notOk(line.heard.some(({ type }) => type === 'leave'))
  await lost
  tell('away')
  hub.clock.advance(3_600_000)
  t.equal(phone.connection.state, 'paused', 'nothing is tried meanwhile')
  tell('back')
  tell('back')
  t.match(phone.connection, { state: 'connecting', attempt: 0 })
  const { line: second, hello } = await hub.hello()
  t.strictSame(hello.resume, { session: 's1', seq: 0 })
  second.welcome({ resumed: true })
  await reaches(phone, 'online')
  t.equal(hub.untaken, 0, 'however often it is told, it comes back once')
})

t.test('a page may be put away before the hub has answered, or while it waits', async t => {
  const hub = await ScriptedHub.start(t)
  const platform = playedSignals()
  const phone = hub.phone({ signals: platform.signals })
  platform.tell('back')
  t.equal(phone.connection.state, 'idle', 'signals are heard from connect on')
  phone.connect()
  platform.tell('away')
  await turn()
  t.equal(hub.untaken, 0, 'the attempt that was under way opens nothing')
  platform.tell('back')
  const { line } = await hub.hello()
  line.close(1012)
  await reaches(phone, 'reconnecting')
  platform.tell('away')
  hub.clock.advance(60_000)
  t.equal(phone.connection.state, 'paused')
  const connected = phone.connect()
  await hub.accept()
  t.match(await connected, { session: 's1' }, 'connect is obeyed in every state')
})

t.test('who is back while the hub wants to be left alone waits for that', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, tell } = await online(hub)
  line.send({ type: 'error', code: 'overloaded', message: 'full', retry: true, retryAfterMs: 2000 })
  line.close(1013)
  const { dueAt } = await reaches(phone, 'reconnecting')
  t.equal(dueAt, hub.clock.wall() + 2250)
  hub.clock.advance(500)
  tell('back')
  t.match(phone.connection, { state: 'reconnecting', inMs: 1500 })
  tell('away')
  hub.clock.advance(1000)
  tell('back')
  t.match(phone.connection, { state: 'reconnecting', inMs: 500, error: { message: 'the page was put away' } })
  hub.clock.advance(505)
  await hub.accept({ resumed: true })
  await reaches(phone, 'online')
})

t.test('[U11] without a network no attempts are used up, and its return ends the wait', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, tell } = await online(hub, { attempts: 1 })
  line.cut()
  t.match(await reaches(phone, 'reconnecting'), { attempt: 1, offline: false })
  tell('offline')
  t.match(phone.connection, { state: 'reconnecting', attempt: 1, offline: true, inMs: 30_000 })
  for (let attempt = 0; attempt < 3; attempt++) {
    hub.clock.advance(30_005)
    const { line } = await hub.hello()
    line.cut()
    t.match(await reaches(phone, 'reconnecting'), { attempt: 1, offline: true }, 'a platform may be wrong')
  }
  tell('back')
  t.match(phone.connection, { state: 'connecting', attempt: 1 })
  await hub.accept({ resumed: true })
  await reaches(phone, 'online')
})

t.test('a connection that may be dead is asked at once, and dropped without an answer in 3 s', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, tell } = await online(hub)
  tell('back')
  tell('offline')
  await line.answer('ping', { type: 'pong' })
  hub.clock.advance(2000)
  const asked = phone.request('ping', {})
  await line.answer('ping', { type: 'pong' })
  await asked
  hub.clock.advance(3000)
  t.equal(phone.connection.state, 'online', 'it is alive, whatever the platform says')
  tell('offline')
  await line.next('ping')
  hub.clock.advance(3005)
  t.match(phone.connection, { state: 'reconnecting', offline: true, error: { message: /no sign of life/ } })
  t.strictSame(line.untaken, [], 'one question for many signals')
})

t.test('[U2] a machine that slept asks the hub as soon as it wakes', async t => {
  const hub = await ScriptedHub.start(t)
  let sleptMs = 0
  const timers = virtualTimers(hub.clock)
  const { phone, line } = await hub.online({ timers: { ...timers, now: () => timers.now() + sleptMs } })
  hub.clock.advance(5000)
  sleptMs = 3_600_000
  hub.clock.advance(5005)
  await line.answer('ping', { type: 'pong' })
  const asked = phone.request('ping', {})
  await line.answer('ping', { type: 'pong' })
  await asked
  hub.clock.advance(3005)
  t.equal(phone.connection.state, 'online', 'the hub is still there')

  hub.clock.advance(7000)
  await line.next('ping')
  sleptMs += 3_600_000
  hub.clock.advance(15_005)
  await line.next('ping')
  t.equal(phone.connection.state, 'online', 'that it was not heard in sleep proves nothing')
  sleptMs += 3_600_000
  hub.clock.advance(3005)
  t.match(phone.connection, { state: 'reconnecting' }, 'but it is asked again only once')
})

t.test('a clock that is set back keeps no one waiting for longer', async t => {
  const hub = await ScriptedHub.start(t)
  let behindMs = 0
  const timers = virtualTimers(hub.clock)
  const { phone, line } = await hub.online({ timers: { ...timers, now: () => timers.now() - behindMs } })
  behindMs = 3_600_000
  hub.clock.advance(20_010)
  await line.answer('ping', { type: 'pong' })
  t.equal(phone.connection.state, 'online')
  line.send({ type: 'error', code: 'overloaded', message: 'full', retry: true, retryAfterMs: 2000 })
  const asked = phone.request('ping', {})
  await line.answer('ping', { type: 'pong' })
  await asked
  behindMs = 7_200_000
  line.close(1013)
  t.match(await reaches(phone, 'reconnecting'), { inMs: 2250 })
})

t.test('a softphone listens to the platform from connect to close', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, listeners } = await online(hub)
  t.equal(listeners.size, 1)
  await phone.close()
  t.equal(listeners.size, 0)
  phone.connect()
  await hub.accept()
  await reaches(phone, 'online')
  t.equal(listeners.size, 1)
})

t.test('events of a page are signals, until nobody listens', async t => {
  const page = Object.assign(new EventTarget(), {
    document: { visibilityState: 'hidden' },
    navigator: { onLine: true },
  })
  const signals = pageSignals(page as Page)
  const heard: string[] = []
  const stop = signals.watch(signal => heard.push(signal))
  const happens = (type: string, facts: object = {}) => {
    heard.length = 0
    page.dispatchEvent(Object.assign(new Event(type), facts))
    return heard.join()
  }
  t.equal(happens('pagehide', { persisted: true }), 'away')
  t.equal(happens('pagehide', { persisted: false }), '', 'the browser closes what is left for good')
  t.equal(happens('pageshow', { persisted: true }), 'back')
  t.equal(happens('pageshow', { persisted: false }), '')
  t.equal(happens('freeze'), 'away')
  t.equal(happens('resume'), 'back')
  t.equal(happens('visibilitychange'), '')
  page.document.visibilityState = 'visible'
  t.equal(happens('visibilitychange'), 'back')
  t.equal(happens('online'), 'back')
  t.equal(happens('offline'), 'offline')
  t.equal(signals.offline, false)
  page.navigator.onLine = false
  t.equal(signals.offline, true)
  stop()
  t.equal(happens('online'), '')
})

t.test('a platform without pages gives no signals', async t => {
  const signals = pageSignals({})
  signals.watch(() => t.fail('there is nothing to hear'))()
  t.equal(signals.offline, false)
})

t.test('[FC2] a delay beyond what platforms know is their longest, not none', async t => {
  const { setTimeout } = globalThis
  t.teardown(() => Object.assign(globalThis, { setTimeout }))
  const delays: unknown[] = []
  Object.assign(globalThis, { setTimeout: (_: unknown, delayMs: unknown) => delays.push(delayMs) })
  platformTimers.setTimeout(() => {}, 2 ** 40)
  platformTimers.setTimeout(() => {}, 5)
  t.strictSame(delays, [2 ** 31 - 1, 5])
})
