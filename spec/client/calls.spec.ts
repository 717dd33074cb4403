import t from 'tap'
import type { Softphone } from '../../src/client/index.js'
import { reaches, ScriptedHub, type ScriptedLine } from '../support/scripted-hub.js'

const invite = (call: string, seq: number) => ({
  type: 'invite',
  seq,
  call,
  from: '+15550100',
  to: '+15550199',
  destination: 'support',
  params: { topic: 'billing' },
  sdp: 'offer',
  expiresMs: 12_000,
})

const by = { account: 'bob', device: 'desk' }

/** The same phone on its next connection. */
const reconnected = async (hub: ScriptedHub, phone: Softphone, facts: object): Promise<ScriptedLine> => {
  const { inMs } = await reaches(phone, 'reconnecting')
  hub.clock.advance(inMs + 5)
  const line = await hub.accept(facts)
  await reaches(phone, 'online')
  return line
}

/** All that was sent to the phone before has been heard. */
const settled = async (phone: Softphone, line: ScriptedLine): Promise<void> => {
  const asked = phone.request('ping', {})
  await line.answer('ping', { type: 'pong' })
  await asked
}

const rung = async (hub: ScriptedHub) => {
  const { phone, line } = await hub.online()
  const invited = phone.once('invite')
  line.send(invite('c1', 1))
  await line.answer('ringing')
  return { phone, line, call: await invited }
}

t.test('a call that is offered rings, is accepted, talks and ends', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  t.match(call, { id: 'c1', direction: 'incoming', state: 'ringing', from: '+15550100', to: '+15550199' })
  t.match(call, { params: { topic: 'billing' }, sdp: 'offer', live: true })
  t.match(call.facts, { destination: 'support', expiresMs: 12_000 })
  t.strictSame(phone.calls, [call])

  const accepted = call.accept({ sdp: 'answer' })
  t.match(await line.answer('accept'), { call: 'c1', sdp: 'answer' })
  await accepted
  const connected = call.once('connected')
  line.send({ type: 'connected', seq: 2, call: 'c1' })
  await connected
  t.equal(call.state, 'connected')
  t.equal(await call.connected, true)
  t.equal(call.sdp, 'offer')

  const signalled = call.signal({ dtmf: '1' })
  t.match(await line.answer('signal'), { call: 'c1', data: { dtmf: '1' } })
  await signalled
  const signal = call.once('signal')
  line.send({ type: 'signal', seq: 3, call: 'c1', data: { hold: true } })
  t.match(await signal, { data: { hold: true } })

  const hungUp = call.hangup()
  t.match(await line.answer('hangup'), { call: 'c1' })
  await hungUp
  line.send({ type: 'ended', seq: 4, call: 'c1', reason: 'completed' })
  t.match(await call.over, { reason: 'completed' })
  t.equal(call.state, 'ended')
  t.strictSame(phone.calls, [])
})

t.test('[U4] a call that someone else took says who and why', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const canceled = call.once('cancel')
  line.send({ type: 'cancel', seq: 2, call: 'c1', reason: 'answered-elsewhere', by })
  t.match(await canceled, { reason: 'answered-elsewhere', by })
  t.match(await call.over, { reason: 'answered-elsewhere', by })
  t.equal(await call.connected, false)
  t.strictSame(phone.calls, [])

  const accepted = call.accept()
  await line.answer('accept', { type: 'error', code: 'call-gone', message: 'answered by bob', retry: false })
  await t.rejects(accepted, { name: 'SwitchhookError', code: 'call-gone', message: 'answered by bob' })
})

t.test('a call that is declined is no longer live here, and its end is still told', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const rejected = call.reject('busy')
  t.match(await line.answer('reject'), { call: 'c1', reason: 'busy' })
  await rejected
  t.equal(call.state, 'declined')
  t.strictSame(phone.calls, [])
  line.send({ type: 'cancel', seq: 2, call: 'c1', reason: 'answered-elsewhere', by })
  t.match(await call.over, { by })
  t.equal(call.state, 'ended')
})

