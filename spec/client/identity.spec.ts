import t from 'tap'
import { type Softphone, tabDevice } from '../../src/client/index.js'
import { createTabDevice, TAKEN_MS, type TabPage } from '../../src/client/tab-device.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { reaches, ScriptedHub, type ScriptedLine, virtualTimers } from '../support/scripted-hub.js'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** All that was said before has been heard, on both sides. */
const heardAll = async (phone: Softphone, line: ScriptedLine) => {
  const asked = phone.request('ping', {})
  await line.answer('ping', { type: 'pong' })
  await asked
}

/** Lets the event loop turn until it holds. */
const until = async (holds: () => boolean) => {
  while (!holds()) await turn()
}

/** What a token's provider was asked for, to be answered by the spec. */
const provider = () => {
  const asked: { resolve: (token: string) => void; reject: (error: unknown) => void }[] = []
  const provide = () => new Promise<string>((resolve, reject) => asked.push({ resolve, reject }))
  return { asked, provide }
}

t.test('[U3] the provider is asked once, however many reasons there are to ask', async t => {
  const hub = await ScriptedHub.start(t)
  const { asked, provide } = provider()
  const phone = hub.phone({ token: provide })
  phone.connect()
  asked[0]!.resolve('token-1')
  const line = await hub.accept()
  await reaches(phone, 'online')
  line.send({ type: 'token-expiring', inMs: 60_000 })
  line.send({ type: 'token-expiring', inMs: 0 })
  line.close(4401)
  const { inMs } = await reaches(phone, 'reconnecting')
  hub.clock.advance(inMs + 5)
  await turn()
  t.equal(asked.length, 2)
  asked[1]!.resolve('token-2')
  const { line: second, hello } = await hub.hello()
  t.equal(hello.token, 'token-2')
  second.welcome()
  await heardAll(phone, second)
  t.notOk(
    second.heard.some(({ type }) => type === 'token'),
    'a hello has said it already',
  )
})

t.test(
  '[U3] a token that can not be renewed in place is tried again with back-off, and cuts nothing',
  async t => {
    const hub = await ScriptedHub.start(t)
    const answers = [
      () => 'token-1',
      () => {
        throw new Error('the identity provider is down')
      },
      () => Promise.reject(new Error('still down')),
      () => undefined as unknown as string,
      () => 'stale',
      () => 'token-2',
    ]
    const faults: string[] = []
    const { phone, line } = await hub.online({ token: () => answers.shift()!() }, { heartbeatMs: 60_000 })
    phone.on('error', error => faults.push((error as Error).message))
    line.send({ type: 'token-expiring', inMs: 60_000 }, { type: 'connected', seq: 1, call: 'c1' })
    await phone.once('restored')
    for (const waitMs of [250, 500, 1000]) {
      await turn()
      hub.clock.advance(waitMs + 5)
    }
    await turn()
    await line.answer('token', { type: 'error', code: 'unauthorized', message: 'expired', retry: false })
    await phone.once('error')
    hub.clock.advance(2005)
    t.match(await line.answer('token'), { token: 'token-2' })
    t.strictSame(faults, [
      'the identity provider is down',
      'still down',
      'the token that was provided is no text',
      'expired',
    ])
    await turn()
    hub.clock.advance(30_000)
    await turn()
    t.match([phone.connection.state, phone.calls[0]!.state, answers.length], ['online', 'connected', 0])
  },
)

t.test('a provider that never answers is told, and asked again', async t => {
  const hub = await ScriptedHub.start(t)
  const { asked, provide } = provider()
  const phone = hub.phone({ token: provide })
  const fault = phone.once('error')
  phone.connect()
  hub.clock.advance(19_990)
  t.equal(phone.connection.state, 'connecting')
  hub.clock.advance(20)
  t.match(await fault, { code: 'timeout', message: 'no token was provided in time', retry: true })
  const { inMs } = await reaches(phone, 'reconnecting')
  hub.clock.advance(inMs + 5)
  await turn()
  asked[0]!.resolve('late')
  await turn()
  asked[1]!.resolve('in time')
  t.equal((await hub.hello()).hello.token, 'in time')
})

