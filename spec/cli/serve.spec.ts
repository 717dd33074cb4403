import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HubApi } from '../../src/client/index.js'
import { secret, tokenOf } from '../support/hub.js'
import { createTerminal, type TerminalOptions } from '../support/terminal.js'

const keys = [{ kid: 'k1', alg: 'HS256', secret }]

/** A folder with a configuration in it. */
const folder = (t: Test, config: unknown): string => {
  const dir = t.testdir({ 'hub.json': typeof config === 'string' ? config : JSON.stringify(config) })
  return dir
}

/** A hub that serves; it is stopped by the signal that the test sends. */
const serving = async (args: readonly string[], options?: TerminalOptions) => {
  const terminal = createTerminal(options)
  const exit = terminal.run('serve', '--json', ...args)
  await terminal.stdout.until(/\n/)
  const [listening] = terminal.stdout.events
  return { terminal, exit, listening: listening as { event: string; url: string } & Record<string, unknown> }
}

t.test('serve says in one line where it listens, and drains and exits 0 on SIGTERM', async t => {
  const cwd = folder(t, { listen: { port: 1 }, tenants: { acme: { keys } } })
  const { terminal, exit, listening } = await serving(
    ['--config', 'hub.json', '--port', '0', '--host', '127.0.0.1'],
    {
      cwd,
    },
  )
  const port = new URL(listening.url).port
  t.not(port, '1', 'flags win over the file')
  t.strictSame(listening, {
    event: 'listening',
    url: `http://127.0.0.1:${port}`,
    socket: `ws://127.0.0.1:${port}/v1/socket`,
    pid: 4242,
  })
  t.equal((await fetch(`${listening.url}/healthz`)).status, 200)
  terminal.signal('SIGTERM')
  t.equal(await exit, 0)
  t.match(terminal.stdout.events.slice(1), [
    { event: 'draining', signal: 'SIGTERM' },
    { event: 'stopped', signal: 'SIGTERM' },
  ])
  await t.rejects(fetch(`${listening.url}/healthz`))
})

t.test('[FC5] a second signal does not wait for the drain, and exits with its own code', async t => {
  const { terminal, exit, listening } = await serving(['--dev', '--port', '0'])
  const { dev, url } = listening as unknown as {
    url: string
    dev: { tenant: string; kid: string; secret: string }
  }
  const token = createTerminal()
  const flags = ['--tenant', dev.tenant, '--kid', dev.kid, '--secret', dev.secret, '--account', 'carrier']
  await token.run('token', ...flags, '--scope', 'call:inbound')
  const api = new HubApi({ url, token: token.stdout.text.trim() })
  const pausing = { steps: [{ pause: { ms: 60_000 } }] }
  const { call } = await api.place({ to: 'x', from: 'y', instructions: pausing })
  terminal.signal('SIGINT')
  await terminal.stdout.until(/draining/)
  terminal.signal('SIGTERM')
  t.equal(await exit, 143)
  await api.hangup(call)
  const other = createTerminal()
  const run = other.run('serve', '--dev', '--port', '0')
  other.signal('SIGINT')
  other.signal('SIGINT')
  t.equal(await run, 130, 'even while it starts')
})

t.test('[FC4] a fault that nobody caught is logged; the hub drains, and exits 1', async t => {
  const { terminal, exit } = await serving(['--dev', '--port', '0'])
  terminal.signal('uncaughtException', new Error('out of order'))
  t.equal(await exit, 1)
  t.match(terminal.stderr.lines[0], 'switchhook: out of order')
  t.match(JSON.parse(terminal.stderr.lines[1] ?? ''), { level: 50, error: { message: 'out of order' } })
  t.match(terminal.stdout.events.at(-1), { event: 'stopped' })
})

t.test('serve --dev prints lines to copy, within 80 columns, whose token the hub takes', async t => {
  const terminal = createTerminal({ screen: [80, 24], env: { NO_COLOR: '1' } })
  const exit = terminal.run('serve', '--dev', '--port', '0')
  await terminal.stdout.until(/numbers to call[\s\S]*\+15550102/)
  t.match(terminal.stdout.lines[0], /^listening on http:\/\/127\.0\.0\.1:\d+ \(process 4242\)$/)
  t.ok(terminal.stdout.lines.every(({ length }) => length <= 80))
  const copied = terminal.stdout.text.replaceAll('\\\n', '')
  const [, url = ''] = /SWITCHHOOK_URL=(\S+)/.exec(copied) ?? []
  const [, flags = ''] = /switchhook token\s+(.* alice .*)\)/.exec(copied) ?? []
  const token = createTerminal()
  t.equal(await token.run('token', ...flags.trim().split(/\s+/), '--scope', 'presence:read'), 0)
  const api = new HubApi({ url, token: token.stdout.text.trim() })
  t.match(await api.presence('support'), { kind: 'group', status: 'offline' })
  terminal.signal('SIGTERM')
  t.equal(await exit, 0)
  t.match(terminal.stdout.text, /SIGTERM: draining; once more stops at once\nstopped\n$/)
})

