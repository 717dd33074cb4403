// A gateway on a socket: its hello says what it performs, its calls ask it for that, and it says what became of it,
// also when its connection was lost in between.

import t from 'tap'
import { newStand, type Stand, until } from '../support/gateway.js'

const steps = [{ say: 'Hello' }, { gather: { numDigits: 1 } }, { reject: { reason: 'busy' } }]
const menu = { routes: [{ to: 'menu', instructions: { steps } }] }
const scopes = ['call:inbound']

const gatewayOf = (stand: Stand, hello: object) =>
  stand.phone('trunk', { device: undefined, ...hello }, { scopes })

t.test('[C5] hello says what a gateway performs; the next step waits for performed', async t => {
  const stand = await newStand(t, { tenant: menu })
  const { client } = await gatewayOf(stand, { performs: ['say', 'gather'] })
  const { call } = await client.ask({ type: 'place', to: 'menu', from: '+1' }, 'placed')
  t.strictSame(await client.next('perform'), {
    type: 'perform',
    seq: 1,
    call,
    step: 0,
    verb: 'say',
    with: { text: 'Hello' },
  })
  const performed = (step: number, more: object = {}) => ({
    type: 'performed',
    call,
    step,
    outcome: 'done',
    ...more,
  })
  t.match(await client.ask(performed(1), 'error'), { code: 'conflict', message: /step 0 is/ })
  t.match(await client.ask({ ...performed(0), call: 'other' }, 'error'), { code: 'call-gone' })
  t.match(await client.ask({ ...performed(0), step: -1 }, 'error'), { code: 'invalid', message: /step/ })
  await client.ask(performed(0), 'ok')
  t.match(await client.next('perform'), { seq: 2, step: 1, verb: 'gather', with: { numDigits: 1 } })
  await client.ask(performed(1, { data: { digits: '4' } }), 'ok')
  t.match(await client.next('ended'), { call, reason: 'busy' })
  t.match(await client.ask(performed(2), 'error'), { code: 'call-gone' })
})

t.test('a gateway that resumes hears the step again, once, and still performs what it did', async t => {
  const stand = await newStand(t, { tenant: menu })
  const { client, welcome } = await gatewayOf(stand, { performs: ['say', 'gather'] })
  const { call } = await client.ask({ type: 'place', to: 'menu', from: '+1' }, 'placed')
  await client.next('perform')
  client.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const resume = { session: welcome.session, seq: 0 }
  const back = await gatewayOf(stand, { resume })
  t.equal(back.welcome.resumed, true)
  t.match(await back.client.next('perform'), { seq: 1, step: 0 })
  await back.client.ask({ type: 'performed', call, step: 0, outcome: 'done' }, 'ok')
  t.match(await back.client.next('perform'), { seq: 2, step: 1, verb: 'gather' })
})

t.test('a gateway that says nothing of it performs nothing', async t => {
  const stand = await newStand(t, { tenant: menu })
  const { client } = await gatewayOf(stand, {})
  await client.ask({ type: 'place', to: 'menu', from: '+1' }, 'placed')
  t.match(await client.next('ended'), { reason: 'failed', message: /^gather is not to be had/ })
  t.same(client.all('perform'), [])
})