t.test('to hang up on a call that only rings here is to decline it', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const hungUp = call.hangup()
  await line.answer('hangup')
  await hungUp
  t.equal(call.state, 'declined')
  t.strictSame(phone.calls, [])
  const placed = phone.place({ to: 'bob' })
  await line.answer('place', { type: 'placed', call: 'c2' })
  const outgoing = await placed
  line.send({ type: 'progress', seq: 2, call: 'c2', state: 'ringing' })
  const givenUp = outgoing.hangup()
  await line.answer('hangup')
  await givenUp
  t.equal(outgoing.state, 'ringing', 'of one that was placed `ended` says when it is over')
})

t.test('a call that was declined and is offered again is a new one', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const rejected = call.reject()
  t.match(await line.answer('reject'), { reason: 'declined' })
  await rejected
  const invited = phone.once('invite')
  line.send(invite('c1', 2))
  t.not(await invited, call)
  t.match(phone.calls, [{ id: 'c1', state: 'ringing' }])
})

t.test('giving up a call that is over is no error, any other refusal is', async t => {
  const hub = await ScriptedHub.start(t)
  const { line, call } = await rung(hub)
  const gone = { type: 'error', code: 'call-gone', message: 'over', retry: false }
  const hungUp = call.hangup('tired')
  t.match(await line.answer('hangup', gone), { reason: 'tired' })
  await hungUp
  const forbidden = call.hangup()
  await line.answer('hangup', { ...gone, code: 'forbidden' })
  await t.rejects(forbidden, { code: 'forbidden' })
  const rejected = call.reject()
  line.send({ type: 'cancel', seq: 2, call: 'c1', reason: 'caller-canceled' })
  await line.answer('reject', gone)
  await rejected
  t.equal(call.state, 'ended', 'a refusal that came too late declines nothing')
})

t.test('a softphone may leave it to its user to confirm that it rings', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online({ confirmRinging: false })
  const invited = phone.once('invite')
  line.send(invite('c1', 1))
  const call = await invited
  await settled(phone, line)
  t.notOk(line.heard.some(({ type }) => type === 'ringing'))
  const confirmed = call.ringing()
  await line.answer('ringing')
  await confirmed
})

t.test('a confirmation that comes too late harms nobody', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const faults: unknown[] = []
  phone.on('error', error => faults.push(error))
  line.send(invite('c1', 1))
  await line.answer('ringing', { type: 'error', code: 'call-gone', message: 'over', retry: false })
  await settled(phone, line)
  t.strictSame(faults, [])
})

t.test('a call that is placed says how it gets on, and who answered', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const placed = phone.place({ to: 'support', from: 'alice', sdp: 'offer', params: { topic: 'x' } })
  const asked = await line.next('place')
  t.match(asked, { to: 'support', from: 'alice', sdp: 'offer', params: { topic: 'x' } })
  line.send(
    { type: 'placed', ref: asked.ref, call: 'c9' },
    { type: 'progress', seq: 1, call: 'c9', state: 'queued', position: 2 },
    { type: 'progress', seq: 2, call: 'c9', state: 'ringing' },
    { type: 'answered', seq: 3, call: 'c9', sdp: 'answer', by },
  )
  const call = await placed
  t.match(call, { id: 'c9', direction: 'outgoing', to: 'support', from: 'alice', params: { topic: 'x' } })
  const told: string[] = []
  call.on('progress', ({ state, position }) => told.push(`${state} ${position ?? ''}`))
  await call.once('answered')
  t.strictSame(told, ['queued 2', 'ringing '], 'what came in the same breath is not lost')
  t.match(call, { state: 'connected', sdp: 'answer', by })
  t.strictSame(phone.calls, [call])
})

