// The SDK where it lives: in the tabs of a real browser, against a real hub, through what befalls a page and its
// network. The hub runs on a clock that follows the machine's and can be put forward, so that nothing waits in vain.

import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { type DeviceEntry, HubApi, type Resource } from '../../src/client/index.js'
import { VirtualClock } from '../../src/runtime/index.js'
import { Line, startBrowser, type Tab } from '../support/browser.js'
import { bundleCommands } from '../support/bundle.js'
import { configOf, secret, startHub, tokenOf, until, type World } from '../support/hub.js'
import { Child } from '../support/processes.js'
import { requires } from '../support/requires.js'

t.setTimeout(300_000)

/** The machine's time, which a spec may put forward. */
const startClock = (t: Test): VirtualClock => {
  const clock = new VirtualClock(Date.now())
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    clock.advance(now - last)
    last = now
  }, 5)
  t.teardown(() => clearInterval(timer))
  return clock
}

const entriesOf = ({ accounts = [] }: Resource): DeviceEntry[] =>
  accounts.flatMap(({ devices = [] }) => devices)
const namesOf = (resource: Resource): string[] => entriesOf(resource).map(({ device }) => device)

/** Who watches an account: every status it was seen in, and its devices as the hub has them now. */
const watcher = async (world: World, account: string) => {
  const softphone = await world.visitor('wallboard', ['presence:read', 'presence:devices'])
  const read = async (): Promise<Resource> => (await softphone.presence([account]))[0] as Resource
  const watch = softphone.subscribe(account)
  await watch.ready
  const statuses: string[] = []
  watch.on('change', ({ status }) => statuses.push(status))
  return {
    statuses,
    devices: async () => namesOf(await read()),
    is: (status: string) =>
      until(
        () => watch.resource?.status === status,
        look => watch.on('change', look),
      ),
    /** Asks until the hub has seen the end of this device's connection. */
    async lost(name: unknown) {
      for (;;) {
        const entry = entriesOf(await read()).find(({ device }) => device === name)
        if (entry?.link !== 'attached') return
      }
    },
  }
}

