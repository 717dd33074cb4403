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
import { createServer as createTlsServer } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import type { SoftphoneOptions } from '../../src/client/index.js'
import { bundleClient } from './bundle.js'
import { pathOf } from './requires.js'
import { root } from './root.js'

/** What a page has told: an event and its facts. */
export type News = Readonly<Record<string, unknown>>

const says = (news: News, wanted: News): boolean =>
  Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(news[name], value))

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
    const signal = AbortSignal.timeout(patienceMs)
    for (;;) {
      while (this.#read < this.told.length) {
        const news = this.told[this.#read++] as News
        if (says(news, wanted)) return news
      }
      await this.#more(wanted, signal)
    }
  }

  /** The first event with these facts, were it told before or not. */
  async ever(wanted: News): Promise<News> {
    const signal = AbortSignal.timeout(patienceMs)
    for (;;) {
      const found = this.told.find(news => says(news, wanted))
      if (found !== undefined) return found
      await this.#more(wanted, signal)
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

  async #more(wanted: News, signal: AbortSignal): Promise<void> {
    await once(this.#news, 'news', { signal }).catch(() => {
      throw new Error(`never told ${JSON.stringify(wanted)}, but ${JSON.stringify(this.told.slice(-12))}`)
    })
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

/** A file that a browser is given: its type, and what it holds. */
export type File = readonly [type: string, text: string]

/** Files for a browser, by their paths; the port they are at. What is nowhere is empty. */
export const serveFiles = async (t: Test, files: Readonly<Record<string, File>>): Promise<number> => {
  const pages = createServer(({ url = '' }, response) => {
    const [type, text] = files[new URL(url, 'http://x').pathname] ?? ['text/plain', '']
    response.writeHead(200, { 'content-type': type }).end(text)
  })
  t.teardown(() => pages.closeAllConnections())
  return listen(t, pages)
}

/** A browser of one profile; `tabOf` gives the tab of a page, which hears what the page says to `tell`. */
export const launchBrowser = async (t: Test, ...flags: readonly string[]) => {
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
      ...flags,
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
  return { context, tabOf }
}

export const startBrowser = async (t: Test): Promise<Browser> => {
  const port = await serveFiles(t, {
    '/phone': ['text/html', readFileSync(join(root, 'spec/support/phone-page.html'), 'utf8')],
    '/client.js': ['text/javascript', await bundleClient()],
    '/elsewhere': ['text/html', '<!doctype html><title>Elsewhere</title>'],
  })
  const origin = `http://127.0.0.1:${port}`
  const { context, tabOf } = await launchBrowser(t)
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

const certificate = () => {
  const read = (name: string) => readFileSync(join(root, `spec/support/tls/${name}.pem`))
  return { cert: read('cert'), key: read('key') }
}

/** A line to a port of this machine that can be cut, so that neither side hears from the other. */
export class Line {
  readonly url: string
  readonly port: number
  readonly #ends: Set<Socket>
  readonly #state: { up: boolean }

  private constructor(port: number, ends: Set<Socket>, state: { up: boolean }) {
    this.url = `http://127.0.0.1:${port}`
    this.port = port
    this.#ends = ends
    this.#state = state
  }

  /** `tls`: the near end speaks it, with a certificate that nobody vouches for. */
  static async start(t: Test, to: number, { tls = false } = {}): Promise<Line> {
    const ends = new Set<Socket>()
    const state = { up: true }
    const splice = (near: Socket): void => {
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
    }
    const server = tls ? createTlsServer(certificate(), splice) : createTcpServer(splice)
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