t.test('a renewal ends with its connection, and with the softphone', async t => {
  const hub = await ScriptedHub.start(t)
  const { asked, provide } = provider()
  const phone = hub.phone({ token: provide })
  phone.on('error', error => t.fail(String(error)))
  phone.connect()
  asked[0]!.resolve('token-1')
  const line = await hub.accept()
  await reaches(phone, 'online')
  line.send({ type: 'token-expiring', inMs: 60_000 })
  await until(() => asked.length === 2)
  line.cut()
  const { inMs } = await reaches(phone, 'reconnecting')
  hub.clock.advance(inMs + 5)
  const second = await hub.accept({ resumed: true })
  await reaches(phone, 'online')
  asked[1]!.reject(new Error('too late to matter'))
  second.send({ type: 'token-expiring', inMs: 30_000 })
  await until(() => asked.length === 3)
  await phone.close()
  asked[2]!.resolve('for nobody')
  phone.connect()
  await until(() => asked.length === 4)
  t.pass('who comes again is asked anew who it is')
})

t.test('a device may be provided as a token is, and is asked for at each connection', async t => {
  const hub = await ScriptedHub.start(t)
  const names = ['tab-1', 'tab-2']
  const { phone, line } = await hub.online({
    device: async () => {
      const name = names.shift()
      if (name === undefined) throw new Error('no name')
      return name
    },
  })
  t.equal(line.heard[0]!.device, 'tab-1')
  line.cut()
  hub.clock.advance((await reaches(phone, 'reconnecting')).inMs + 5)
  const { line: second, hello } = await hub.hello()
  t.equal(hello.device, 'tab-2')
  const fault = phone.once('error')
  second.cut()
  hub.clock.advance((await reaches(phone, 'reconnecting')).inMs + 5)
  t.match(await fault, { message: 'no name' })
  t.match(await reaches(phone, 'reconnecting'), { error: { message: /no name/ } })
})

/** A browser's locks, shared by its tabs: first come, first served. */
class Locks {
  readonly #queues = new Map<string, (() => void)[]>()
  readonly asked: string[] = []

  async request(name: string, { signal }: { signal: AbortSignal }, held: () => Promise<void>): Promise<void> {
    this.asked.push(name)
    const queue = this.#queues.get(name) ?? []
    this.#queues.set(name, queue)
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        if (queue[0] !== resolve) queue.splice(queue.indexOf(resolve), 1)
        reject(signal.reason)
      })
      queue.push(resolve)
      if (queue.length === 1) resolve()
    })
    await held()
    queue.shift()
    queue[0]?.()
  }
}

/** A page of a tab: `storage` is what the tab keeps. */
const newPage = (locks: Locks | undefined, storage: Map<string, string> | undefined, first = 1) => {
  let bytes = first
  const page = Object.assign(new EventTarget(), {
    crypto: { getRandomValues: (array: Uint8Array) => array.fill(bytes++) },
    ...(locks && { navigator: { locks } }),
    ...(storage && {
      sessionStorage: {
        getItem: (key: string) => storage.get(key) ?? null,
        setItem: (key: string, value: string) => void storage.set(key, value),
      },
    }),
  })
  return { page: page as TabPage, hide: () => page.dispatchEvent(new Event('pagehide')) }
}

const named = (byte: string) => `tab-${byte.repeat(8)}`

t.test('[U13] a reload keeps the name of its tab, even before the old page has let it go', async t => {
  const locks = new Locks()
  const storage = new Map<string, string>()
  const clock = new VirtualClock()
  const old = newPage(locks, storage)
  const before = createTabDevice(old.page, virtualTimers(clock))
  t.equal(await before(), named('01'))
  t.equal(await before(), named('01'), 'the same for all who ask on one page')
  t.strictSame(locks.asked.length, 1)
  const after = createTabDevice(newPage(locks, storage, 7).page, virtualTimers(clock))()
  clock.advance(TAKEN_MS - 10)
  old.hide()
  t.equal(await after, named('01'))
  clock.advance(60_000)
  const third = createTabDevice(newPage(locks, storage, 9).page, virtualTimers(clock))()
  await turn()
  clock.advance(TAKEN_MS + 5)
  t.equal(await third, named('09'), 'who has a name keeps it')
})

