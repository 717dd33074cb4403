import t from 'tap'
import { WebSocket } from 'ws'
import { Softphone, SwitchhookError } from '../../src/client/index.js'
import { reaches, ScriptedHub, type ScriptedLine, virtualTimers } from '../support/scripted-hub.js'

/** Lets the phone's back-off pass. */
const reconnects = async (hub: ScriptedHub, phone: Softphone) => {
  const { inMs } = await reaches(phone, 'reconnecting')
  hub.clock.advance(inMs + 5)
}

/** All that was said before has been heard, on both sides. */
const settled = async (phone: Softphone, line: ScriptedLine): Promise<void> => {
  const asked = phone.request('ping', {})
  await line.answer('ping', { type: 'pong' })
  await asked
}

/** Whatever can happen without anything from outside has happened. */
const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('hello says who the client is, and welcome makes it online', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone({
    status: 'away',
    note: 'lunch',
    client: 'desk/2.0',
    capacity: 2,
    heartbeatMs: 5000,
    performs: ['say'],
  })
  t.strictSame(phone.connection, { state: 'idle' })
  const connected = phone.connect()
  t.equal(phone.connection.state, 'connecting')
  const { line, hello } = await hub.hello()
  t.strictSame(hello, {
    type: 'hello',
    ref: 'hello',
    token: 'token-1',
    device: 'web-1',
    client: 'desk/2.0',
    capacity: 2,
    heartbeatMs: 5000,
    performs: ['say'],
    status: 'away',
    note: 'lunch',
  })
  line.welcome()
  t.match(await connected, { session: 's1', account: 'alice' })
  t.match(phone.connection, { state: 'online', welcome: { session: 's1' } })
  t.match(await phone.connect(), { session: 's1' }, 'connecting again changes nothing')
})

t.test('close leaves, and what is asked after is refused', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const states: string[] = []
  phone.on('connection', ({ state }) => states.push(state))
  line.send({ type: 'self', status: 'busy', override: 'none' })
  const closed = phone.close()
  await line.next('leave')
  t.strictSame(await line.closed, { code: 1000 })
  await closed
  t.equal(phone.self, undefined, 'nothing is heard after it')
  t.match(phone.connection, { state: 'closed', code: 1000, reason: 'the softphone has left' })
  t.strictSame(states, ['closed'])
  await t.rejects(phone.presence(['support']), { code: 'closed', retry: false })
  await phone.close()

  const again = phone.connect()
  const { line: second, hello } = await hub.hello()
  t.equal(hello.resume, undefined, 'a session that was left is not resumed')
  second.welcome({ session: 's2' })
  t.match(await again, { session: 's2' })
})

t.test('a softphone may connect again while its last connection closes', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const closed = phone.close()
  const again = phone.connect()
  await line.closed
  await closed
  await hub.accept({ session: 's2' })
  t.match(await again, { session: 's2' })
})

t.test('closing before the hub answers ends the attempt', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  const connected = phone.connect()
  const { line } = await hub.hello()
  await phone.close()
  await t.rejects(connected, { code: 'closed' })
  await line.closed

  const idle = hub.phone()
  await idle.close()
  t.equal(idle.connection.state, 'closed')
})

t.test('a hub that does not answer the close is not waited for', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.freeze()
  const closed = phone.close()
  hub.clock.advance(2005)
  await closed
  t.equal(phone.connection.state, 'closed')
})

