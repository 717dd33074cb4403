// Status callbacks over a whole hub: an express application that checks each signature with the helper library hears of
// calls in order, told by who placed them and by TwiML. What a hub that is killed still delivers: records.spec.ts.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import t, { type Test } from 'tap'
import twilio from 'twilio'
import { configOf, startHub, until } from '../support/hub.js'

const authToken = '12345678901234567890123456789012'

/** An application as the documentation of the helper library has it: what is not signed is answered 403. */
const application = async (t: Test) => {
  const heard: Record<string, string>[] = []
  const waiting: { count: number; wake: () => void }[] = []
  const app = express()
  app.use(express.urlencoded({ extended: false }))
  app.post('/status', twilio.webhook({ protocol: 'http' }, authToken) as never, (request, response) => {
    heard.push(request.body)
    response.sendStatus(204)
    for (const { count, wake } of waiting) if (heard.length >= count) wake()
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    whenHeard: (count: number) =>
      new Promise<void>(resolve =>
        heard.length >= count ? resolve() : waiting.push({ count, wake: resolve }),
      ),
  }
}

t.test(
  '[FW8] an express application hears initiated, ringing, answered, completed, in order and signed',
  async t => {
    const app = await application(t)
    const world = await startHub(t, configOf({ authToken }))
    const alice = await world.phone('alice')
    const api = await world.api()
    const events = ['initiated', 'ringing', 'answered', 'completed']
    const answerAndHangUp = async () => {
      const call = await alice.invited()
      await call.accept()
      await until(
        () => call.state === 'connected',
        check => call.on('change', check),
      )
      await call.hangup()
    }

    const own = { url: `${app.url}/status?why=it's+me`, events }
    const first = await api.place({ to: 'alice', from: '+15550111', statusCallback: own } as never)
    await answerAndHangUp()
    await app.whenHeard(4)
    const statuses = ['initiated', 'ringing', 'in-progress', 'completed']
    t.match(
      app.heard,
      statuses.map((CallStatus, index) => ({
        CallSid: first.call,
        AccountSid: 'acme',
        From: '+15550111',
        To: 'alice',
        CallStatus,
        SequenceNumber: String(index),
        CallbackSource: 'call-progress-events',
        Timestamp: /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/,
      })),
    )
    t.match(app.heard[3], { CallDuration: /^\d+$/ })

    const response = new twilio.twiml.VoiceResponse()
    response
      .dial()
      .client({ statusCallback: `${app.url}/status`, statusCallbackEvent: events as never }, 'alice')
    const second = await api.place({
      to: '+15550100',
      from: '+15550111',
      instructions: { twiml: response.toString() },
    } as never)
    await answerAndHangUp()
    await app.whenHeard(8)
    t.match(
      app.heard.slice(4),
      statuses.map((CallStatus, index) => ({
        CallSid: `${second.call}.1`,
        ParentCallSid: second.call,
        To: 'client:alice',
        Direction: 'outbound-dial',
        CallStatus,
        SequenceNumber: String(index),
      })),
    )
    const metrics = await (await fetch(`${world.listening.url}/metrics`)).text()
    t.match(metrics, 'switchhook_deliveries_total{outcome="delivered"} 8')
    t.match(metrics, 'switchhook_deliveries_waiting 0')
  },
)
