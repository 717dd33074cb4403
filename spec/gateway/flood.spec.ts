// A process that may not have as many files as peers would like: a real one, from the package as it is installed.

import { readdirSync } from 'node:fs'
import t from 'tap'
import { mintToken } from '../../src/gateway/token/index.js'
import { plain } from '../support/fault.js'
import { Client, until, upgradeRequest } from '../support/gateway.js'
import { Child, launcherOf } from '../support/processes.js'

t.test('[FU5] a process short of files turns newcomers away, keeps whom it has, and recovers', async t => {
  // Node opens half as many at a time while it loads what a hub is made of.
  const files = 400
  const launcher = await launcherOf()
  const hub = new Child(t, [launcher, 'serve', '--dev', '--json', '--port', '0'], {}, files)
  const { url, socket, dev, pid } = await hub.stdout.next({ event: 'listening' })
  const port = Number(new URL(String(url)).port)
  const { tenant, kid, secret } = dev as { tenant: string; kid: string; secret: string }
  const clock = { wall: Date.now }
  const token = await mintToken({ alg: 'HS256', secret, kid, tenant, account: 'alice', clock })
  const alice = new Client(String(socket), ['switchhook.v1'], {})
  t.teardown(() => alice.ws.terminate())
  await alice.opened
  alice.send({ type: 'hello', token, device: 'phone' })
  await alice.next('welcome')

  const peers = Array.from({ length: 600 }, () => plain(t, port, upgradeRequest(), '127.0.0.2'))
  let gone = 0
  for (const { closed } of peers) void closed.then(() => gone++)
  const inside = () => peers.filter(({ text }) => text().includes('101 Switching')).length
  await until(() => gone + inside() === peers.length)
  t.ok(inside() > 50 && inside() < files, `${inside()} of 600 got in`)
  t.ok(
    peers.some(peer => peer.status() === 503),
    'some of the others heard why',
  )
  t.ok(readdirSync(`/proc/${pid}/fd`).length < files, 'and there are files left')
  const ready = async () => {
    const peer = plain(t, port, 'GET /readyz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n')
    await peer.closed
    return peer.text()
  }
  // While those who were refused are on their way out it may be closed unheard.
  let full = ''
  while (full === '') full = await ready()
  t.match(full, /^HTTP\/1.1 503 .*connections/s)
  t.match(await alice.ask({ type: 'ping' }, 'pong'), {}, 'who was there before notices nothing')
  t.equal(alice.ws.readyState, 1)

  for (const { tcp } of peers) tcp.destroy()
  let answer = ''
  while (!answer.startsWith('HTTP/1.1 200')) answer = await ready()
  const fresh = plain(t, port, upgradeRequest())
  await until(() => fresh.text().includes('101 Switching'))
  t.pass('and it recovers')
  const said = hub.stderr.lines.join('\n')
  t.match(said, /fewer connections than limits\.connections/)
  t.notMatch(said, /EMFILE|"level":50/)
})