t.test('the SDK in a browser', requires('chromium'), async t => {
  const browser = await startBrowser(t)
  const clock = startClock(t)
  // Who was away for 10 s while it rang shall have some left to answer in, on a slow machine too.
  const world = await startHub(t, configOf({}, { calls: { ringTimeoutMs: 30_000 } }), { clock })
  const api = await world.api()
  const { url } = world.listening

  /** A tab of this account that is registered; its device. */
  const open = async (account: string, at = url): Promise<{ tab: Tab; device: unknown }> => {
    const tab = await browser.open({ url: at, token: await tokenOf(account) })
    const { device } = await tab.next({ event: 'online' })
    return { tab, device }
  }

  const place = async (to: string) => (await api.place({ to, from: '+15550199', sdp: 'offer' })).call
  const stateOf = async (call: string) => (await api.call(call)).state

  await t.test(
    '[U5] two tabs of one account are two devices, each rung once, and one has the call',
    async t => {
      const watch = await watcher(world, 'alice')
      const one = await open('alice')
      const two = await open('alice')
      t.not(one.device, two.device)
      t.same(new Set(await watch.devices()), new Set([one.device, two.device]))
      const call = await place('alice')
      await Promise.all([one, two].map(({ tab }) => tab.next({ event: 'invite', call })))
      await two.tab.do(`calls.get('${call}').accept({ sdp: 'answer' })`)
      await two.tab.next({ event: 'connected', call })
      t.match(await one.tab.next({ event: 'cancel', call }), {
        reason: 'answered-elsewhere',
        by: { account: 'alice', device: two.device },
      })
      t.strictSame([one.tab.count('invite'), two.tab.count('invite')], [1, 1])
      await one.tab.page.close()
      await watch.lost(one.device)
      // A timer may be one tick of the hub's late, which is 5 ms.
      clock.advance(5005)
      t.strictSame(await watch.devices(), [two.device], 'a tab that is closed lingers for 5 s')
      t.equal(await stateOf(call), 'connected', 'and its end touches only that tab')
      await two.tab.do(`calls.get('${call}').hangup()`)
      await two.tab.next({ event: 'ended', call })
      await two.tab.page.close()
    },
  )

  await t.test('[U13] a reload keeps the device, what rings and who talks, and nobody sees it', async t => {
    const watch = await watcher(world, 'bob')
    const { tab, device } = await open('bob')
    await watch.is('available')
    const call = await place('bob')
    await tab.next({ event: 'invite', call })
    await tab.page.reload()
    t.match(await tab.next({ event: 'online' }), { device })
    await tab.next({ event: 'invite', call })
    t.strictSame(await watch.devices(), [device])
    await tab.do(`calls.get('${call}').accept({ sdp: 'answer' })`)
    await tab.next({ event: 'connected', call })
    await tab.page.reload()
    t.match(await tab.next({ event: 'online' }), { device })
    t.match(await tab.next({ event: 'restored', call }), { state: 'connected' })
    t.equal(await stateOf(call), 'connected')
    await tab.do(`calls.get('${call}').hangup()`)
    await tab.next({ event: 'ended', call })
    await watch.is('available')
    t.strictSame(await watch.devices(), [device])
    t.notOk(watch.statuses.includes('offline'), watch.statuses.join())
    t.equal(tab.count('online'), 3, 'once a page')
    await tab.page.close()
  })

  await t.test('[U12] a duplicated tab is another device, and both are registered once', async t => {
    const watch = await watcher(world, 'carol')
    const { tab, device } = await open('carol')
    const copy = await browser.duplicate(tab)
    const { device: second } = await copy.next({ event: 'online' })
    t.not(second, device)
    t.same(new Set(await watch.devices()), new Set([device, second]))
    await copy.page.reload()
    t.match(await copy.next({ event: 'online' }), { device: second }, 'and stays so')
    t.same(new Set(await watch.devices()), new Set([device, second]))
    t.strictSame([tab.count('online'), tab.count('closed'), copy.count('online')], [1, 0, 2])
    await tab.page.close()
    await copy.page.close()
  })

  await t.test('[U11] offline for 10 s: no call is lost, nobody sees it, and it is back at once', async t => {
    const watch = await watcher(world, 'dave')
    const line = await Line.start(t, world.listening.port)
    const { tab, device } = await open('dave', line.url)
    await watch.is('available')
    const talking = await place('dave')
    await tab.next({ event: 'invite', call: talking })
    await tab.do(`calls.get('${talking}').accept({ sdp: 'answer' })`)
    await tab.next({ event: 'connected', call: talking })
    await watch.is('busy')
    const seen = watch.statuses.length

    await browser.context.setOffline(true)
    line.cut()
    await tab.next({ event: 'reconnecting', offline: true, attempt: 0 })
    clock.advance(10_000)
    await tab.do(
      `calls.get('${talking}').signal('kept until there is a network').catch(() => {})`.replace(/^/, 'void '),
    )
    line.mend()
    await browser.context.setOffline(false)
    t.match(await tab.next({ event: 'online' }), { device, resumed: true })
    t.equal(await stateOf(talking), 'connected')
    t.strictSame(await watch.devices(), [device])
    t.strictSame(watch.statuses.slice(seen), [], 'nobody saw it')
    t.equal(tab.count('online'), 2)
    await tab.do(`calls.get('${talking}').hangup()`)
    await tab.next({ event: 'ended', call: talking })

    const ringing = await place('dave')
    await tab.next({ event: 'invite', call: ringing })
    await browser.context.setOffline(true)
    line.cut()
    await tab.next({ event: 'reconnecting', offline: true })
    clock.advance(10_000)
    line.mend()
    await browser.context.setOffline(false)
    t.match(await tab.next({ event: 'online' }), { device, resumed: true })
    await tab.do(`calls.get('${ringing}').accept({ sdp: 'answer' })`)
    await tab.next({ event: 'connected', call: ringing })
    t.equal(tab.count('invite'), 2, 'what rings on is not offered twice')
    await tab.page.close()
  })

  await t.test('[U11] a page in the back-forward cache comes back registered once, in its call', async t => {
    const watch = await watcher(world, 'erin')
    const { tab, device } = await open('erin')
    await watch.is('available')
    const call = await place('erin')
    await tab.next({ event: 'invite', call })
    await tab.do(`calls.get('${call}').accept({ sdp: 'answer' })`)
    await tab.next({ event: 'connected', call })
    await tab.page.goto(browser.elsewhere)
    await tab.page.goBack({ waitUntil: 'commit' })
    t.match(await tab.next({ event: 'pageshow' }), { persisted: true }, 'it is the same page')
    t.match(await tab.next({ event: 'online' }), { device, resumed: true })
    t.strictSame(await watch.devices(), [device])
    t.strictSame(
      await tab.do('states'),
      ['connecting', 'online', 'paused', 'connecting', 'online'],
      'it let go before it was put away',
    )
    t.equal(await stateOf(call), 'connected')
    t.equal(await tab.do(`phone.calls[0] === calls.get('${call}')`), true, 'the call is the same object')
    t.strictSame([tab.count('invite'), tab.count('restored')], [1, 0])
    await tab.do(`calls.get('${call}').hangup()`)
    t.match(await tab.next({ event: 'ended', call }), { reason: 'completed' })
    await watch.is('available')
    t.notOk(watch.statuses.includes('offline'), watch.statuses.join())
    await tab.page.close()
  })

  await t.test('[U14] a hub that is killed and started again has all its phones, each once', async t => {
    const launcher = await bundleCommands(t)
    const config = join(dirname(launcher), 'hub.json')
    writeFileSync(config, JSON.stringify({ tenants: { acme: { keys: [{ alg: 'HS256', secret }] } } }))
    const serve = async (port: string) => {
      const args = [launcher, 'serve', '--config', config, '--json', '--port', port]
      const child = new Child(t, args)
      const { url } = await child.stdout.next({ event: 'listening' })
      return { child, url: String(url) }
    }
    const first = await serve('0')
    const accounts = ['gina', 'hugo', 'ivan', 'judy']
    const phones = await Promise.all(accounts.map(account => open(account, first.url)))
    const carrier = new HubApi({
      url: first.url,
      token: await tokenOf('carrier', { scopes: ['call:inbound'] }),
    })
    const { call } = await carrier.place({ to: 'gina', from: '+15550199', sdp: 'offer' })
    const { tab: gina } = phones[0] as (typeof phones)[number]
    await gina.next({ event: 'invite', call })
    await gina.do(`calls.get('${call}').accept({ sdp: 'answer' })`)
    await gina.next({ event: 'connected', call })
    await first.child.end('SIGKILL')
    await Promise.all(phones.map(({ tab }) => tab.next({ event: 'reconnecting' })))
    await serve(new URL(first.url).port)
    for (const { tab, device } of phones) {
      t.match(await tab.next({ event: 'online' }), { device, resumed: false })
      t.equal(tab.count('online'), 2)
    }
    t.match(
      await gina.next({ event: 'ended', call }),
      { reason: 'failed' },
      'what died with the hub is over, not forgotten',
    )
    const token = await tokenOf('wallboard', { scopes: ['presence:read', 'presence:devices'] })
    const resources = await new HubApi({ url: first.url, token }).presences(accounts)
    t.strictSame(
      resources.map(namesOf),
      phones.map(({ device }) => [device]),
    )
  })
})
