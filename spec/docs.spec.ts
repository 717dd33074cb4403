// What the documentation says is done: every fenced block of README.md and docs/ is run, read or evaluated here, and
// one of a kind that is not known here fails. Commands run in this process, against the hub that an earlier one of
// the same page began; long ones stay until the page is over, and every phone answers what rings.

import assert from 'node:assert/strict'
import { type ExecFileException, execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import express from 'express'
import * as jose from 'jose'
import t, { type Test } from 'tap'
import twilio from 'twilio'
import { WebSocket } from 'ws'
import * as client from '../src/client/index.js'
import { readConfig } from '../src/config.js'
import { accessTokenType } from '../src/gateway/token/access-token.js'
import { readClaims } from '../src/gateway/token/forms.js'
import * as hub from '../src/index.js'
import { decode, hubFrames, Refused, Resource } from '../src/protocol/index.js'
import { readInstructions } from '../src/router/instructions/index.js'
import { check } from '../src/runtime/index.js'
import * as testing from '../src/testing/index.js'
import { Microphone, Peer } from './support/audio.js'
import { type Command, CommandLines } from './support/command-lines.js'
import { configOf, secret, startHub, tokenOf } from './support/hub.js'
import { createTerminal, type Terminal } from './support/terminal.js'

interface Block {
  readonly at: string
  readonly language: string
  readonly text: string
}

const pages = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]
const text = (page: string): string => readFileSync(page, 'utf8')

const blocksOf = (page: string): Block[] =>
  [...text(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: inner = '', index }) => ({
    at: `${page}:${text(page).slice(0, index).split('\n').length}`,
    language,
    text: inner,
  }))

/** A page without its snippets. */
const proseOf = (page: string): string => text(page).replace(/^```.*?^```$/gms, '')

/** Blocks of these are no code: drawings. There is one on each. */
const drawn: ReadonlySet<string> = new Set(['README.md', 'docs/architecture.md'])

/** What stands at the head of each line that a command says, whatever the numbers, and however many bars there are. */
const headsOf = (said: string): string[] =>
  said
    .trimEnd()
    .split('\n')
    .map(line => String(line.trim().split(/\s+/)[0]).replace(/^\d+$/, 'N'))
    .filter((head, at, heads) => head !== heads[at - 1])

/** What stands for the address and the secret of the hub that a reader started. */
const documented = { url: 'http://127.0.0.1:8080', secret: /\bSECRET\b/ }