t.test('serve --dev adds its tenant to a configuration, unless that has one of the name', async t => {
  const cwd = t.testdir({
    'hub.json': JSON.stringify({ tenants: { acme: { keys } } }),
    'dev.json': JSON.stringify({ tenants: { dev: { keys } } }),
  })
  const { terminal, exit } = await serving(['--dev', '--config', 'hub.json', '--port', '0'], { cwd })
  terminal.signal('SIGTERM')
  t.equal(await exit, 0)
  const refused = createTerminal({ cwd })
  t.equal(await refused.run('serve', '--dev', '--config', 'dev.json', '--port', '0'), 2)
  t.equal(refused.stderr.text, 'switchhook: dev.json: tenants.dev is the name of the tenant of --dev\n')
})

t.test('every fault of a configuration is a line with its path, and exits 2', async t => {
  const cwd = t.testdir({
    'faults.json': JSON.stringify({ listen: { port: -1 }, tenants: { acme: { keys: [], colour: 'red' } } }),
    'late.json': JSON.stringify({
      tenants: {
        acme: {
          keys: [{ alg: 'ES256', publicKey: 'none' }],
          routes: [{ to: '1', instructions: { twiml: '<Response><Fax/></Response>' } }],
        },
      },
    }),
    'text.json': '{',
    'tls.json': JSON.stringify({ listen: { tls: { cert: 'text.json', key: 'text.json' } } }),
    'env.json': JSON.stringify({ tenants: { acme: { keys: [{ alg: 'HS256', secret: { env: 'KEY' } }] } } }),
  })
  const cases: [string, RegExp[]][] = [
    [
      'faults.json',
      [/^switchhook: faults\.json: listen\.port /, /tenants\.acme\.keys /, /tenants\.acme\.colour /],
    ],
    [
      'late.json',
      [
        /^switchhook: late\.json: tenants\.acme\.keys\[0\]\.publicKey /,
        /tenants\.acme\.routes\[0\]\.instructions.*Fax/,
      ],
    ],
    ['text.json', [/^switchhook: text\.json is not JSON/]],
    [
      'env.json',
      [/^switchhook: env\.json: tenants\.acme\.keys\[0\]\.secret\.env names KEY, which is not set$/],
    ],
    ['tls.json', [/^switchhook: tls\.json: listen\.tls /]],
    ['none.json', [/^switchhook: none\.json cannot be read \(ENOENT\)$/]],
  ]
  for (const [file, patterns] of cases) {
    const terminal = createTerminal({ cwd })
    t.equal(await terminal.run('serve', '--config', file), 2, file)
    t.equal(terminal.stderr.lines.length, patterns.length, terminal.stderr.text)
    for (const pattern of patterns)
      t.ok(
        terminal.stderr.lines.some(line => pattern.test(line)),
        `${file} ${pattern}`,
      )
    t.equal(terminal.stdout.text, '')
  }
})

t.test('a port or host that can not be listened on is named', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  const terminal = createTerminal()
  t.equal(await terminal.run('serve', '--dev', '--json', '--port', String(port)), 1)
  t.equal(terminal.stderr.text, `switchhook: --port ${port}: the port is in use on 127.0.0.1\n`)
  t.equal(terminal.stdout.text, '')
  const elsewhere = createTerminal()
  t.equal(await elsewhere.run('serve', '--dev', '--port', '0', '--host', '192.0.2.1'), 1)
  t.match(elsewhere.stderr.text, /^switchhook: --host 192\.0\.2\.1: cannot listen on it \(E\w+\)\n$/)
})

