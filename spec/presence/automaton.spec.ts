import t from 'tap'
import { type AnyStateMachine, createActor, type StateValue } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import { type AccountValue, accountAutomaton, accountMachine } from '../../src/presence/account.machine.js'
import type { Automaton } from '../../src/presence/automaton.js'
import { type DeviceValue, deviceAutomaton, deviceMachine } from '../../src/presence/device.machine.js'
import { n, worldOf } from '../support/presence-world.js'

const deviceEvents = ['lose', 'resume', 'leave', 'ring', 'engage', 'rest', 'suspect', 'alive'].concat(
  ['available', 'away', 'busy', 'dnd', 'offline'].map(word => `declare.${word}`),
)
const accountEvents = ['claim', 'ring', 'engage', 'wrap', 'free'].concat(
  ['none', 'available', 'away', 'busy', 'dnd'].map(word => `override.${word}`),
)

const compare = <V, E extends string>(
  title: string,
  machine: AnyStateMachine,
  automaton: Automaton<V, E>,
  events: readonly string[],
  size: number,
) =>
  t.test(`every event in every state of the ${title} machine does what an actor of it does`, async t => {
    t.same(new Set(machine.events), new Set(events), 'all its events are here')
    const states = new Set([automaton.initial])
    for (const state of states) {
      for (const type of events as readonly E[]) {
        const next = automaton.next(state, type)
        if (next) states.add(next)
        const snapshot = machine.resolveState({ value: state.value as StateValue, context: {} })
        const actor = createActor(machine, { snapshot }).start()
        actor.send({ type })
        const where = `${JSON.stringify(state.value)} ${type}`
        t.equal(next !== undefined, snapshot.can({ type }), `${where}: accepted`)
        t.same(automaton.settle(state, type).value, actor.getSnapshot().value, where)
        t.equal(automaton.next(state, type), next, 'and again the same')
      }
    }
    t.equal(states.size, size, 'every combination of its regions is reached, each one object')
  })

compare('device', deviceMachine, deviceAutomaton, deviceEvents, 3 * 3 * 2 * 5)
compare('account', accountMachine, accountAutomaton, accountEvents, 5 * 4)

/** The table of docs/presence.md, in one line each, for a person with one device who takes one call at a time. */
const statusOf = (device: DeviceValue, override: AccountValue['override']): string => {
  if (device.link === 'gone') return 'offline'
  if (device.activity === 'engaged') return 'busy'
  if (device.activity === 'ringing') return 'ringing'
  return override === 'none' || device.declared === 'offline' ? device.declared : override
}

const walk = (machine: AnyStateMachine, events: readonly string[]) =>
  getShortestPaths(machine, { events: events.map(type => ({ type })) }).map(({ state, steps }) => ({
    title: `${steps.map(({ event }) => event.type).join(' ')} -> ${JSON.stringify(state.value)}`,
    steps: steps.map(({ event, state: { value } }) => ({ event: event.type, value })),
  }))

t.test('along every shortest path of the device machine its person has the status of the table', async t => {
  const paths = walk(deviceMachine, deviceEvents)
  t.equal(paths.length, 90)
  for (const { title, steps } of paths) {
    const { clock, presence, hold, join, status } = worldOf({ acme: {} })
    const attachment = join('alice', 'web')
    const call = hold('alice', 'call-1')
    const party = { tenant: n('acme'), account: n('alice'), device: n('web') }
    let before = deviceMachine.getInitialSnapshot(undefined as never, undefined).value as DeviceValue
    for (const { event, value } of steps as { event: string; value: DeviceValue }[]) {
      const [verb, word] = event.split('.')
      if (verb === 'lose') attachment.linger()
      if (verb === 'resume') attachment.resume()
      if (verb === 'leave') attachment.leave()
      if (verb === 'suspect') presence.suspect(party)
      if (verb === 'alive') attachment.alive()
      if (verb === 'declare') attachment.declare({ status: n(word as string) })
      if (verb === 'rest' || (verb === 'ring' && before.activity === 'engaged')) presence.release(call)
      if (verb === 'ring') await presence.claim(call, [n('web')])
      if (verb === 'engage' && before.activity === 'idle') presence.seize(call, n('web'))
      if (verb === 'engage' && before.activity === 'ringing') presence.engage(call, n('web'))
      t.equal(status('alice'), statusOf(value, 'none'), title)
      before = value
      await clock.settle()
    }
  }
})

t.test('along every shortest path of the account machine the person has the status of the table', async t => {
  const paths = walk(accountMachine, accountEvents)
  t.equal(paths.length, 20)
  for (const { title, steps } of paths) {
    const { presence, hold, join, entry } = worldOf({ acme: {} })
    join('alice', 'web')
    const call = hold('alice', 'call-1')
    for (const { event, value } of steps as { event: string; value: AccountValue }[]) {
      const [verb, word] = event.split('.')
      const override = { status: word === 'none' ? null : n(word as string) }
      if (verb === 'override') presence.override(n('acme'), n('alice'), override, n('alice'))
      if (verb === 'ring') await presence.claim(call, [n('web')])
      if (verb === 'engage' || verb === 'wrap') presence.seize(call, n('web'))
      if (verb === 'wrap') presence.release(call, { wrapupMs: 1000 })
      t.equal(entry('alice').activity, value.activity, title)
      const expected = { free: '', ringing: 'ringing', engaged: 'busy', wrapup: 'busy' }[value.activity]
      const idle = value.override === 'none' ? 'available' : value.override
      t.equal(entry('alice').status, expected || idle, title)
    }
  }
})