t.test('a duplicated tab gets a name of its own, and keeps that', async t => {
  const locks = new Locks()
  const storage = new Map<string, string>()
  const clock = new VirtualClock()
  const timers = virtualTimers(clock)
  await createTabDevice(newPage(locks, storage).page, timers)()
  const copy = new Map(storage)
  const duplicate = newPage(locks, copy, 7)
  const second = createTabDevice(duplicate.page, timers)()
  await turn()
  clock.advance(TAKEN_MS + 5)
  t.equal(await second, named('07'))
  duplicate.hide()
  t.equal(await createTabDevice(newPage(locks, copy, 9).page, timers)(), named('07'))
})

t.test('a page that comes back from the cache takes its name again', async t => {
  const locks = new Locks()
  const storage = new Map<string, string>()
  const timers = virtualTimers(new VirtualClock())
  const page = newPage(locks, storage)
  const device = createTabDevice(page.page, timers)
  await device()
  page.hide()
  const next = newPage(locks, storage, 7)
  t.equal(await createTabDevice(next.page, timers)(), named('01'), 'the page after it in the same tab')
  next.hide()
  t.equal(await device(), named('01'))
  t.equal(locks.asked.length, 3)
})

t.test('a page that is hidden before it has a name leaves that of its tab alone', async t => {
  const locks = new Locks()
  const storage = new Map<string, string>()
  const timers = virtualTimers(new VirtualClock())
  const old = newPage(locks, storage)
  await createTabDevice(old.page, timers)()
  const brief = newPage(locks, storage, 7)
  const device = createTabDevice(brief.page, timers)
  const asked = device()
  await turn()
  brief.hide()
  await t.rejects(asked, { message: 'the page was put away' })
  old.hide()
  t.equal(await device(), named('01'))
})

t.test('where a tab can keep or guard nothing, each page has a new name for its life', async t => {
  const throwing = {
    get sessionStorage(): never {
      throw new Error('denied')
    },
  }
  const full = {
    sessionStorage: {
      getItem: () => 'not one of ours',
      setItem: () => {
        throw new Error('full')
      },
    },
  }
  const broken = { navigator: { locks: { request: () => Promise.reject(new Error('denied')) } } }
  const pages = {
    'no locks': newPage(undefined, new Map()).page,
    'no storage': newPage(new Locks(), undefined).page,
    'storage denied': Object.defineProperties(
      newPage(new Locks(), undefined).page,
      Object.getOwnPropertyDescriptors(throwing),
    ),
    'storage full': Object.assign(newPage(new Locks(), undefined).page, full),
    'locks denied': Object.assign(
      newPage(undefined, new Map([['switchhook.device', named('05')]])).page,
      broken,
    ),
  }
  for (const [name, page] of Object.entries(pages)) {
    const device = createTabDevice(page, virtualTimers(new VirtualClock()))
    t.equal(await device(), named('01'), name)
    t.equal(await device(), named('01'), name)
  }
  t.match(await tabDevice(), /^tab-[0-9a-f]{16}$/, 'as in Node')
})

t.test('a token that was being told when the connection broke is said by the next hello alone', async t => {
  const hub = await ScriptedHub.start(t)
  const tokens = ['token-1', 'token-2', 'token-3']
  const { phone, line } = await hub.online({ token: () => tokens.shift() as string })
  phone.on('error', error => t.fail(String(error)))
  line.send({ type: 'token-expiring', inMs: 60_000 })
  await line.next('token')
  line.cut()
  hub.clock.advance((await reaches(phone, 'reconnecting')).inMs + 5)
  const { line: second, hello } = await hub.hello()
  t.equal(hello.token, 'token-2')
  second.close(4401)
  hub.clock.advance((await reaches(phone, 'reconnecting')).inMs + 5)
  const { line: third, hello: last } = await hub.hello()
  t.equal(last.token, 'token-3')
  third.welcome({ resumed: true })
  await reaches(phone, 'online')
  await heardAll(phone, third)
  t.notOk(
    third.heard.some(({ type }) => type === 'token'),
    'an older token does not replace a newer one',
  )
})