t.test('frames about a call may come before its id', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const restored: string[] = []
  phone.on('restored', ({ id }) => restored.push(id))
  const first = phone.place({ to: 'support' })
  const second = phone.place({ to: 'sales' })
  const asked = [await line.next('place'), await line.next('place')]
  line.send(
    { type: 'progress', seq: 1, call: 'c2', state: 'ringing' },
    { type: 'progress', seq: 2, call: 'c1', state: 'queued' },
    { type: 'placed', ref: asked[0]!.ref, call: 'c1' },
    {
      type: 'error',
      ref: asked[1]!.ref,
      code: 'busy',
      message: 'no place left',
      retry: true,
      retryAfterMs: 10,
    },
  )
  const call = await first
  t.match(call, { id: 'c1', state: 'queued' })
  t.same(call.params, {})
  await t.rejects(second, { code: 'busy', retry: true, retryAfterMs: 10 })
  t.strictSame(restored, ['c2'])
})

t.test(
  'a call of this device from before is told as restored, and words about unknown calls are passed over',
  async t => {
    const hub = await ScriptedHub.start(t)
    const { phone, line } = await hub.online()
    const restored: string[] = []
    phone.on('restored', ({ id, direction, state }) => restored.push(`${id} ${direction} ${state}`))
    line.send(
      { type: 'connected', seq: 1, call: 'c1' },
      { type: 'answered', seq: 2, call: 'c2', by },
      { type: 'perform', seq: 3, call: 'c3', step: 0, verb: 'say', with: {} },
      { type: 'cancel', seq: 4, call: 'c4', reason: 'timeout' },
      { type: 'ended', seq: 5, call: 'c5', reason: 'failed' },
      { type: 'signal', seq: 6, call: 'c6', data: 1 },
    )
    await settled(phone, line)
    t.strictSame(restored, ['c1 incoming connected', 'c2 outgoing connected', 'c3 outgoing trying'])
  },
)

t.test(
  'after a session that could not be resumed, calls told again go on and the others have failed',
  async t => {
    const hub = await ScriptedHub.start(t)
    const { phone, line } = await hub.online()
    const offered: string[] = []
    phone.on('invite', ({ id }) => offered.push(id))
    line.send(invite('ringing', 1), invite('lost', 2), { type: 'connected', seq: 3, call: 'talking' })
    await settled(phone, line)
    const [ringing, lost, talking] = phone.calls
    const repeated: unknown[] = []
    talking!.on('connected', frame => repeated.push(frame))
    line.cut()

    const second = await reconnected(hub, phone, { session: 's2' })
    second.send(invite('ringing', 1), { type: 'connected', seq: 2, call: 'talking' })
    await second.answer('ping', { type: 'pong' })
    t.match(await lost!.over, { reason: 'failed', message: 'the hub no longer knows this call' })
    t.strictSame(phone.calls, [ringing, talking])
    t.match(
      [ringing, talking].map(call => call!.state),
      ['ringing', 'connected'],
    )
    t.strictSame(offered, ['ringing', 'lost'], 'what is told again is not offered again')
    t.equal(repeated.length, 1)
    t.match(await second.next('ringing'), { call: 'ringing' }, 'but confirmed to the hub that asks')
    second.cut()
    const third = await reconnected(hub, phone, { session: 's2', resumed: true })
    await settled(phone, third)
    t.equal(third.heard.filter(({ type }) => type === 'ping').length, 1, 'nothing is left to be told')
  },
)

t.test('calls not yet told again outlast another loss', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.send({ type: 'connected', seq: 1, call: 'c1' }, { type: 'connected', seq: 2, call: 'c2' })
  await settled(phone, line)
  const [first, other] = phone.calls
  line.cut()
  const second = await reconnected(hub, phone, { session: 's2' })
  await second.next('ping')
  second.cut()
  const third = await reconnected(hub, phone, { session: 's2', resumed: true })
  t.strictSame(phone.calls, [first, other])
  third.send(
    { type: 'connected', seq: 1, call: 'c1' },
    { type: 'ended', seq: 2, call: 'c2', reason: 'completed' },
  )
  await third.answer('ping', { type: 'pong' })
  t.match(await other!.over, { reason: 'completed' })
  await settled(phone, third)
  t.strictSame(phone.calls, [first])
})

