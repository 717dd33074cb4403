// The hooks on a page, against a hub: what they show, what they ask the hub for, and what they leave behind.

import { readFileSync } from 'node:fs'
import * as React from 'react'
import { act, Component, createElement, type ReactNode, useRef } from 'react'
import { renderToString } from 'react-dom/server'
import t, { type Test } from 'tap'
import ts from 'typescript'
import * as client from '../../src/client/index.js'
import { type Call, Softphone } from '../../src/client/index.js'
import * as react from '../../src/react/index.js'
import {
  type GivenSoftphone,
  type PresenceOptions,
  SoftphoneProvider,
  type SoftphoneValue,
  useCall,
  usePresence,
  useSoftphone,
} from '../../src/react/index.js'
import { type LineOptions, testHub } from '../../src/testing/index.js'
import { complaints, counted, openPage } from './page.js'

t.afterEach(() => {
  const [first] = complaints.splice(0)
  if (first !== undefined) throw new Error(first)
})

const begin = async (t: Test) => {
  const hub = await testHub({
    groups: { support: { members: ['alice', 'bob'] }, sales: { members: ['bob'] } },
  })
  t.teardown(() => hub.close())
  /** Lets time pass, and the page show what comes of it. */
  const pass = (ms = 0): Promise<void> => act(() => hub.advance(ms))
  return {
    hub,
    pass,
    line: (options?: LineOptions) => counted(hub.line('alice', { device: 'web', ...options })),
  }
}

/** Shows how a softphone stands, and keeps every value that it was rendered with. */
const phoneView = () => {
  const values: SoftphoneValue[] = []
  const Phone = ({ given }: { given?: GivenSoftphone }) => {
    const value = useSoftphone(given)
    values.push(value)
    const { connection, self, calls } = value
    return createElement('p', null, [connection.state, self?.status ?? '-', calls.length].join(' '))
  }
  return { Phone, values }
}

/** Shows the status of a destination, and keeps everything it showed. */
const presenceView = () => {
  const shown: string[] = []
  const Presence = ({ of, options }: { of: string; options?: PresenceOptions }) => {
    const seen = usePresence(of, options)
    const text = `${of} ${seen?.destination ?? '-'} ${seen?.status ?? '-'};`
    shown.push(text)
    return createElement('p', null, text)
  }
  return { Presence, shown }
}

for (const strict of [false, true]) {
  const mode = strict ? 'in StrictMode' : 'rendered once'

  t.test(`${mode} a softphone of the component's own connects once, and leaves with it`, async t => {
    const { hub, pass, line } = await begin(t)
    const { Phone, values } = phoneView()
    const page = await openPage(t, { strict })
    const own = line()
    await page.render(createElement(Phone, { given: own.options }))
    t.match(page.text, /^connecting - 0/)
    await pass()
    t.equal(page.text, 'online available 0')
    t.equal(own.opened, 1)
    t.equal((await hub.api.presence('alice')).status, 'available')

    await page.render(createElement(Phone, { given: { ...own.options } }))
    t.equal(values.at(-1), values.at(-2), 'nothing changed: the same value')
    await page.leave()
    await hub.advance()
    t.equal((await hub.api.presence('alice')).status, 'offline')
    await hub.advance(120_000)
    t.equal(own.opened, 1)
  })

  t.test(
    `${mode} components that watch the same share one subscription, as long as there is one of them`,
    async t => {
      const { hub, pass, line } = await begin(t)
      const { Presence } = presenceView()
      const own = line()
      const page = await openPage(t, { strict })
      const show = (...names: readonly (readonly [key: string, of: string])[]) =>
        page.render(
          createElement(
            SoftphoneProvider,
            { softphone: own.options },
            ...names.map(([key, of]) => createElement(Presence, { key, of })),
          ),
        )
      await show(['a', 'support'], ['b', 'support'], ['c', 'sales'])
      await pass()
      t.equal(page.text, 'support support available;support support available;sales sales offline;')
      t.same(own.sent, ['hello', 'subscribe support sales'])

      await show(['b', 'support'])
      await pass()
      await show(['d', 'support'], ['e', 'support'])
      t.equal(page.text, 'support support available;support support available;', 'known at once')
      await act(async () => void (await hub.phone('bob', { status: 'busy' })))
      await pass()
      t.same(own.sent, ['hello', 'subscribe support sales', 'unsubscribe sales'])

      await show(['f', 'sales'])
      t.equal(page.text, 'sales - -;')
      await pass()
      t.equal(page.text, 'sales sales busy;')
      t.same(own.sent.slice(3), ['unsubscribe support', 'subscribe sales'])
      await show()
      await pass()
      t.same(own.sent.slice(5), ['unsubscribe sales'])
      t.equal(own.opened, 1)
    },
  )
}

