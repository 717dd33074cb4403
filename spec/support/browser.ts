// A real browser with softphones in its tabs: headless Chromium, a page that holds one softphone of the SDK as it is
// bundled for browsers, and a line to the hub that can be cut. The page tells of each event as it comes, so that a
// spec awaits what it wants to see. All is taken down with the test.

import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import type { SoftphoneOptions } from '../../src/client/index.js'
import { bundleClient } from './bundle.js'
import { pathOf } from './requires.js'
import { root } from './root.js'

/** What a page has told: an event and its facts. */
export type News = Readonly<Record<string, unknown>>

/** What comes within milliseconds comes within this, or never. */
const patienceMs = 20_000

/** One tab, over all the pages it shows. */
export class Tab {
  readonly page: Page
  readonly told: News[] = []
  readonly #news = new EventEmitter()
  #read = 0

  constructor(page: Page) {
    this.page = page
  }

  hear(news: News): void {
    this.told.push(news)
    this.#news.emit('news')
  }

  /** The next event with these facts; those before it are passed over. */
  async next(wanted: News): Promise<News> {
    const says = (news: News) =>
      Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(news[name], value))
    const signal = AbortSignal.timeout(patienceMs)
    for (;;) {
      while (this.#read < this.told.length) {
        const news = this.told[this.#read++] as News
        if (says(news)) return news
      }
      await once(this.#news, 'news', { signal }).catch(() => {
        throw new Error(`never told ${JSON.stringify(wanted)}, but ${JSON.stringify(this.told)}`)
      })
    }
  }

  /** How often it told of this. */
  count(event: string): number {
    return this.told.filter(news => news.event === event).length
  }

  /** Does something in the page, where `phone` and `calls` (by id) are known. */
  do<T = unknown>(script: string): Promise<T> {
    return this.page.evaluate(script)
  }
}

export interface Browser {
  readonly context: BrowserContext
  /** A new tab with a softphone that connects at once. */
  open(options: Pick<SoftphoneOptions, 'url' | 'status'> & { readonly token: string }): Promise<Tab>
  /** A copy of a tab, its session storage included, as browsers make them. */
  duplicate(tab: Tab): Promise<Tab>
  /** An address of the same origin without a softphone. */
  readonly elsewhere: string
}

const listen = async (t: Test, server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

export const startBrowser = async (t: Test): Promise<Browser> => {
  const client = await bundleClient()
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/phone': ['text/html', readFileSync(join(root, 'spec/support/phone-page.html'), 'utf8')],
    '/client.js': ['text/javascript', client],
    '/elsewhere': ['text/html', '<!doctype html><title>Elsewhere</title>'],
  }
  const pages = createServer(({ url = '' }, response) => {
    const [type, text] = files[new URL(url, 'http://x').pathname] ?? ['text/plain', '']
    response.writeHead(200, { 'content-type': type }).end(text)
  })
  t.teardown(() => pages.closeAllConnections())
  const origin = `http://127.0.0.1:${await listen(t, pages)}`

  const browser = await chromium.launch({
    executablePath: pathOf('chromium') as string,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  const tabs = new Map<Page, Tab>()
  const tabOf = (page: Page): Tab => {
    const tab = tabs.get(page) ?? new Tab(page)
    tabs.set(page, tab)
    return tab
  }
  await context.exposeBinding('tell', ({ page }, news: News) => tabOf(page).hear(news))

  return {
    context,
    elsewhere: `${origin}/elsewhere`,
    async open(options) {
      const page = await context.newPage()
      await page.goto(`${origin}/phone?options=${encodeURIComponent(JSON.stringify(options))}`)
      return tabOf(page)
    },
    async duplicate(tab) {
      // With an opener the storage is copied, as it is by the browser's own command.
      const [page] = await Promise.all([context.waitForEvent('page'), tab.do('void open(location.href)')])
      return tabOf(page)
    },
  }
}

/** A line to a port of this machine that can be cut, so that neither side hears from the other. */
export class Line {
  readonly url: string
  readonly #ends: Set<Socket>
  readonly #state: { up: boolean }

  private constructor(port: number, ends: Set<Socket>, state: { up: boolean }) {
    this.url = `http://127.0.0.1:${port}`
    this.#ends = ends
    this.#state = state
  }

  static async start(t: Test, to: number): Promise<Line> {
    const ends = new Set<Socket>()
    const state = { up: true }
    const server = createTcpServer(near => {
      if (!state.up) return void near.destroy()
      const far = connect(to, '127.0.0.1')
      for (const end of [near, far]) {
        ends.add(end)
        end.on('error', () => {})
        end.on('close', () => {
          ends.delete(end)
          near.destroy()
          far.destroy()
        })
      }
      near.pipe(far).pipe(near)
    })
    const line = new Line(await listen(t, server), ends, state)
    t.teardown(() => line.cut())
    return line
  }

  cut(): void {
    this.#state.up = false
    for (const end of this.#ends) end.destroy()
  }

  mend(): void {
    this.#state.up = true
  }
}
