// A support line over real sockets and real HTTP: two callers wait, hear where they stand, and are taken in their order by
// someone who comes back from a break; a wallboard sees it all.

import t from 'tap'
import { configOf, startApplication, startHub, tokenOf, until } from '../support/hub.js'

t.test('callers wait for someone, who takes them in order; a wallboard reads the queue', async t => {
  const application = await startApplication(t, {
    '/in': '<Response><Enqueue action="/after" maxWait="600">support</Enqueue></Response>',
    '/after': '<Response><Hangup/></Response>',
  })
  const world = await startHub(
    t,
    configOf({
      groups: { support: { members: ['alice', 'bob'] } },
      routes: [{ to: '+15550100', instructions: `${application.url}/in` }],
    }),
  )
  const wallboard = await tokenOf('wallboard', { scopes: ['presence:read'] })
  const queue = async () => {
    const { url } = world.listening
    const answer = await fetch(`${url}/v1/queues/support`, {
      headers: { authorization: `Bearer ${wallboard}` },
    })
    return (await answer.json()) as Record<string, number>
  }
  const alice = await world.phone('alice')
  await alice.softphone.status({ status: 'away' })
  const gateway = await world.visitor('gateway', ['call:inbound'])
  const place = async (position: number) => {
    const call = await gateway.place({ to: '+15550100', from: '+15550199' })
    let at: number | undefined
    call.on('progress', progress => {
      at = progress.position
    })
    t.equal(
      await until(
        () => at,
        listener => call.on('progress', listener),
      ),
      position,
    )
    return call
  }
  const first = await place(1)
  const second = await place(2)
  t.match(await queue(), { waiting: 2, freeAgents: 0, signedIn: 1 })
  await alice.softphone.status({ status: 'available' })
  for (const call of [first, second]) {
    const taken = await alice.invited()
    t.equal(taken.id, call.id)
    await taken.accept()
    await until(
      () => call.state === 'connected',
      listener => call.on('change', listener),
    )
    await taken.hangup()
    t.equal((await call.over).reason, 'completed')
  }
  t.match(await queue(), { waiting: 0, answered: 2, serviceLevel: 1, freeAgents: 1 })
  t.match(
    application.asked.filter(({ url }) => url === '/after').map(({ form }) => form.get('QueueResult')),
    ['bridged', 'bridged'],
  )
})
