// The directory of a whole hub: what was said at run time is there after a restart and a reload, and takes effect on
// sockets, calls and files at once.

import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { configOf, startHub, until } from '../support/hub.js'

const groups = { support: { members: ['alice', 'bob'] }, lobby: { open: true } }
const begin = (t: Test, dataDir: string, own: object = groups) =>
  startHub(t, configOf({ groups: own }, { dataDir }))

t.test('a hub that starts anew, or reads its configuration again, goes by what was said', async t => {
  const dir = t.testdir()
  const first = await begin(t, dir)
  const { groups: api } = await first.api('root', ['admin'])
  await api.put('night', { members: ['carol'] })
  await api.putMember('support', 'bob', { paused: 'lunch' })
  await api.remove('lobby')
  const told = await api.read('support')
  await first.hub.close()

  const second = await begin(t, dir, { support: { members: ['dave'] }, lobby: {}, day: {} })
  const { groups: again } = await second.api('root', ['admin'])
  const names = async () => (await again.list()).groups.map(({ group }) => group)
  t.same(await names(), ['day', 'night', 'support'])
  t.same(await again.read('support'), told, 'with the same tag')
  await second.hub.reload(configOf({ groups: { support: { members: ['erin'] } } }, { dataDir: dir }))
  t.same(await names(), ['night', 'support'])
  t.same(await again.read('support'), told)
  const caller = await second.api()
  const { dials } = await caller.explain({ to: 'support' })
  t.match(dials[0]?.destinations[0]?.skipped, [{ account: 'alice' }, { account: 'bob' }])
  t.match((await again.reset('support')).value.members, [{ account: 'erin' }], 'the configuration of now')
})

t.test('a damaged file is put aside, and what is whole of it holds', async t => {
  const dir = t.testdir()
  const first = await begin(t, dir)
  const { groups: api } = await first.api('root', ['admin'])
  await api.put('night', { members: ['carol'] })
  await first.hub.close()
  const file = join(dir, 'groups.jsonl')
  writeFileSync(file, '["00000000",{"tenant":"acme"}]\n', { flag: 'a' })
  const second = await begin(t, dir)
  const { groups: again } = await second.api('root', ['admin'])
  t.match(await again.read('night'), { value: { changed: true } })
  t.ok(readdirSync(dir).includes('groups.jsonl.damaged-1'))
})

t.test('a name that becomes a group’s, and one that is an account’s again', async t => {
  const world = await begin(t, t.testdir())
  const { groups: api } = await world.api('root', ['admin'])
  await api.put('desk', { members: ['alice'] })
  await t.rejects(world.phone('desk'), { code: 'name-taken' })
  await api.remove('desk')
  const desk = await world.phone('desk')
  await t.rejects(api.put('desk', {}), { code: 'conflict' }, 'somebody is there by that name')

  const alice = await world.phone('alice')
  const watch = desk.softphone.subscribe('lobby')
  await api.putMember('lobby', 'alice')
  t.ok(
    await until(
      () => watch.resource?.accounts?.some(({ account }) => account === 'alice'),
      listener => watch.on('change', listener),
    ),
  )
  const ringing = alice.invited()
  const caller = await world.api()
  await caller.place({ to: 'lobby', from: '' })
  await (await ringing).accept()
})
