// A voice application as the documentation of the helper library has it, an express server that answers with
// VoiceResponse and checks each request's signature, drives a whole hub: real HTTP, real sockets, softphones of the SDK.
// Nothing in it knows that the hub is not the platform that it was written for.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type Express, type Request } from 'express'
import { type Test, test } from 'tap'
import twilio from 'twilio'
import { configOf, startHub, until, type World } from '../support/hub.js'

const { VoiceResponse } = twilio.twiml
type Voice = InstanceType<typeof VoiceResponse>

const authToken = '12345678901234567890123456789012'

interface Heard {
  readonly method: string
  readonly url: string
  readonly valid: boolean
  readonly fields: Record<string, unknown>
}

/** An express application, what it was asked, and whether each request's signature was true. */
const voiceApplication = async (t: Test, build: (app: Express) => void, token = authToken) => {
  const heard: Heard[] = []
  const app = express()
  app.use(express.urlencoded({ extended: false }))
  app.use((request, _, next) => {
    const { method, originalUrl: url, body = {}, query } = request
    const valid = twilio.validateExpressRequest(request as never, token)
    heard.push({ method, url, valid, fields: { ...query, ...body } })
    next()
  })
  build(app)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}

/** A handler as the documentation has it. */
const says =
  (write: (twiml: Voice, request: Request) => void): express.RequestHandler =>
  (request, response) => {
    const twiml = new VoiceResponse()
    write(twiml, request)
    response.type('text/xml')
    response.send(twiml.toString())
  }

const limits = { callsPerMinutePerAccount: 1e6, callsPerMinutePerTenant: 1e6 }

const hubFor = (t: Test, instructions: unknown): Promise<World> =>
  startHub(t, configOf({ authToken, routes: [{ to: '*', instructions }] }, { limits }))

const inbound = { to: '+15550100', from: '+15550111' }

/** Places a call from outside, and waits for its end. */
const ended = async (world: World, call: object = inbound) => {
  const api = await world.api()
  return api.place({ ...inbound, ...call } as never, { waitMs: 60_000 })
}

test('[C5] [FW8] an inbound call: a signed request, TwiML, the right phone rings, and it is answered', async t => {
  const { url, heard } = await voiceApplication(t, app => {
    app.post(
      '/voice',
      twilio.webhook({ protocol: 'http' }, authToken) as never,
      says(twiml => {
        twiml.say('One moment, please.')
        const dial = twiml.dial({ callerId: '+15550100', timeout: 20, answerOnBridge: true })
        const client = dial.client()
        client.identity('alice')
        client.parameter({ name: 'order', value: 'A&B <45>' })
      }),
    )
  })
  const world = await hubFor(t, `${url}/voice`)
  const [alice, bob] = [await world.phone('alice'), await world.phone('bob')]
  const api = await world.api()
  const placed = await api.place({ ...inbound, params: { lang: 'fr', "it's": 'é + %20 \u{1f600}' } } as never)
  const call = await alice.invited()
  t.equal(call.id, placed.call)
  t.match(call.params, { order: 'A&B <45>' })
  await call.accept()
  await until(
    () => call.state === 'connected',
    check => call.on('change', check),
  )
  t.match(await api.call(placed.call), { state: 'connected', by: { account: 'alice' } })
  t.same(bob.invites, [])
  t.match(heard, [
    {
      method: 'POST',
      url: '/voice',
      valid: true,
      fields: {
        CallSid: placed.call,
        AccountSid: 'acme',
        From: '+15550111',
        To: '+15550100',
        CallStatus: 'ringing',
        ApiVersion: '2010-04-01',
        Direction: 'inbound',
        lang: 'fr',
        "it's": 'é + %20 \u{1f600}',
      },
    },
  ])
  await call.hangup()
  await until(
    () => call.state === 'ended',
    check => call.on('change', check),
  )
  t.match(await api.call(placed.call), { state: 'ended', reason: 'completed' })
})

test('[C5] each verb of the documentation does what it says', async t => {
  const documents: Record<string, (twiml: Voice, request: Request) => void> = {
    hangup: twiml => twiml.hangup(),
    reject: twiml => twiml.reject(),
    busy: twiml => twiml.reject({ reason: 'busy' }),
    absent: twiml => twiml.dial().client('nobody'),
    redirect: twiml => twiml.redirect('/busy'),
    relative: twiml => twiml.redirect({ method: 'GET' }, 'busy?from=relative'),
    loop: twiml => twiml.redirect({ method: 'POST' }, '/loop'),
    pause: twiml => {
      twiml.pause({ length: 0 })
      twiml.play('https://example.com/wait.mp3')
      twiml.reject({ reason: 'busy' })
    },
    chosen: (twiml, { body }) => {
      if (body.From === '+15550111') twiml.reject({ reason: 'busy' })
      else twiml.hangup()
    },
  }
  const { url, heard } = await voiceApplication(t, app => {
    const check = twilio.webhook({ protocol: 'http' }, authToken) as never
    for (const [name, write] of Object.entries(documents)) app.all(`/${name}`, check, says(write))
  })
  const world = await hubFor(t, `${url}/hangup`)
  for (const [name, reason, message] of [
    ['hangup', 'unavailable', 'the instructions rang nobody'],
    ['reject', 'rejected', undefined],
    ['busy', 'busy', undefined],
    ['absent', 'unavailable', undefined],
    ['redirect', 'busy', undefined],
    ['relative', 'busy', undefined],
    ['pause', 'busy', undefined],
    ['chosen', 'busy', undefined],
  ] as const) {
    for (const method of ['GET', 'POST']) {
      if (name === 'chosen' && method === 'GET') continue
      const view = await ended(world, { instructions: { url: `${url}/${name}`, method } })
      t.match(
        view,
        { state: 'ended', reason, ...(message !== undefined && { message }) },
        `${method} ${name}`,
      )
    }
  }
  const asked = heard.length
  const looped = await ended(world, { instructions: `${url}/loop` })
  t.match(looped, { reason: 'failed', message: 'the instructions redirect more than 20 times' }, '[FX4]')
  t.equal(heard.length - asked, 20)
  t.match((await (await world.api()).call(looped.call)).timeline?.at(-1), {
    event: 'ended',
    reason: 'failed',
    message: 'the instructions redirect more than 20 times',
  })
  t.same(
    heard.filter(({ valid }) => !valid),
    [],
    'and every request was signed as the library wants it',
  )
})