t.test('[FD3] a dataDir is made by serve; one that can not be had is named, with who has it', async t => {
  const cwd = t.testdir({
    'hub.json': JSON.stringify({ listen: { port: 0 }, dataDir: 'data', tenants: { acme: { keys } } }),
    'bad.json': JSON.stringify({ dataDir: 'hub.json', tenants: { acme: { keys } } }),
  })
  const { terminal, exit } = await serving(['--config', 'hub.json'], { cwd })
  const data = join(cwd, 'data')
  t.equal(statSync(data).mode & 0o777, 0o700)
  const other = createTerminal({ cwd })
  t.equal(await other.run('serve', '--config', 'hub.json'), 1)
  const held = `switchhook: dataDir ${data} is in use by process ${process.pid} (lock.${process.pid}.`
  t.equal(other.stderr.text.slice(0, held.length), held)
  t.equal(other.stderr.lines.length, 1)
  const bad = createTerminal({ cwd })
  t.equal(await bad.run('serve', '--config', 'bad.json'), 2)
  t.match(bad.stderr.lines, [/^switchhook: bad\.json: dataDir \/.*hub\.json cannot be used \(EEXIST: /])
  t.equal(bad.stderr.lines.length, 1)
  terminal.signal('SIGTERM')
  t.equal(await exit, 0)
})

t.test('[FC5] SIGHUP applies the configuration; a bad one is refused, and the old one stays', async t => {
  const cwd = folder(t, { tenants: { acme: { keys } } })
  const { terminal, exit, listening } = await serving(['--config', 'hub.json', '--port', '0'], { cwd })
  const hup = async (config: object, said: RegExp) => {
    writeFileSync(join(cwd, 'hub.json'), JSON.stringify(config))
    terminal.signal('SIGHUP')
    return JSON.parse((await terminal.stderr.until(said))[0])
  }
  const status = async (tenant: string) => {
    const headers = { authorization: `Bearer ${await tokenOf('x', { tenant })}` }
    return (await fetch(`${listening.url}/v1/presence/x`, { headers })).status
  }
  const refused = await hup({ tenants: { acme: { keys: [] } } }, /.*refused.*\n/)
  t.match(refused, { level: 50, faults: [/hub\.json: tenants\.acme\.keys/] })
  t.equal(await status('acme'), 200)
  t.equal(await status('other'), 401)
  const unread = { routes: [{ to: '1', instructions: { twiml: '<Response><Fax/></Response>' } }] }
  const late = await hup({ tenants: { other: { keys, ...unread } } }, /.*Fax.*\n/)
  t.match(late, { level: 50, faults: [/^hub\.json: tenants\.other\.routes\[0\]/] }, 'by the hub itself')
  t.equal(await status('other'), 401)
  t.match(await hup({ tenants: { acme: { keys }, other: { keys } } }, /.*is applied".*\n/), { level: 30 })
  t.equal(await status('other'), 200)
  const before = terminal.stderr.lines.length
  for (let storm = 0; storm < 100; storm++) terminal.signal('SIGHUP')
  const waiting = await hup({ drainMs: 1, tenants: { acme: { keys } } }, /.*waits for a restart.*\n/)
  t.ok(terminal.stderr.lines.length - before <= 3, 'a storm of them is two or three')
  t.match(waiting, { level: 40, waiting: ['drainMs'] })
  t.equal(await status('other'), 401)
  terminal.signal('SIGTERM')
  t.equal(await exit, 0)
})

t.test('a token is minted as asked, and printed alone', async t => {
  const cwd = t.testdir({
    secret: `${secret}\n`,
    'key.pem': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }),
  })
  const claimsOf = async (...args: string[]) => {
    const terminal = createTerminal({ cwd })
    t.equal(
      await terminal.run('token', '--tenant', 'acme', '--account', 'alice', ...args),
      0,
      terminal.stderr.text,
    )
    return terminal.stdout
  }
  const bare = await claimsOf('--secret', secret)
  t.match(bare.text, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const { events } = await claimsOf(
    ...['--secret-file', 'secret', '--kid', 'k1', '--alg', 'HS256', '--json', '--expires', '5m'],
    ...[
      '--scope',
      'call:inbound,presence:read:support',
      '--scope',
      'admin call:place',
      '--group',
      'support,sales',
    ],
    ...['--capacity', '2', '--audience', 'hub'],
  )
  const { token, claims } = events[0] as unknown as { token: string; claims: Record<string, number> }
  t.match(claims, {
    iss: 'acme',
    sub: 'alice',
    aud: 'hub',
    scope: 'call:inbound presence:read:support admin call:place',
    groups: ['support', 'sales'],
    capacity: 2,
  })
  t.equal(Number(claims.exp) - Number(claims.iat), 300)
  t.match(JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()), { alg: 'HS256', kid: 'k1' })
  const signed = (await claimsOf('--private-key', 'key.pem')).text
  t.match(JSON.parse(Buffer.from(signed.split('.')[0]!, 'base64url').toString()), { alg: 'ES256' })
  await claimsOf('--private-key', 'key.pem', '--alg', 'ES256')
})

t.test('what the hub would refuse of a token is named by its flag', async t => {
  const cwd = t.testdir({ short: 'short' })
  const cases: [string[], RegExp][] = [
    [[], /^token needs --secret, --secret-file or --private-key$/],
    [['--secret', 'short'], /^--secret must be a secret of at least 32 bytes for HS256$/],
    [['--secret-file', 'short'], /^--secret-file must be a secret/],
    [['--private-key', 'short'], /^--private-key must be a key in PEM/],
    [['--private-key', 'none'], /^--private-key none cannot be read \(ENOENT\)$/],
    [['--secret', secret, '--tenant', 'a b'], /^--tenant must be a name/],
    [['--secret', secret, '--account', '.'], /^--account must be a name/],
    [['--secret', secret, '--scope', 'presence:red'], /^--scope presence:red is not a permission$/],
    [['--secret', secret, '--group', 'x'.repeat(129)], /^--group /],
    [['--secret', secret, '--scope', ''], /^--scope names no permission$/],
    [['--secret', secret, '--expires', '25h'], /--expires <duration>/],
    [['--secret', secret, '--expires', '0s'], /^--expires must be more than 0$/],
    [['--secret', secret, '--audience', ''], /^--audience must not be empty$/],
  ]
  for (const [args, message] of cases) {
    const terminal = createTerminal({ cwd })
    t.equal(await terminal.run('token', '--tenant', 'acme', '--account', 'alice', ...args), 2, args.join(' '))
    t.match(terminal.stderr.lines[0]?.replace(/^switchhook: /, ''), message)
  }
})