t.test('[U11] a lost connection is resumed from the last frame that came, each frame once', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const invites: string[] = []
  phone.on('invite', call => invites.push(call.id))
  const invite = { type: 'invite', from: '+15550100', to: 'support', destination: 'support', params: {} }
  line.send(
    { ...invite, seq: 1, call: 'c1', expiresMs: 1000 },
    { ...invite, seq: 2, call: 'c2', expiresMs: 1000 },
  )
  await line.answer('ringing')
  await line.answer('ringing')
  line.cut()
  await reconnects(hub, phone)
  const { line: second, hello } = await hub.hello()
  t.strictSame(hello.resume, { session: 's1', seq: 2 })
  second.welcome({ resumed: true })
  second.send(
    { ...invite, seq: 2, call: 'c2', expiresMs: 1000 },
    { ...invite, seq: 3, call: 'c3', expiresMs: 1000 },
  )
  second.send({ type: 'cancel', seq: 4, call: 'c3', reason: 'timeout' })
  await second.answer('ringing')
  t.strictSame(invites, ['c1', 'c2', 'c3'])
  await settled(phone, second)
  hub.clock.advance(205)
  await settled(phone, second)
  const acks = second.heard.filter(({ type }) => type === 'ack')
  t.strictSame(acks, [{ type: 'ack', seq: 4 }], 'frames that come together share an acknowledgement')
})

t.test('a new session counts its frames from one', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const progress = { type: 'progress', call: 'c1', state: 'trying' }
  line.send({ ...progress, seq: 7 })
  await phone.once('restored')
  line.cut()
  await reconnects(hub, phone)
  const second = await hub.accept({ session: 's2' })
  second.send({ ...progress, call: 'c2', seq: 1 })
  t.match(await phone.once('restored'), { id: 'c2' })
  second.cut()
  await reconnects(hub, phone)
  t.strictSame((await hub.hello()).hello.resume, { session: 's2', seq: 1 })
})

t.test('a softphone that shall not resume starts a new session each time', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online({ resume: false })
  line.cut()
  await reconnects(hub, phone)
  t.equal((await hub.hello()).hello.resume, undefined)
})

t.test('the wait grows with each failed attempt, and connect cuts it short', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.close(1012)
  t.match(await reaches(phone, 'reconnecting'), { attempt: 1, inMs: 250 })
  hub.clock.advance(255)
  const { line: second } = await hub.hello()
  second.close(1013)
  t.match(await reaches(phone, 'reconnecting'), { attempt: 2, inMs: 500 })
  const connected = phone.connect()
  t.equal(phone.connection.state, 'connecting')
  await hub.accept()
  await connected
})

t.test('a hub that is not there is given up after the attempts allowed', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone({ url: 'http://127.0.0.1:1', attempts: 1 })
  const connected = phone.connect()
  await reconnects(hub, phone)
  await t.rejects(connected, { code: 'disconnected', retry: true, message: /1006, .*ECONNREFUSED/ })
  t.match(phone.connection, { state: 'closed', code: 1006 })
})

t.test('a close that forbids return is final, and says why', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  const connected = phone.connect()
  const { line, hello } = await hub.hello()
  line.send({ type: 'error', ref: hello.ref, code: 'name-taken', message: 'alice is a group', retry: false })
  line.close(4502, 'forbidden')
  await t.rejects(connected, new SwitchhookError('name-taken', 'alice is a group'))
  t.match(phone.connection, {
    state: 'closed',
    code: 4502,
    reason: 'forbidden',
    error: { code: 'name-taken' },
  })
})

t.test('[U13] a device that a newer connection has taken over stays away', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.close(4501)
  t.match(await reaches(phone, 'closed'), { code: 4501, error: { code: 'disconnected', retry: false } })
})

t.test('a hello with a bad field is not said again', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone({ device: 'no name' })
  const connected = phone.connect()
  const { line, hello } = await hub.hello()
  line.send({
    type: 'error',
    ref: hello.ref,
    code: 'invalid',
    message: 'device must be a name',
    retry: false,
  })
  await t.rejects(connected, { code: 'invalid', message: 'device must be a name' })
  t.match(phone.connection, { state: 'closed', code: 4500 })
})