t.test('a call that ends while its session is told anew is not ended twice', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  line.send({ type: 'connected', seq: 1, call: 'c1' })
  await settled(phone, line)
  const call = phone.calls[0]!
  line.cut()
  const second = await reconnected(hub, phone, { session: 's2' })
  await second.next('ping')
  await phone.close()
  t.match(await call.over, { reason: 'failed', message: 'the softphone has left' })
})

t.test('an accept whose answer was lost is asked again, and the first one counts', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const accepted = call.accept()
  await line.next('accept')
  line.cut()
  const second = await reconnected(hub, phone, { resumed: true })
  second.send({ type: 'connected', seq: 2, call: 'c1' })
  await second.answer('accept', { type: 'error', code: 'call-gone', message: 'answered', retry: false })
  await accepted
  t.equal(call.state, 'connected')
})

t.test('a call listener that throws is told of by the softphone', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const fault = phone.once('error')
  call.on('signal', () => {
    throw new Error('thrown')
  })
  line.send({ type: 'signal', seq: 2, call: 'c1', data: 1 })
  t.match(await fault, { message: 'thrown' })
})

t.test('how calls stand is a value that is replaced at each change, and told of', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const lists: string[] = []
  phone.on('calls', calls => {
    t.equal(calls, phone.calls, 'the list stays the same until it changes')
    lists.push(calls.map(({ id, state }) => `${id} ${state}`).join(', '))
  })
  line.send(invite('c1', 1), invite('c2', 2))
  const call = await phone.once('invite')
  await line.answer('ringing')
  const first = call.snapshot
  t.strictSame(first, { state: 'ringing', sdp: 'offer' })
  const told: unknown[] = []
  call.on('change', snapshot => told.push(snapshot))
  line.send(
    { type: 'signal', seq: 3, call: 'c1', data: 1 },
    { type: 'connected', seq: 4, call: 'c1', sdp: 'renewed' },
    { type: 'cancel', seq: 5, call: 'c2', reason: 'timeout' },
  )
  await settled(phone, line)
  const second = call.snapshot
  line.send({ type: 'ended', seq: 6, call: 'c1', reason: 'completed', message: 'bye' })
  await call.over
  t.match(told, [second, call.snapshot])
  t.match(first, { state: 'ringing', end: undefined }, 'a value that was had stays what it was')
  t.match(call.snapshot, { state: 'ended', sdp: 'renewed', end: { reason: 'completed', message: 'bye' } })
  t.strictSame(lists, [
    'c1 ringing',
    'c1 ringing, c2 ringing',
    'c1 connected, c2 ringing',
    'c1 connected',
    '',
  ])
})

t.test('a gateway is asked to perform a step, and says what became of it', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const placed = phone.place({ to: 'menu' })
  await line.answer('place', { type: 'placed', call: 'c1' })
  const call = await placed
  line.send({ type: 'perform', seq: 1, call: 'c1', step: 0, verb: 'gather', with: { numDigits: 1 } })
  t.match(await call.once('perform'), { step: 0, verb: 'gather', with: { numDigits: 1 } })
  const performed = call.performed(0, 'done', { digits: '1' })
  t.match(await line.answer('performed'), { call: 'c1', step: 0, outcome: 'done', data: { digits: '1' } })
  await performed
  const late = call.performed(0, 'done')
  await line.answer('performed', { type: 'error', code: 'conflict', message: 'none is', retry: false })
  await t.rejects(late, { code: 'conflict' })
})

