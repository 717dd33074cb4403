import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { secret } from '../support/hub.js'
import { createTerminal } from '../support/terminal.js'

const tenants = { acme: { keys: [{ kid: 'k1', alg: 'HS256', secret }] } }

/** What a command says in a folder. */
const say = async (cwd: string, ...args: string[]) => {
  const terminal = createTerminal({ cwd, env: { NO_COLOR: '1' } })
  const code = await terminal.run('config', ...args)
  return { code, out: terminal.stdout, error: terminal.stderr.text }
}

t.test('config --init writes what a hub starts with, and a secret of its own beside it', async t => {
  const cwd = t.testdir()
  const begun = await say(cwd, '--init')
  t.equal(begun.code, 0)
  t.match(begun.out.text, /serve --config switchhook\.json\n/)
  const text = readFileSync(join(cwd, 'switchhook.json'), 'utf8')
  const kept = readFileSync(join(cwd, 'switchhook.secret'), 'utf8').trim()
  t.match(kept, /^[\w-]{43}$/, '32 random bytes')
  t.notMatch(text + begun.out.text, kept)
  t.equal(statSync(join(cwd, 'switchhook.secret')).mode & 0o777, 0o600)
  t.match(await say(cwd, '--check', 'switchhook.json'), { code: 0 })

  const again = await say(cwd, '--init')
  t.equal(again.code, 2)
  t.equal(again.error, 'switchhook: --init switchhook.json is there already, and is not written over\n')
  writeFileSync(join(cwd, 'other.secret'), 'mine')
  t.match(await say(cwd, '--init', 'other.json'), { code: 2, error: /other\.secret is there already/ })
  t.match(await say(cwd, '--init', 'no/hub.json'), {
    code: 2,
    error: /^switchhook: --init no\/hub\.secret cannot be written \(ENOENT\)\n$/,
  })

  mkdirSync(join(cwd, 'etc'))
  const { code, out } = await say(cwd, '--init', 'etc/hub.json', '--json')
  t.equal(code, 0)
  t.strictSame(out.events, [
    {
      event: 'written',
      files: ['etc/hub.json', 'etc/hub.secret'],
      tenant: 'acme',
      kid: 'k1',
      number: '+15550100',
    },
  ])
  t.match(await say(cwd, '--check', 'etc/hub.json'), { code: 0 }, 'the secret is found from anywhere')
})

t.test(
  'config --check tells every fault with its path, as a hub that starts would, and touches nothing',
  async t => {
    const file = (config: object) => JSON.stringify(config)
    const cwd = t.testdir({
      'good.json': file({ dataDir: 'data', listen: { port: 1 }, tenants }),
      'none.json': '{}',
      'shape.json': file({ lissen: {}, drainMs: -1 }),
      'keys.json': file({
        tenants: {
          acme: { keys: [{ alg: 'ES256', publicKey: 'no' }], routes: [{ to: '1', instructions: 'no' }] },
        },
      }),
      'tls.json': file({ listen: { tls: { cert: 'shape.json', key: 'shape.json' } } }),
      'bad.json': '{',
    })
    const good = await say(cwd, '--check', 'good.json')
    t.equal(good.code, 0)
    t.equal(good.out.text, 'good: good.json, with acme\n')
    t.throws(() => statSync(join(cwd, 'data')), 'no folder was made')
    t.equal((await say(cwd, '--check', 'none.json')).out.text, 'good: none.json, with no tenant\n')

    const shape = await say(cwd, '--check', 'shape.json')
    t.equal(shape.code, 2)
    t.match(shape.error, /^switchhook: shape\.json: lissen is not known here$/m)
    t.match(shape.error, /^switchhook: shape\.json: drainMs must be >= 0$/m)
    const keys = await say(cwd, '--check', 'keys.json', '--json')
    t.equal(keys.code, 2)
    t.match(keys.error, /keys\.json: tenants\.acme\.keys\[0\]\.publicKey must be a key in PEM/)
    t.match(keys.error, /keys\.json: tenants\.acme\.routes\[0\]\.instructions must be an absolute URL/)
    t.match(keys.out.events, [{ event: 'check', ok: false, faults: [/publicKey/, /instructions/] }])
    t.match(await say(cwd, '--check', 'tls.json'), { code: 2, error: /tls\.json: listen\.tls / })
    t.match(await say(cwd, '--check', 'bad.json'), { code: 2, error: /bad\.json is not JSON/ })
    t.match(await say(cwd, '--check', 'no.json'), {
      code: 2,
      error: 'switchhook: no.json cannot be read (ENOENT)\n',
    })
  },
)

t.test('config --print says of every option what it means and what holds, and no secret', async t => {
  const cwd = t.testdir({ 'hub.json': JSON.stringify({ listen: { port: 9 }, tenants }), 'bad.json': '[]' })
  const all = await say(cwd, '--print')
  t.equal(all.code, 0)
  t.match(all.out.text, /^listen\n {4}Where the hub listens/)
  t.match(all.out.text, /^listen\.port = 8080\n {4}The port to listen on/m)
  t.match(all.out.text, /^dataDir = \(none\)$/m)
  t.match(all.out.text, /^tenants\.NAME\.keys = \(required\)$/m)
  t.ok(all.out.lines.every(({ length }) => length <= 80))

  const held = await say(cwd, '--print', 'hub.json')
  t.equal(held.code, 0)
  t.match(held.out.text, /^listen\.port = 9 {2}\(set\)\n/m)
  t.match(held.out.text, /^listen\.host = "127\.0\.0\.1"\n/m)
  t.match(held.out.text, /^tenants\.acme\.keys\[0\]\.secret = "\(not shown\)" {2}\(set\)\n/m)
  t.notMatch(held.out.text, secret)
  t.match(await say(cwd, '--print', 'bad.json'), { code: 2, error: /bad\.json/ })

  const json = await say(cwd, '--print', 'hub.json', '--json')
  t.match(json.out.events, [
    {
      event: 'config',
      file: 'hub.json',
      config: { listen: { port: 9, host: '127.0.0.1' }, drainMs: 30_000 },
    },
  ])
  t.match((await say(cwd, '--print', '--json')).out.events, [{ config: { listen: { port: 8080 } } }])
})

t.test('config --schema is the JSON Schema of the file, as it comes with the package', async t => {
  const { code, out } = await say('.', '--schema')
  t.equal(code, 0)
  t.equal(out.text, readFileSync('docs/reference/config.schema.json', 'utf8'))
  t.match((await say('.', '--schema', '--json')).out.events, [
    { event: 'schema', schema: { type: 'object' } },
  ])
})

t.test('config does one thing at a time', async t => {
  t.match(await say('.'), {
    code: 2,
    error: /^switchhook: config needs --init, --check FILE, --print or --schema\n$/,
  })
  t.match(await say('.', '--check', 'x', '--print'), { code: 2, error: /--check <file>.*--print \[file\]/ })
})
