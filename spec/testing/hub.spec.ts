// A hub in the test's own process and time, as its users see it.

import t from 'tap'
import { testHub } from '../../src/testing/index.js'

t.test(
  '[U20] a call from outside rings who is free, and goes on to the next when nobody answers',
  async t => {
    const hub = await testHub({
      groups: { support: { members: ['alice', 'bob', 'carol'] } },
      routes: [{ to: '+15550100', instructions: { steps: [{ dial: { to: ['support'] } }] } }],
    })
    t.teardown(() => hub.close())
    const alice = await hub.phone('alice', { status: 'busy' })
    const bob = await hub.phone('bob')
    await hub.advance(1_000)
    const carol = await hub.phone('carol')

    const call = await hub.call('+15550100')
    t.equal((await bob.rings()).from, '+15550199')
    await hub.advance(11_999)
    t.equal(carol.ringing, undefined)
    await hub.advance(1)
    t.equal(bob.ringing, undefined)
    await carol.accept()
    t.match(call, { state: 'connected', by: { account: 'carol', device: 'phone' } })
    await carol.hangup()
    t.match(await call.over, { reason: 'completed' })
    t.same(alice.invites, [])
  },
)