t.test('[U2] a refused token is replaced by a fresh one before the next hello', async t => {
  const hub = await ScriptedHub.start(t)
  let given = 0
  const { phone, line } = await hub.online({ token: async () => `token-${++given}` })
  line.cut()
  await reconnects(hub, phone)
  const { line: second, hello } = await hub.hello()
  t.equal(hello.token, 'token-1', 'a token that was good is used again')
  second.close(4401, 'expired')
  await reconnects(hub, phone)
  t.equal((await hub.hello()).hello.token, 'token-2')
})

t.test('a fixed token that is refused closes the softphone', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  const connected = phone.connect()
  const { line } = await hub.hello()
  line.send({ type: 'error', code: 'unauthorized', message: 'the token has expired', retry: false })
  line.close(4401)
  await t.rejects(connected, { code: 'unauthorized', message: 'the token has expired' })
  t.match(phone.connection, { state: 'closed', code: 4401 })
})

t.test('a provider that fails is asked again later, and the fault is told', async t => {
  const hub = await ScriptedHub.start(t)
  const faults: unknown[] = [new Error('offline'), 'no network']
  const seen: unknown[] = []
  const phone = hub.phone({
    token: () => {
      if (faults.length > 0) throw faults.shift()
      return 'token-3'
    },
  })
  phone.on('error', error => seen.push(error))
  const connected = phone.connect()
  await reconnects(hub, phone)
  await reconnects(hub, phone)
  const { line, hello } = await hub.hello()
  t.equal(hello.token, 'token-3')
  line.welcome()
  await connected
  t.match(seen, [{ message: 'offline' }, 'no network'])
})

t.test('what is provided after the softphone was closed opens nothing and disturbs nothing', async t => {
  const hub = await ScriptedHub.start(t)
  const asked: { resolve: (token: string) => void; reject: (error: Error) => void }[] = []
  const token = () => new Promise<string>((resolve, reject) => asked.push({ resolve, reject }))
  const phone = hub.phone({ token })
  phone.on('error', error => t.fail(String(error)))
  phone.connect()
  await phone.close()
  const second = phone.connect()
  asked[0]!.reject(new Error('late'))
  await turn()
  t.equal(phone.connection.state, 'connecting')
  await phone.close()
  await t.rejects(second, { code: 'closed' })

  const third = phone.connect()
  asked[1]!.resolve('late')
  await turn()
  asked[2]!.resolve('in time')
  const { line, hello } = await hub.hello()
  t.equal(hello.token, 'in time')
  line.welcome()
  await third
  t.equal(hub.untaken, 0)
  t.equal(asked.length, 3)
})

t.test('a softphone that is closed leaves no timer behind', async t => {
  const hub = await ScriptedHub.start(t)
  const pending = new Set<unknown>()
  const timers = virtualTimers(hub.clock)
  const { phone, line } = await hub.online({
    timers: {
      now: timers.now,
      setTimeout: (task, delayMs) => {
        const timer = timers.setTimeout(() => {
          pending.delete(timer)
          task()
        }, delayMs)
        pending.add(timer)
        return timer
      },
      clearTimeout: timer => {
        pending.delete(timer)
        timers.clearTimeout(timer)
      },
    },
  })
  phone.presence(['bob']).catch(() => {})
  line.send(
    { type: 'drain', reconnectAfterMs: 3000 },
    { type: 'progress', seq: 1, call: 'c1', state: 'trying' },
  )
  await phone.once('restored')
  t.equal(pending.size, 4, 'life, request, move, acknowledgement')
  await phone.close()
  t.equal(pending.size, 0)
  const closing = hub.phone({ timers })
  closing.connect()
  const second = await hub.accept()
  await reaches(closing, 'online')
  second.cut()
  await reaches(closing, 'reconnecting')
  await closing.close()
  hub.clock.advance(60_000)
  t.equal(closing.connection.state, 'closed')
})