t.test('a component that goes while it connects leaves nothing behind', async t => {
  const { hub, pass } = await begin(t)
  const line = hub.line('alice', { device: 'web' })
  const own = counted(line)
  const { Phone } = phoneView()
  const page = await openPage(t, { strict: true })
  line.link.pause()
  await page.render(createElement(Phone, { given: own.options }))
  await pass()
  t.equal(own.opened, 1)
  await page.leave()
  line.link.resume()
  await hub.advance(120_000)
  t.equal(own.opened, 1)
  t.same(own.sent, [])
  t.equal((await hub.api.presence('alice')).status, 'offline')
})

t.test('one that goes before the turn is over connects nothing at all, and asks for nothing', async t => {
  const { hub, line } = await begin(t)
  let asked = 0
  const token = () => {
    asked++
    return hub.token('alice')
  }
  const own = line({ token })
  const { Phone } = phoneView()
  const page = await openPage(t)
  act(() => page.root.render(createElement(Phone, { given: own.options })))
  act(() => page.root.unmount())
  await hub.advance(1_000)
  t.same([own.opened, asked], [0, 0])
})

t.test('a call is shown as it goes, by values that only change when it does', async t => {
  const { hub, pass, line } = await begin(t)
  const own = line()
  const seen = new Set<unknown>()
  let phone: SoftphoneValue | undefined
  const Line = ({ call }: { call: Call | undefined }) => {
    const snapshot = useCall(call)
    seen.add(snapshot)
    return createElement('p', null, `${snapshot?.state ?? 'no call'} ${snapshot?.end?.reason ?? ''}`)
  }
  const Desk = () => {
    phone = useSoftphone()
    const last = useRef<Call>()
    last.current = phone.calls[0] ?? last.current
    return createElement(Line, { call: last.current })
  }
  const page = await openPage(t, { strict: true })
  await page.render(createElement(SoftphoneProvider, { softphone: own.options }, createElement(Desk)))
  await pass()
  t.equal(page.text, 'no call ')
  let call: Call | undefined
  await act(async () => {
    call = await hub.call('alice')
  })
  t.equal(page.text, 'ringing ')
  await act(async () => phone?.calls[0]?.accept())
  t.equal(page.text, 'connected ')
  await act(async () => call?.hangup())
  await pass()
  t.equal(page.text, 'ended completed')
  t.equal(seen.size, 4, 'none, ringing, connected, ended')
  await page.render(null)
  await page.render(createElement(SoftphoneProvider, { softphone: own.options }, createElement(Desk)))
  await pass()
  await act(async () => phone?.status({ status: 'away' }))
  t.match(phone, { self: { status: 'away' }, connection: { state: 'online' } })
  const bob = await hub.phone('bob')
  await act(async () => {
    await phone?.place({ to: 'bob' })
    t.equal((await bob.rings()).from, 'alice')
  })
  t.equal(page.text, 'ringing ')
})

t.test('a connection that is lost is shown, and what was seen stays', async t => {
  const { hub, pass } = await begin(t)
  const { Phone } = phoneView()
  const { Presence } = presenceView()
  const line = hub.line('alice', { device: 'web' })
  const page = await openPage(t)
  await page.render(
    createElement(
      SoftphoneProvider,
      { softphone: line.options },
      createElement(Phone),
      createElement(Presence, { of: 'support' }),
    ),
  )
  await pass()
  line.link.down()
  await pass(60_000)
  t.equal(page.text, 'reconnecting available 0support support available;')
  line.link.up()
  await pass(60_000)
  t.equal(page.text, 'online available 0support support available;')
})

