import t from 'tap'
import { testHub } from '../../src/testing/index.js'

const people = { accounts: { alice: { capacity: 2 }, bob: {}, carol: {} } }

t.test('a caller is put on hold, a colleague is asked, and the two are connected', async t => {
  const hub = await testHub(people)
  t.teardown(() => hub.close())
  const alice = await hub.phone('alice')
  const bob = await hub.phone('bob')
  const outside = await hub.call('alice', { sdp: 'offer' })
  const first = await alice.accept({ sdp: 'answer' })
  await first.hold()
  await hub.advance(0)
  t.match(first.snapshot, { heldHere: true })
  t.match(outside.snapshot, { state: 'connected', heldThere: true })
  const second = await alice.place('bob')
  await bob.accept()
  await first.transfer('bob', { attended: second })
  const again = await bob.rings()
  t.equal(again.facts.replaces, second.id)
  t.same([(await first.over).reason, (await second.over).reason], ['completed', 'completed'])
  t.equal(outside.state, 'ringing')
  await bob.accept({ sdp: 'direct' })
  t.match(outside.snapshot, {
    state: 'connected',
    sdp: 'direct',
    by: { account: 'bob' },
    heldHere: false,
    heldThere: false,
  })
  await outside.hangup()
  await hub.advance(0)
  t.match(await again.over, { reason: 'completed' })
})

t.test('a phone that loses its connection while its call is passed on finds it again', async t => {
  const hub = await testHub(people)
  t.teardown(() => hub.close())
  const alice = await hub.phone('alice')
  const bob = await hub.phone('bob')
  const carol = await hub.phone('carol')
  const call = await alice.place('bob')
  const his = await bob.accept()
  bob.link.drop()
  await call.transfer('carol')
  await carol.accept({ sdp: 'hers' })
  await hub.advance(5000)
  t.match(his.snapshot, { state: 'connected', sdp: 'hers', by: { account: 'carol' } })
  await bob.hangup()
  t.equal(carol.talking, undefined)
})

t.test('whoever may not call a name passes nobody on to it', async t => {
  const hub = await testHub(people)
  t.teardown(() => hub.close())
  const alice = await hub.phone('alice', {
    claims: { scopes: ['presence:register', 'call:receive', 'call:place:bob'] },
  })
  await hub.phone('bob')
  await hub.call('alice')
  const call = await alice.accept()
  await t.rejects(call.transfer('carol'), { code: 'forbidden', message: /call:place/ })
  t.equal(call.state, 'connected')
  await call.transfer('bob')
  t.match(await call.over, { reason: 'completed' })
})

t.test('a gateway sends its call elsewhere over HTTP, and hears all of it', async t => {
  const hub = await testHub(people)
  t.teardown(() => hub.close())
  const alice = await hub.phone('alice')
  const bob = await hub.phone('bob')
  const { call: id } = await hub.api.place({ to: 'alice', from: '+15550199' })
  const call = await alice.accept()
  await hub.api.redirect(id, { steps: [{ dial: { to: ['bob'] } }] })
  t.match(await call.over, { reason: 'completed' })
  await bob.accept()
  t.match(await hub.api.call(id), { state: 'connected', by: { account: 'bob' } })
  await hub.api.signal(id, { hold: true })
  await hub.advance(0)
  t.equal(bob.talking?.snapshot.heldThere, true)
  await t.rejects(hub.api.redirect('unknown', { steps: [] }), { code: 'not-found' })
})