t.test('[U3] a token about to expire is renewed in place', async t => {
  const hub = await ScriptedHub.start(t)
  let given = 0
  const { phone, line } = await hub.online({ token: () => `token-${++given}` })
  line.send({ type: 'token-expiring', inMs: 60_000 })
  t.match(await line.answer('token', { type: 'ok', expires: '2026-01-01T02:00:00Z' }), { token: 'token-2' })
  t.equal(phone.connection.state, 'online')
  const error = phone.once('error')
  line.send({ type: 'token-expiring', inMs: 60_000 })
  await line.answer('token', { type: 'error', code: 'forbidden', message: 'not yours', retry: false })
  t.match(await error, { code: 'forbidden' })
})

t.test('a fixed token is not said again when it expires', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.send({ type: 'token-expiring', inMs: 60_000 })
  await settled(phone, line)
  t.notOk(line.heard.some(({ type }) => type === 'token'))
})

t.test('[U14] a hub that drains is left when it says so, without leaving presence', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.send({ type: 'drain', reconnectAfterMs: 3000 })
  await settled(phone, line)
  hub.clock.advance(2990)
  t.equal(phone.connection.state, 'online')
  hub.clock.advance(10)
  t.match(phone.connection, { state: 'reconnecting', attempt: 1, inMs: 250 })
  await line.closed
  t.notOk(line.heard.some(({ type }) => type === 'leave'))
  hub.clock.advance(255)
  t.strictSame((await hub.hello()).hello.resume, { session: 's1', seq: 0 })
})

t.test('[U14] a call keeps the phone on a hub that drains until it is over', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.send({ type: 'connected', seq: 1, call: 'c1' }, { type: 'drain', reconnectAfterMs: 3000 })
  await settled(phone, line)
  hub.clock.advance(3005)
  t.equal(phone.connection.state, 'online')
  line.send({ type: 'ended', seq: 2, call: 'c1', reason: 'completed' })
  await reaches(phone, 'reconnecting')
})

t.test('a call that was declined keeps the phone no longer', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const invited = phone.once('invite')
  line.send({
    type: 'invite',
    seq: 1,
    call: 'c1',
    from: 'x',
    to: 'y',
    destination: 'y',
    params: {},
    expiresMs: 9,
  })
  const call = await invited
  await line.answer('ringing')
  line.send({ type: 'drain', reconnectAfterMs: 3000 })
  await settled(phone, line)
  hub.clock.advance(3005)
  t.equal(phone.connection.state, 'online')
  const rejected = call.reject()
  await line.answer('reject')
  await rejected
  t.equal(phone.connection.state, 'reconnecting')
})

t.test('a hub that drains and closes is not asked before the time it named', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.send({ type: 'drain', reconnectAfterMs: 3000 })
  line.close(1012)
  t.match(await reaches(phone, 'reconnecting'), { inMs: 3250 })
})

t.test('a hub that is overloaded is not asked before the time it named', async t => {
  const hub = await ScriptedHub.start(t)
  const phone = hub.phone()
  phone.connect()
  const { line } = await hub.hello()
  line.send({ type: 'error', code: 'overloaded', message: 'full', retry: true, retryAfterMs: 2000 })
  line.close(1013)
  t.match(await reaches(phone, 'reconnecting'), { inMs: 2250 })
})

t.test('a time that is none is no time to wait', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.send({ type: 'error', code: 'overloaded', message: 'full', retry: true, retryAfterMs: 'soon' })
  line.close(1013)
  t.match(await reaches(phone, 'reconnecting'), { inMs: 250 })
})

t.test('[U8] a silent hub is asked for a sign of life, and dropped without one', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  hub.clock.advance(6000)
  line.send({ type: 'self', status: 'available', override: 'none' })
  await phone.once('self')
  hub.clock.advance(9995)
  t.notOk(
    line.heard.some(({ type }) => type === 'ping'),
    'whatever comes is a sign of life',
  )
  hub.clock.advance(10)
  await line.answer('ping', { type: 'pong' })
  line.send({ type: 'self', status: 'busy', override: 'none' })
  await phone.once('self')
  t.match(phone.self, { status: 'busy' })
  hub.clock.advance(15_005)
  await line.next('ping')
  t.equal(phone.connection.state, 'online')
  hub.clock.advance(15_005)
  t.match(phone.connection, { state: 'reconnecting' })
  t.strictSame(await line.closed, { code: 4000 }, 'dropped, not left: the hub lingers')
})