t.test('another destination is never shown as the one before', async t => {
  const { pass, line } = await begin(t)
  const { Presence, shown } = presenceView()
  const page = await openPage(t)
  const show = (of: string, view?: 'summary') =>
    page.render(
      createElement(
        SoftphoneProvider,
        { softphone: own.options },
        createElement(Presence, { of, options: { view } }),
      ),
    )
  const own = line()
  for (const name of ['support', 'sales', 'support']) {
    await show(name)
    await pass()
  }
  await show('support', 'summary')
  await pass()
  for (const text of shown) {
    const [of, seen] = text.split(' ')
    t.ok(seen === '-' || seen === of, text)
  }
  t.equal(page.text, 'support support available;')
})

/** What is wrong with what is in it, until it is told to try again. */
class Boundary extends Component<
  { children?: ReactNode; attempt: number },
  { wrong?: string; attempt: number }
> {
  override state: { wrong?: string; attempt: number } = { attempt: this.props.attempt }

  static getDerivedStateFromError = (error: Error & { code?: string }) => ({
    wrong: `${error.code}: ${error.message}`,
  })

  static getDerivedStateFromProps = (props: { attempt: number }, state: { attempt: number }) =>
    props.attempt === state.attempt ? null : { attempt: props.attempt, wrong: undefined }

  override render() {
    return this.state.wrong ?? this.props.children
  }
}

t.test('what the hub does not let be seen is an error, to be tried again', async t => {
  const { hub, pass } = await begin(t)
  const claims = { scopes: ['presence:read:sales'] }
  const line = hub.line('wallboard', { claims })
  const { Presence } = presenceView()
  const page = await openPage(t)
  const show = (of: string, attempt = 0) =>
    page.render(
      createElement(
        SoftphoneProvider,
        { softphone: line.options },
        createElement(Boundary, { attempt }, createElement(Presence, { of })),
      ),
    )
  await show('support')
  await pass()
  t.equal(page.text, 'forbidden: may not watch support in view full')
  t.match(complaints.splice(0).at(-1), /recreate this component tree/)
  await show('sales', 1)
  await pass()
  t.equal(page.text, 'sales sales offline;')
})

t.test('a softphone of yours is yours to connect and close, whoever shows it', async t => {
  const { hub, pass, line } = await begin(t)
  const own = line()
  let listeners = 0
  class Watched extends Softphone {
    override on: Softphone['on'] = (event, listener) => {
      listeners++
      const stop = super.on(event, listener)
      return () => {
        listeners--
        stop()
      }
    }
  }
  const softphone = new Watched(own.options)
  const { Phone, values } = phoneView()
  const { Presence } = presenceView()
  const page = await openPage(t, { strict: true })
  const both = () => [
    createElement(Phone, { key: 'phone', given: softphone }),
    createElement(Presence, { key: 'one', of: 'support', options: { softphone } }),
    createElement(Presence, { key: 'two', of: 'support', options: { softphone } }),
  ]
  await page.render(both())
  await pass()
  t.equal(own.opened, 0)
  t.match(page.text, /^idle/)
  await act(async () => void (await softphone.connect()))
  await pass()
  t.equal(page.text, 'online available 0support support available;support support available;')
  t.same(own.sent, ['hello', 'subscribe support'])
  t.equal(values[0]?.softphone, softphone)
  t.equal(listeners, 3)
  await page.leave()
  await hub.advance()
  t.equal(listeners, 0)
  t.same(own.sent.slice(2), ['unsubscribe support'])
  t.equal(softphone.connection.state, 'online')
  await softphone.close()
})