t.test('a call whose other side hung up may go on, and be answered by another', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const placed = phone.place({ to: 'support' })
  await line.answer('place', { type: 'placed', call: 'c1' })
  const call = await placed
  line.send({ type: 'answered', seq: 1, call: 'c1', sdp: 'first', by })
  await settled(phone, line)
  t.match(call.snapshot, { state: 'connected', sdp: 'first', by })
  line.send({ type: 'progress', seq: 2, call: 'c1', state: 'trying' })
  await settled(phone, line)
  t.strictSame(call.snapshot, {
    state: 'trying',
    sdp: undefined,
    by: undefined,
    heldHere: false,
    heldThere: false,
  })
  const next = { account: 'carol', device: 'web' }
  line.send({ type: 'answered', seq: 3, call: 'c1', sdp: 'second', by: next })
  await settled(phone, line)
  t.match(call.snapshot, { state: 'connected', sdp: 'second', by: next })
})

t.test('a call is handed on, to a destination or to another of its calls', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const blind = call.transfer('sales')
  t.match(await line.answer('transfer'), { call: 'c1', to: 'sales', attended: undefined })
  await blind
  const placed = phone.place({ to: 'bob' })
  await line.answer('place', { type: 'placed', call: 'c2' })
  const attended = call.transfer('bob', { attended: await placed })
  const refused = { type: 'error', code: 'call-gone', message: 'no such call', retry: false }
  t.match(await line.answer('transfer', refused), { call: 'c1', to: 'bob', attended: 'c2' })
  await t.rejects(attended, { code: 'call-gone', retry: false })
  t.equal(call.state, 'ringing', 'a refusal changes nothing')
})

t.test(
  'what comes before anyone listens is kept for the first who does, and no more than so much',
  async t => {
    const hub = await ScriptedHub.start(t)
    const { phone, line, call } = await rung(hub)
    const numbers = Array.from({ length: 300 }, (_, index) => index)
    line.send(...numbers.map(data => ({ type: 'signal', seq: data + 2, call: 'c1', data })))
    await settled(phone, line)
    const signals: unknown[] = []
    const stop = call.on('signal', ({ data }) => signals.push(data))
    await settled(phone, line)
    t.strictSame(signals, numbers.slice(0, 256))
    stop()
    line.send({ type: 'signal', seq: 302, call: 'c1', data: 'nobody' })
    await settled(phone, line)
    call.on('signal', ({ data }) => signals.push(data))
    line.send({ type: 'signal', seq: 303, call: 'c1', data: 'heard' })
    await settled(phone, line)
    t.strictSame(signals.slice(256), ['heard'], 'an event that was listened for is not kept again')
  },
)

t.test('what a listener causes is told after what it listens to, to all', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  const told: string[] = []
  phone.on('connection', ({ state }) => {
    told.push(`first ${state}`)
    if (state === 'reconnecting') phone.connect()
  })
  phone.on('connection', ({ state }) => told.push(`second ${state}`))
  line.cut()
  await hub.accept()
  await reaches(phone, 'online')
  t.strictSame(told, [
    'first reconnecting',
    'second reconnecting',
    'first connecting',
    'second connecting',
    'first online',
    'second online',
  ])
})

t.test('who connects anew when a call ends with its softphone is not cut off', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line, call } = await rung(hub)
  const told: string[] = []
  phone.on('connection', ({ state }) => told.push(state))
  let again: Promise<unknown> | undefined
  call.on('ended', () => {
    again = phone.connect()
  })
  await settled(phone, line)
  line.close(4501)
  await hub.accept({ session: 's2' })
  t.match(await again, { session: 's2' })
  t.strictSame(told, ['closed', 'connecting', 'online'])
})

t.test('a listener that is given twice is heard twice, and ended once at a time', async t => {
  const hub = await ScriptedHub.start(t)
  const { phone, line } = await hub.online()
  let heard = 0
  const listener = () => {
    heard += 1
  }
  const stops = [phone.on('self', listener), phone.on('self', listener)]
  for (const expected of [2, 3, 3]) {
    line.send({ type: 'self', status: 'busy', override: 'none' })
    await settled(phone, line)
    t.equal(heard, expected)
    stops.pop()?.()
  }
})