t.test('a connection that does not open in time is dropped', async t => {
  const hub = await ScriptedHub.start(t)
  class Stuck {
    readyState = 0
    onopen = null
    onmessage = null
    onerror = null
    onclose = null
    send() {
      throw new Error('not open')
    }
    close() {}
  }
  const phone = hub.phone({ WebSocket: Stuck, attempts: 0 })
  const connected = phone.connect()
  await turn()
  hub.clock.advance(25_010)
  await t.rejects(connected, { code: 'disconnected', message: /no sign of life/ })
})

t.test('what a browser says of a failed socket is enough', async t => {
  const hub = await ScriptedHub.start(t)
  class Failing {
    readyState = 0
    onopen = null
    onmessage = null
    onerror: ((event: object) => void) | null = null
    onclose: ((event: { code: number; reason: string }) => void) | null = null
    constructor() {
      queueMicrotask(() => {
        this.onerror?.({})
        this.onclose?.({ code: 1006, reason: '' })
        this.onclose?.({ code: 1006, reason: 'twice' })
      })
    }
    send() {}
    close() {}
  }
  const phone = hub.phone({ WebSocket: Failing, attempts: 0 })
  await t.rejects(phone.connect(), { message: 'no connection to the hub: 1006' })
})

t.test('a hub that sends what is no frame is dropped, and nothing after it is read', async t => {
  const hub = await ScriptedHub.start(t)
  for (const text of ['{', 'null', '[]', '{"type":1}']) {
    const { phone, line } = await hub.online()
    line.sendText(text)
    line.send({ type: 'self', status: 'busy', override: 'none' })
    t.match(await reaches(phone, 'reconnecting'), { attempt: 1 })
    await line.closed
    t.equal(phone.self, undefined)
    await phone.close()
  }
})

t.test('the platform gives time, chance and sockets where no option does', async t => {
  const hub = await ScriptedHub.start(t)
  t.throws(() => new Softphone({ url: hub.url, token: 'x' }), { message: /no WebSocket on this platform/ })
  t.teardown(() => Reflect.deleteProperty(globalThis, 'WebSocket'))
  Object.assign(globalThis, { WebSocket })
  const phone = new Softphone({ url: hub.url, token: 'x' })
  const connected = phone.connect()
  const { line, hello } = await hub.hello()
  t.strictSame(hello, { type: 'hello', ref: 'hello', token: 'x', client: 'switchhook-js' })
  line.welcome({ device: null })
  await connected
  await phone.close()
  t.ok(virtualTimers(hub.clock).now() > 0)
})

t.test('a listener that throws or rejects stops no other, and is told of', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const faults: unknown[] = []
  const written: unknown[] = []
  const { error: original } = console
  t.teardown(() => {
    console.error = original
  })
  console.error = (error: unknown) => written.push(error)
  phone.on('self', () => {
    throw new Error('thrown')
  })
  const stop = phone.on('self', async () => {
    throw new Error('rejected')
  })
  const self = { type: 'self', status: 'busy', override: 'none' }
  line.send(self)
  await phone.once('self')
  await turn()
  t.match(
    written,
    [{ message: 'thrown' }, { message: 'rejected' }],
    'the console hears what nobody else does',
  )
  stop()
  phone.on('error', error => faults.push(error))
  phone.on('error', () => {
    throw new Error('at fault itself')
  })
  line.send(self)
  await phone.once('self')
  t.match(faults, [{ message: 'thrown' }])
  t.match(written[2], { message: 'at fault itself' })
})
