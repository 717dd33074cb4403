// A thousand devices of the voice SDK and a hub, as processes of their own: they register, half of them call the other
// half, the hub is killed and started again, and all are there again without a storm.

import { join } from 'node:path'
import t from 'tap'
import { compiled } from '../suite/built.js'
import { secret } from '../support/hub.js'
import { Child, launcherOf } from '../support/processes.js'

const count = 1000

t.test('a thousand devices, five hundred calls, and a hub that is killed', async t => {
  const plenty = 1_000_000
  const limits = {
    connectionsPerAddress: 5_000,
    callsPerMinutePerTenant: plenty,
    callsPerTenant: 5_000,
  }
  const dir = t.testdir({
    secret,
    'hub.json': JSON.stringify({
      limits,
      calls: { ringTimeoutMs: 60_000 },
      tenants: { acme: { keys: [{ alg: 'HS256', secret: { file: 'secret' } }] } },
    }),
  })
  const launcher = await launcherOf()
  const serve = async (port = '0') => {
    const args = ['serve', '--config', join(dir, 'hub.json'), '--json', '--port', port]
    const child = new Child(t, [launcher, ...args])
    const { url } = await child.stdout.next({ event: 'listening' })
    return { child, url: String(url) }
  }
  const first = await serve()
  const { port } = new URL(first.url)
  const crowd = new Child(t, [join(await compiled(), 'spec/support/voice-crowd.js'), port, String(count)])
  t.match(await crowd.stdout.next({ event: 'registered' }), {})
  const { attempts: before } = await crowd.stdout.next({ event: 'talking' })
  t.ok(Number(before) <= 2 * count, `${before} attempts of ${count} devices`)
  await first.child.end('SIGKILL')
  const second = await serve(port)
  const { attempts } = await crowd.stdout.next({ event: 'again' })
  await crowd.stdout.next({ event: 'over' })
  const tries = Number(attempts) - Number(before)
  t.ok(tries <= count * 15, `${tries} attempts while there was no hub, and then`)
  const metrics = await (await fetch(`${second.url}/metrics`)).text()
  const sockets = (name: string): number =>
    Number(new RegExp(`^switchhook_${name} (\\d+)$`, 'm').exec(metrics)?.[1])
  t.ok(sockets('sockets') >= count)
  const came = sockets('sockets_accepted_total')
  // The SDK gives a connection five seconds, which a slow machine may need.
  t.ok(came <= 2 * count, `once there was a hub, ${count} came ${came} times`)
  t.notMatch(metrics, /^switchhook_faults_total\{[^}]*\} [1-9]/m, 'nobody was refused')
})