t.test('the token is asked of the latest render; another person is another key', async t => {
  const { hub, pass, line } = await begin(t)
  const { options } = line()
  const asked: string[] = []
  const { Phone, values } = phoneView()
  const page = await openPage(t, { strict: true })
  const given = (account: string, name: string): GivenSoftphone => ({
    ...options,
    token: () => {
      asked.push(name)
      return hub.token(account)
    },
  })
  await page.render(createElement(Phone, { key: 'alice', given: given('alice', 'first') }))
  await pass()
  await page.render(createElement(Phone, { key: 'alice', given: given('alice', 'second') }))
  await pass(3_600_000)
  t.same(asked, ['first', 'second'])
  const token = await hub.token('alice', { expiresInSeconds: 4 * 3_600 })
  await page.render(createElement(Phone, { key: 'alice', given: { ...options, token } }))
  await pass(3_600_000)
  t.match(values.at(-1)?.connection, { state: 'online' })
  t.equal(asked.length, 2)
  await page.render(createElement(Phone, { key: 'bob', given: given('bob', 'bob') }))
  await pass()
  t.match(values.at(-1)?.connection, { state: 'online', welcome: { account: 'bob' } })
  t.equal((await hub.api.presence('alice')).status, 'offline')

  const mine = new Softphone(options)
  await page.render(createElement(Phone, { key: 'bob', given: mine }))
  await pass()
  t.equal(page.text, 'idle - 0')
  t.equal((await hub.api.presence('bob')).status, 'offline')
  await page.render(
    createElement(Phone, { key: 'carol', given: { ...options, token: await hub.token('carol') } }),
  )
  await pass()
  t.match(values.at(-1)?.connection, { state: 'online', welcome: { account: 'carol' } })
})

t.test(
  'a server renders what is known before there is a page, makes no softphone, and the page takes over',
  async t => {
    const { pass, line } = await begin(t)
    const { Phone } = phoneView()
    const { Presence } = presenceView()
    const app = (softphone: GivenSoftphone) =>
      createElement(
        SoftphoneProvider,
        { softphone },
        createElement(Phone),
        createElement(Presence, { of: 'support' }),
      )
    const html = renderToString(app({ url: 'no address at all', token: '' }))
    t.equal(html, '<p>idle - 0</p><p>support - -;</p>')
    const page = await openPage(t, { strict: true, html, what: app(line().options) })
    await pass()
    t.equal(page.text, 'online available 0support support available;')
  },
)

t.test('options that make no softphone are an error of the component, whatever is below it', async t => {
  const { Presence } = presenceView()
  const page = await openPage(t)
  const softphone = { url: 'no address at all', token: '' }
  const presence = createElement(Presence, { of: 'support' })
  await page.render(
    createElement(Boundary, { attempt: 0 }, createElement(SoftphoneProvider, { softphone }, presence)),
  )
  t.match(page.text, /Invalid URL/)
  t.match(complaints.splice(0).at(-1), /recreate this component tree/)
})

t.test('without a softphone above or given there is nothing to show, and that is said', async t => {
  t.throws(() => renderToString(createElement(phoneView().Phone)), /render a SoftphoneProvider above/)
})

t.test('the desk of docs/react.md works as it is written', async t => {
  const [, code = ''] = /^```jsx\n(.*?)^```$/ms.exec(readFileSync('docs/react.md', 'utf8')) ?? []
  const modules: Record<string, object> = { 'switchhook/react': react, 'switchhook/client': client }
  const body = ts
    .transpile(code, { jsx: ts.JsxEmit.React, target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext })
    .replace(/^import (\{.*?\}) from '(.*?)';$/gm, "const $1 = modules['$2']")
  const { hub, pass, line } = await begin(t)
  const { options } = line()
  // Where a page would find them: a WebSocket, and the time.
  const Here = ({ softphone, ...rest }: react.SoftphoneProviderProps) =>
    createElement(SoftphoneProvider, { softphone: { ...softphone, ...options }, ...rest })
  modules['switchhook/react'] = { ...react, SoftphoneProvider: Here }
  const App = new Function('modules', 'React', 'fetchToken', `${body}\nreturn App`)(modules, React, () => '')
  const page = await openPage(t, { strict: true })
  await page.render(createElement(App))
  await pass()
  t.match(page.text, /^online, available; free in support: 1/)
  await act(async () => void (await hub.call('support')))
  await page.click('+15550199 calls')
  await pass()
  t.match(page.text, /hang up$/)
  await page.click('hang up')
  await page.click('away')
  await pass()
  t.match(page.text, /^online, away; free in support: 0away$/)
})
