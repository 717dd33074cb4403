// Softphones of every kind in the tabs of a real browser, each as its SDK is published and with the lines that
// docs/softphones.md (docs/sdk.md for our own) says connect it: the page's text is what runs here. All are driven in
// the same words, spec/support/softphones/page.js. Sound comes from the browser's own test microphone.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type File, Line, launchBrowser, type News, serveFiles, type Tab } from './browser.js'
import { bundleClient, bundleModule } from './bundle.js'
import { root } from './root.js'

export type Kind = 'native' | 'voice' | 'jssip' | 'sipjs'
export const kinds: readonly Kind[] = ['native', 'voice', 'jssip', 'sipjs']

/** What each kind is imported as, where the lines that connect it are, and what they declare. */
const sdks = {
  native: { name: 'switchhook/client', page: 'docs/sdk.md', block: 1, declare: 'answer, dial, phone' },
  voice: { name: '@twilio/voice-sdk', page: 'docs/softphones.md', block: 0, declare: 'device, dial' },
  jssip: { name: 'jssip', page: 'docs/softphones.md', block: 0, declare: 'dial, ua' },
  sipjs: { name: 'sip.js', page: 'docs/softphones.md', block: 0, declare: 'dial, registerer, userAgent' },
} as const

export interface SoftphoneFacts {
  readonly kind: Kind
  readonly account: string
  readonly token: string
  /** The near end of a line to the hub. */
  readonly port: number
  /** A voice SDK whose descriptions have their candidates, by the lines for that. */
  readonly whole?: boolean
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The lines that connect a softphone, as they stand on their page but for who it is and where the hub is. */
const snippetOf = ({ kind, account, port, whole = false }: SoftphoneFacts): string => {
  const { name, page, block, declare } = sdks[kind]
  const blocks = [...read(page).matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => String(code))
  const code = blocks.filter(code => code.includes(` from '${name}'`))[whole ? block + 1 : block]
  if (code === undefined) throw new Error(`${page} has no lines that connect ${name}`)
  const here = code
    .replace(/(?<!@)hub\.example/g, `localhost:${port}`)
    .replaceAll('alice@', `${account}@`)
    .replace(/\{ iceServers: \[\{ urls: .*?\}\] \}/, '')
  return `${here}\nexport { ${declare} }\n`
}

/** What a package gives to whoever imports it, as one module for browsers. */
const bundlePackage = (name: string): Promise<string> =>
  bundleModule(fileURLToPath(import.meta.resolve(name)))

const script = (text: string): File => ['text/javascript', text]

/** A page of one kind, that takes its lines from `snippet`. */
const pageOf = (kind: Kind, snippet: string): File => {
  const sources = Object.entries(sdks).map(([kind, { name }]) => [name, `/sdk/${kind}.js`])
  const imports = Object.fromEntries([...sources, ['snippet', snippet]])
  return [
    'text/html',
    `<!doctype html><title>${kind}</title><script src="/page.js"></script>
    ${kind === 'voice' ? '<script src="/twilio.js"></script>' : ''}
    <script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module" src="/driver/${kind}.js"></script>`,
  ]
}

type Word =
  | 'register'
  | 'unregister'
  | 'watch'
  | 'away'
  | 'call'
  | 'answer'
  | 'reject'
  | 'hangup'
  | 'cancel'
  | 'press'
  | 'transfer'
  | 'say'
  | 'hold'
  | 'unhold'
  | 'listen'

/** One softphone in its tab. Events are awaited in the order in which they come; each call has one `ended`. */
export class Softphone {
  readonly kind: Kind
  readonly account: string
  readonly tab: Tab

  constructor({ kind, account }: SoftphoneFacts, tab: Tab) {
    this.kind = kind
    this.account = account
    this.tab = tab
  }

  /** Does what its user would; `call` and `watch` name somebody. */
  async does(word: Word, whom?: string): Promise<void> {
    await this.tab.do(`(async () => void (await phone.${word}(${whom === undefined ? '' : `'${whom}'`})))()`)
  }

  next(event: string, facts: News = {}): Promise<News> {
    return this.tab.next({ event, ...facts }).catch(error => {
      throw new Error(`${this.account}: ${error.message}`)
    })
  }

  /** More than 50 packets of sound have come and gone. */
  async hears(): Promise<News> {
    await this.does('listen')
    return this.next('audio')
  }
}

export interface Softphones {
  /** A line to the hub with TLS, which the voice SDK insists on. */
  line(): Promise<Line>
  /** A tab with a softphone that has registered. */
  open(facts: SoftphoneFacts): Promise<Softphone>
}

/** `port`: where the hub is. */
export const startSoftphones = async (t: Test, port: number): Promise<Softphones> => {
  const [native, jssip, sipjs] = await Promise.all([
    bundleClient(),
    bundlePackage('jssip'),
    bundlePackage('sip.js'),
  ])
  const files: Record<string, File> = {
    '/page.js': script(read('spec/support/softphones/page.js')),
    '/twilio.js': script(read('node_modules/@twilio/voice-sdk/dist/twilio.js')),
    '/sdk/native.js': script(native),
    '/sdk/voice.js': script('export const { Call, Device, TwilioError } = globalThis.Twilio'),
    '/sdk/jssip.js': script(jssip),
    '/sdk/sipjs.js': script(sipjs),
  }
  for (const kind of kinds) {
    files[`/driver/${kind}.js`] = script(read(`spec/support/softphones/${kind}.js`))
  }
  const origin = `http://localhost:${await serveFiles(t, files)}`
  const { context, tabOf } = await launchBrowser(
    t,
    '--ignore-certificate-errors',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    '--allow-loopback-in-peer-connection',
  )
  let count = 0
  return {
    line: () => Line.start(t, port, { tls: true }),
    async open(facts) {
      const path = `/${facts.kind}-${++count}`
      files[path] = pageOf(facts.kind, `${path}.js`)
      files[`${path}.js`] = script(snippetOf(facts))
      const page = await context.newPage()
      await page.goto(`${origin}${path}?options=${encodeURIComponent(JSON.stringify(facts))}`)
      const softphone = new Softphone(facts, tabOf(page))
      await softphone.next('registered')
      return softphone
    },
  }
}