/** One page's commands, in one folder, with whatever keeps running. */
class Session {
  readonly lines = new CommandLines(command => this.#run(command))
  readonly #t: Test
  readonly #dir: string
  #running: { readonly said: string; readonly terminal: Terminal; readonly exit: Promise<number> }[] = []
  readonly #ran: string[] = []
  #hub = { url: documented.url, secret: 'SECRET' }

  constructor(t: Test) {
    this.#t = t
    this.#dir = t.testdir()
    t.teardown(() => this.#stop())
  }

  /** Ends what keeps running, the latest first: each by a signal, and in good order. */
  async end(): Promise<void> {
    for (const { said, code, terminal } of await this.#stop()) {
      this.#t.equal(code, 0, `${said}: ${terminal.stderr.text}`)
    }
  }

  /** A unit of systemd: its command is one of ours, with flags that are there, and has the time that it needs. */
  async reads(unit: string): Promise<void> {
    const settings = new Map(
      [...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, String(value)]),
    )
    const [, command = '', rest = ''] = /\/switchhook (\w+) (.*)$/.exec(settings.get('ExecStart') ?? '') ?? []
    const terminal = createTerminal()
    this.#t.equal(await terminal.run(command, '--help'), 0)
    for (const [flag] of rest.matchAll(/--[a-z-]+/g)) this.#t.match(terminal.stdout.text, flag)
    const { drainMs } = JSON.parse(readFileSync(join(this.#dir, 'switchhook.json'), 'utf8'))
    this.#t.ok(Number(settings.get('TimeoutStopSec')) * 1000 > drainMs, 'it stops after it has drained')
    this.#t.match(settings.get('ExecReload'), /-HUP/)
  }

  /** The commands of `switchhook` so far. */
  get ran(): readonly string[] {
    return this.#ran
  }

  /** Keeps a file for the commands that come. */
  write(name: string, content: string): void {
    writeFileSync(join(this.#dir, name), content)
  }

  async #stop() {
    const running = this.#running.reverse()
    this.#running = []
    const ended = []
    for (const one of running) {
      one.terminal.signal('SIGINT')
      ended.push({ ...one, code: await one.exit })
    }
    return ended
  }

  async #run({ name, args, env }: Command): Promise<string> {
    if (name === 'npx' && args[0] === 'switchhook') return this.#switchhook(args.slice(1), env)
    if (name === 'curl') return this.#curl(args)
    if (name === 'openssl') return randomBytes(Number(args.at(-1))).toString('base64')
    if (name === 'npm' && args[0] === 'ci') return ''
    // The specs and the benchmarks are run elsewhere, and known by these names.
    const script = name === 'npm' && (args[0] === 'run' ? args[1] : args[0])
    if (script === 'test' || script === 'bench') {
      this.#t.ok(JSON.parse(text('package.json')).scripts[script])
      return ''
    }
    throw new Error(`nobody knows here how to run ${name} ${args.join(' ')}`)
  }

  #actual(word: string): string {
    return word.replace(documented.url, this.#hub.url).replace(documented.secret, this.#hub.secret)
  }

  async #switchhook(words: readonly string[], env: Command['env']): Promise<string> {
    const args = words.map(word => this.#actual(word))
    const [command = ''] = args
    this.#ran.push(command)
    const terminal = createTerminal({
      cwd: this.#dir,
      env: {
        ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, this.#actual(value)])),
        NO_COLOR: '1',
      },
      screen: [80, 24],
    })
    if (command === 'serve') return this.#serve(terminal, args)
    if (command === 'phone') return this.#background(terminal, args, /registered as/)
    if (command === 'watch') return this.#background(terminal, args, /version/)
    const simulate = ['--phones', '3', '--calls', '5', '--rate', '50', '--answer', '5ms', '--talk', '5ms']
    const more = { demo: ['--fast'], call: ['--hangup-after', '10ms'], simulate }[command] ?? []
    const exit = await terminal.run(...args, ...(args.includes('--explain') ? [] : more))
    this.#t.equal(exit, 0, `${args.join(' ')}: ${terminal.stderr.text}`)
    if (command === 'call' && !args.includes('--explain'))
      this.#t.match(terminal.stdout.text, /answered by alice/)
    this.#t.ok(command === 'token' || terminal.stdout.lines.every(line => line.length <= 80))
    return terminal.stdout.text
  }

  async #serve(terminal: Terminal, args: readonly string[]): Promise<string> {
    const shown = await this.#background(terminal, [...args, '--port', '0'], /listening on http/)
    const [, url = ''] = /(http:\/\/[\d.:]+)/.exec(shown) ?? []
    if (args.includes('--dev')) await terminal.stdout.until('numbers to call')
    const [, secret = 'SECRET'] = /secret ([\w-]+)/.exec(terminal.stdout.text) ?? []
    this.#hub = { url, secret }
    return shown
  }

  async #background(terminal: Terminal, args: readonly string[], sign: RegExp): Promise<string> {
    const exit = terminal.run(...args)
    this.#running.push({ said: args.join(' '), terminal, exit })
    const early = exit.then(code => Promise.reject(new Error(`exit ${code}: ${terminal.stderr.text}`)))
    await Promise.race([terminal.stdout.until(sign), early])
    void terminal.stdout.until('\x07').then(() => terminal.stdin.write('a\n'))
    return terminal.stdout.text
  }

  /** One request, as `curl` makes it; only the flags that are documented. */
  async #curl(args: readonly string[]): Promise<string> {
    const headers = new Headers()
    const request: { method?: string; body?: string } = {}
    let url = ''
    for (let index = 0; index < args.length; index++) {
      const value = String(args[index + 1])
      if (args[index] === '-X') request.method = value
      else if (args[index] === '-H')
        headers.append(value.slice(0, value.indexOf(':')), value.split(': ')[1] ?? '')
      else if (args[index] === '-d') request.body = value
      else if (args[index]?.startsWith('-')) throw new Error(`nobody knows curl ${args[index]} here`)
      else {
        url = this.#actual(String(args[index]))
        continue
      }
      index++
    }
    const response = await fetch(url, { ...request, headers })
    const said = await response.text()
    this.#t.equal(response.status, request.method === 'POST' ? 201 : 200, said)
    return said
  }
}

const modules: Readonly<Record<string, object>> = {
  switchhook: hub,
  'switchhook/client': client,
  'switchhook/testing': testing,
  'node:assert/strict': assert,
  jose,
}

/** Runs a JavaScript example with `given` as what it leaves to its reader; what it declares. */
const evaluate = async <T>(code: string, given: Readonly<Record<string, unknown>>): Promise<T> => {
  const body = code.replace(/^import (\w+|\{.*?\}) from '(.*?)'$/gm, (_, names, from) =>
    from in modules ? `const ${names} = modules['${from}']` : '',
  )
  const declared = [...code.matchAll(/^const (?:(\w+)|\{ (.*?) \})/gm)].map(([, one, many]) => one ?? many)
  const AsyncFunction = (async () => {}).constructor as new (
    ...source: string[]
  ) => (...values: unknown[]) => Promise<T>
  const names = ['modules', ...Object.keys(given)]
  return new AsyncFunction(...names, `${body}\nreturn { ${declared.join(', ')} }`)(
    modules,
    ...Object.values(given),
  )
}

const withSecret = { env: { ACME_SECRET: secret } }

type Example = (t: Test, code: string) => Promise<void>

/** A hub takes the token, as that of a phone of alice's. */
const lets = async (t: Test, token: string): Promise<void> => {
  const world = await startHub(t, configOf({ keys: [{ kid: 'k1', alg: 'HS256', secret }] }))
  const phone = new client.Softphone({
    url: world.listening.url,
    token,
    device: 'web',
    WebSocket: WebSocket as unknown as client.WebSocketConstructor,
  })
  t.match(await phone.connect(), { account: 'alice', canReceive: true })
  await phone.close()
}

/** By what an example imports. */
const examples: Readonly<Record<string, Example>> = {
  async switchhook(t, code) {
    const made = await evaluate<{ hub: hub.Hub; url: string }>(code.replace('port: 8080', 'port: 0'), {
      process: withSecret,
    })
    t.teardown(() => made.hub.close())
    t.match(await (await fetch(`${made.url}/healthz`)).text(), /ok/)
  },

  async twilio(t, code) {
    const heard: unknown[][] = []
    let news = () => {}
    const app = express()
    await evaluate(code, {
      app,
      twilio,
      authToken: secret,
      form: express.urlencoded({ extended: false }),
      text: express.text({ type: 'application/json' }),
      heard: (...facts: unknown[]) => {
        heard.push(facts)
        news()
      },
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const webhooks = [{ url: `${url}/presence`, destinations: ['alice'] }]
    const world = await startHub(t, configOf({ authToken: secret, webhooks }))
    const api = await world.api()
    const { call } = await api.place({ to: 'nobody', from: '', statusCallback: `${url}/status` } as never)
    while (heard.length < 3) await new Promise<void>(resolve => (news = resolve))
    t.match(new Set(heard.map(facts => facts.join(' '))), new Set([`${call} 0 no-answer`, 'alice 0 offline']))
    const forged = await fetch(`${url}/presence`, {
      method: 'POST',
      headers: { 'x-twilio-signature': 'x' },
      body: '{}',
    })
    t.equal(forged.status, 403)
  },

  async 'switchhook/client'(t, code) {
    const world = await startHub(t)
    const shown: unknown[] = []
    const made = await evaluate<{
      phone: client.Softphone
      support?: client.Watch
      answer?: (call: client.Call) => Promise<void>
      dial?: (to: string) => Promise<void>
    }>(
      code.replace('https://hub.example', world.listening.url).replace('device: tabDevice', '$&, WebSocket'),
      {
        WebSocket,
        fetchToken: () => tokenOf('alice'),
        answerTo: async (sdp: string) => `answer to ${sdp}`,
        show: (...facts: unknown[]) => shown.push(facts),
        console: { log: (line: string) => shown.push(line) },
        navigator: { mediaDevices: { getUserMedia: async () => new Microphone() } },
        RTCPeerConnection: Peer,
        ring: (call: client.Call) => made.answer?.(call),
      },
    )
    const { phone, support, dial } = made
    t.teardown(() => phone.close())
    const api = await world.api()
    const { call } = await api.place({ to: 'alice', from: '+15550199', sdp: 'offer' })
    const told: string[] = []
    for await (const { type, data } of api.events(call)) {
      told.push(type)
      if (type !== 'answered') continue
      t.match(data, { sdp: 'answer to offer', by: { account: 'alice' } })
      await api.hangup(call)
    }
    t.match(told.slice(-2), ['answered', 'ended'])
    if (support !== undefined) {
      t.ok(shown.includes('+15550199 calls'))
      if (support.resource === undefined) await new Promise(resolve => support.on('change', resolve))
      t.match(shown.find(Array.isArray), ['offline', 0])
    }
    if (dial !== undefined) {
      const bob = await world.phone('bob')
      bob.softphone.on('invite', async incoming => {
        t.equal(incoming.sdp, 'offer')
        await incoming.accept({ sdp: 'answer of bob' })
        await incoming.hangup()
      })
      await dial('bob')
      t.match(Peer.made.at(-1)?.remote, { type: 'answer', sdp: 'answer of bob' })
      for (const { closed, microphone } of Peer.made) t.match([closed, microphone?.stopped], [true, true])
    }
  },

  async 'switchhook/testing'(t, code) {
    const tests: Promise<unknown>[] = []
    const test = (title: string, run: () => Promise<void>) => tests.push(t.test(title, run))
    await evaluate(code, { test })
    t.equal((await Promise.all(tests)).length, 1)
  },

  async jose(t, code) {
    const printed: string[] = []
    const console = { log: (line: string) => printed.push(line) }
    await evaluate(code, { process: withSecret, console })
    await lets(t, String(printed[0]))
  },
}

/** What a page's examples import, where a browser runs them: spec/browser/crossing.spec.ts. */
const inBrowsers: Readonly<Record<string, ReadonlySet<string>>> = {
  'docs/softphones.md': new Set(['@twilio/voice-sdk', 'jssip', 'sip.js']),
}

/** Programs in other languages that mint a token, by how they are run. */
const interpreters: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  python: ['python3', 'mint.py'],
  php: ['php', 'mint.php'],
  go: ['go', 'run', 'mint.go'],
}

/** Runs a program, and has a hub take the token that it prints. Where its language is not there it is skipped, and says so. */
const mints = async (
  t: Test,
  [command, ...args]: readonly [string, ...string[]],
  code: string,
): Promise<void> => {
  const cwd = t.testdir({ [String(args.at(-1))]: code })
  const env = { ...process.env, ACME_SECRET: secret }
  const { error, out } = await new Promise<{ error: ExecFileException | null; out: string }>(resolve =>
    execFile(command, args, { cwd, env }, (error, out) => resolve({ error, out })),
  )
  if (error?.code === 'ENOENT' && !process.env.REQUIRE_ALL)
    t.pass('it mints', { skip: `${command} is not on this machine` })
  else {
    t.equal(error, null)
    await lets(t, out.trim())
  }
}

const resourceOf = check(Resource)
const refusalOf = check(Refused)

/** A frame of either side. */
const readFrame = (frame: object & { type?: unknown }) =>
  frame.type !== undefined && String(frame.type) in hubFrames
    ? check(hubFrames[frame.type as keyof typeof hubFrames])(frame)
    : decode(JSON.stringify(frame))

/** What a JSON block is, by what it has. */
const readJson = (value: object) => {
  if ('tenants' in value) return readConfig(value, { dir: '.', ...withSecret })
  if ('members' in value) {
    const tenant = { keys: [{ alg: 'HS256', secret }], groups: { support: value } }
    return readConfig({ tenants: { acme: tenant } }, { dir: '.', env: {} })
  }
  if ('steps' in value) return readInstructions({ json: value })
  if ('iss' in value) return readClaims({ ...('grants' in value && { cty: accessTokenType }) }, value)
  if ('type' in value) return readFrame(value)
  if ('error' in value) return refusalOf(value)
  return resourceOf(value)
}

for (const page of pages) {
  t.test(`what ${page} shows is so`, async t => {
    const blocks = blocksOf(page)
    const session = new Session(t)
    const fences = text(page).match(/^\s*(?:`{3,}|~{3,})/gm) ?? []
    t.equal(fences.length, 2 * blocks.length, 'every fence is one of those that are read here')
    t.notMatch(proseOf(page), /^(?: {4}|\t)\S/m, 'and no snippet is without one')
    for (const alone of ['', 'jsx', 'ini']) {
      t.ok(blocks.filter(({ language }) => language === alone).length <= 1, `${alone}: the one that is known`)
    }
    let said = ''
    for (const { language, text } of blocks) {
      if (language === 'json' && 'tenants' in JSON.parse(text)) session.write('switchhook.json', text)
    }
    if (page !== 'README.md') {
      session.lines.env.ACME_SECRET = secret
    }
    for (const { at, language, text } of blocks) {
      if (language === 'sh') said = await session.lines.run(text)
      else if (language === 'json') t.match(readJson(JSON.parse(text)), { ok: true }, at)
      else if (language === 'xml')
        t.match(readInstructions({ twiml: text }), { ok: true, value: { warnings: [] } }, at)
      else if (language === 'js') {
        const from = [...text.matchAll(/ from '(.*?)'$/gm)].map(([, name]) => String(name))
        const [about, ...others] = from.filter(name => !name.startsWith('node:'))
        if (inBrowsers[page]?.has(String(about))) continue
        const example = examples[String(about)]
        t.ok(example && others.length === 0, `${at} is an example that is known here`)
        await t.test(at, t => example?.(t, text) ?? Promise.resolve())
      } else if (interpreters[language] !== undefined) {
        const how = interpreters[language]
        await t.test(at, t => mints(t, how, text))
      } else if (language === 'ini') await session.reads(text)
      else if (language === 'mermaid') t.equal(page, 'docs/machines.md', 'drawn by spec/machines.spec.ts')
      else if (language === 'jsx') t.equal(page, 'docs/react.md', 'rendered by spec/react/hooks.spec.ts')
      else if (language === 'promql') {
        const [metric = '', name = ''] = /\bswitchhook_\w+(?=\{limit=~"(\w+))/.exec(text) ?? []
        t.match(readFileSync('docs/operations.md', 'utf8'), `| \`${metric}\` |`, at)
        t.match(readFileSync(page, 'utf8'), `| \`${name}`, at)
      } else if (drawn.has(page)) t.equal(language + /^\s*(\$|npx|npm|switchhook) /m.exec(text), 'null', at)
      else {
        const shown = headsOf(text)
        t.same(
          [language, shown],
          ['', headsOf(said).slice(-shown.length)],
          `${at} is what the command says last`,
        )
      }
    }
    await session.end()
    if (page === 'README.md') {
      t.same(
        new Set(session.ran),
        new Set(['demo', 'serve', 'token', 'phone', 'call', 'watch']),
        'every command',
      )
    }
  })
}

t.test('no page that is not read above has a snippet', async t => {
  for (const page of ['SECURITY.md', 'CHANGELOG.md']) t.same(blocksOf(page), [])
})

t.test('commands, flags, files and links that the text names are there', async t => {
  const helps = new Map<string, string>()
  const helpOf = async (command: string): Promise<string> => {
    const terminal = createTerminal()
    if (!helps.has(command) && (await terminal.run(command, '--help')) === 0)
      helps.set(command, terminal.stdout.text)
    return helps.get(command) ?? ''
  }
  const headings = (page: string): string[] =>
    [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      String(title)
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    )
  for (const page of [...pages, 'SECURITY.md', 'CHANGELOG.md']) {
    const prose = proseOf(page)
    for (const [span, command = '', rest = ''] of prose.matchAll(/`(?:npx )?switchhook (\w+)([^`]*)`/g)) {
      const help = await helpOf(command)
      t.match(help, /^Usage: switchhook/, `${page}: ${span}`)
      for (const [flag] of rest.matchAll(/--[a-z-]+/g)) t.match(help, flag, `${page}: ${span}`)
    }
    for (const [, target = '', anchor] of prose.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const linked = target === '' ? page : join(dirname(page), target)
      t.ok(existsSync(linked), `${page} links ${target}`)
      if (anchor !== undefined) t.ok(headings(linked).includes(anchor), `${page} links ${target}#${anchor}`)
    }
    for (const [, path = ''] of prose.matchAll(/`((?:src|spec|docs)\/[\w./-]+)`/g)) {
      t.ok(existsSync(path), `${page} names ${path}`)
    }
  }
})