test('[FX5] whoever is not signed as expected is answered 403: the fallback runs, or the call says why', async t => {
  const { url, heard } = await voiceApplication(
    t,
    app => {
      const check = twilio.webhook({ protocol: 'http' }, 'the token of another account') as never
      app.post(
        '/voice',
        check,
        says(twiml => twiml.dial().client('alice')),
      )
      app.post(
        '/fallback',
        says(twiml => twiml.dial().client('bob')),
      )
    },
    'the token of another account',
  )
  const world = await hubFor(t, { url: `${url}/voice`, fallbackUrl: `${url}/fallback` })
  const [alice, bob] = [await world.phone('alice'), await world.phone('bob')]
  const api = await world.api()
  const rescued = await api.place(inbound)
  const call = await bob.invited()
  t.equal(call.id, rescued.call)
  t.match((await api.call(rescued.call)).timeline, [
    { event: 'received' },
    { event: 'route' },
    { event: 'instructions-refused', url: `${url}/voice`, why: 'answered 403' },
    { event: 'instructions', from: `${url}/fallback` },
  ])
  t.match(heard, [
    { url: '/voice', valid: false },
    { url: '/fallback', valid: false, fields: { ErrorUrl: `${url}/voice`, ErrorCode: '11200' } },
  ])
  call.reject()

  const view = await ended(world, { instructions: `${url}/voice` })
  t.match(view, { reason: 'failed', message: `${url}/voice answered 403` })
  t.match((await api.call(view.call)).timeline?.slice(-2), [
    { event: 'instructions-refused', url: `${url}/voice`, why: 'answered 403' },
    { event: 'ended', reason: 'failed', message: `${url}/voice answered 403` },
  ])
  t.same(alice.invites, [])
})

test('[FW8] whatever an address and its fields look like, the library finds the signature true', async t => {
  const { url, heard } = await voiceApplication(t, app => {
    app.use(
      twilio.webhook({ protocol: 'http' }, authToken) as never,
      says(twiml => twiml.reject({ reason: 'busy' })),
    )
  })
  const { port } = new URL(url)
  const world = await hubFor(t, url)
  const addresses = [
    '',
    '/',
    '//voice//',
    "/it's",
    '/a+b',
    '/a%20b',
    '/a b',
    '/ünï/\u{1f600}',
    '/%C3%BC',
    '/%c3%bc',
    '/a%2Fb',
    '/(a)*!~;,:@&=$',
    '/a#fragment',
    '/voice?',
    '/voice?a=1',
    '/voice?a=1&a=2&b=3&a=1',
    "/voice?q=it's",
    '/voice?q=a+b',
    '/voice?q=a%20b',
    '/voice?q=a b',
    '/voice?q=é\u{1f600}',
    '/voice?q=%C3%A9',
    '/voice?q=a?b',
    '/voice?q=a%26b%3D',
    '/voice?a&b=&=c',
    '/voice?a[]=1&a[b]=2',
    '/voice?redirect=https://example.com:8443/x',
    '/voice?q=(a)*!~;,:@/$|"<>^`{}',
  ]
  const fields = {
    zeta: '1',
    Alpha: "it's",
    alpha: '',
    'k é': '+ %20 & = ; ?',
    'a?b': 'why?',
    'a[]': '[1]',
    emoji: '\u{1f600}',
    lines: 'a\r\nb\tc',
    quote: '"\'<>\\',
  }
  for (const method of ['POST', 'GET']) {
    for (const params of [{}, fields]) {
      for (const address of addresses) {
        for (const host of address === '/voice?a=1'
          ? [`127.0.0.1:${port}`, `LocalHost:${port}`]
          : [`127.0.0.1:${port}`]) {
          const before = heard.length
          const instructions = { url: `http://${host}${address}`, method }
          const view = await ended(world, { instructions, params })
          const shape = `${method} ${host}${address}${params === fields ? ' with fields' : ''}`
          t.match(view, { reason: 'busy' }, shape)
          t.match(heard.slice(before), [{ method, valid: true }], shape)
        }
      }
    }
  }
})
