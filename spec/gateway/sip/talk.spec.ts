// What is said within a call between a SIP phone and one of the hub's own language: tones, texts, hold and other
// descriptions of media, transfers; and what becomes of it when the connection is lost and comes back.

import t from 'tap'
import { askedLimit, transactionMs } from '../../../src/gateway/dialects/sip/transactions.js'
import { type Client, until } from '../../support/gateway.js'
import {
  type Asking,
  answer,
  type Dialogue,
  description,
  media,
  offer,
  peopleOf,
  type SipPhone,
  sipPhone,
  sipStand,
} from '../../support/sip.js'

const stand = await sipStand(t, { tenant: { accounts: { alice: { capacity: 5 }, bob: { capacity: 5 } } } })
const { clock } = stand.room

const { desk, gone, phone } = peopleOf(t, stand)

/** Alice has called bob, who has answered. */
const talking = async (alice: SipPhone, bob: Client) => {
  const calling = alice.call('bob')
  const { call } = await bob.next('invite')
  bob.send({ type: 'accept', call, sdp: answer })
  const { dialogue } = await calling
  await alice.ask('OPTIONS')
  return { call, dialogue }
}

const reinvite = (alice: SipPhone, body: string, ...more: string[]): Asking => ({
  headers: [alice.where, 'Content-Type: application/sdp', ...more],
  body,
})

const held = description('caller', 'actpass', 'sendonly')
const restarted = description('again', 'actpass')

t.test('tones go both ways', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call, dialogue } = await talking(alice, bob)
  const info = async (type: string, body: string): Promise<number> =>
    (await alice.askWithin(dialogue, 'INFO', { headers: [`Content-Type: ${type}`], body })).status
  const heard = async () => (await bob.next('signal')).data
  t.equal(await info('application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'), 200)
  t.same(await heard(), { dtmf: '5' })
  t.equal(await info('Application/DTMF; x=y', '#'), 200)
  t.same(await heard(), { dtmf: '#' })
  t.equal(await info('application/dtmf', 'hello'), 415)
  t.equal(await info('application/dtmf-relay', 'Duration=1'), 415)
  t.equal((await alice.askWithin(dialogue, 'INFO')).status, 415)
  for (const data of ['x', null, { dtmf: 7 }, { dtmf: 'hello' }, { hold: true }, { dtmf: '1*' }]) {
    bob.send({ type: 'signal', call, data })
  }
  const first = await alice.request('INFO')
  t.equal(first.body, 'Signal=1\r\nDuration=160\r\n')
  t.equal(first.of('Content-Type'), 'application/dtmf-relay')
  alice.reply(first, 200)
  const second = await alice.request('INFO')
  t.equal(second.body, 'Signal=*\r\nDuration=160\r\n')
  alice.reply(second, 481)
  t.match(
    await bob.next('ended'),
    { reason: 'completed' },
    'a phone that knows nothing of the call is not in it',
  )
  t.equal((await alice.askWithin(dialogue, 'INFO')).status, 481)
  await gone(alice, bob)
})

t.test('texts go both ways, in the call and beside it', async t => {
  const [alice, bob] = [await phone(), await desk()]
  t.equal((await alice.ask('MESSAGE', { uri: 'sip:bob@acme', body: 'x' })).status, 404, 'without a call')
  const { call, dialogue } = await talking(alice, bob)
  const text = { headers: ['Content-Type: text/html'], body: '<b>hello</b>' }
  t.equal((await alice.askWithin(dialogue, 'MESSAGE', text)).status, 200)
  t.same((await bob.next('signal')).data, { message: { content: '<b>hello</b>', contentType: 'text/html' } })
  t.equal((await alice.ask('MESSAGE', { uri: 'sip:bob@acme', body: 'hi' })).status, 200)
  t.same((await bob.next('signal')).data, { message: { content: 'hi', contentType: 'text/plain' } })
  t.equal((await alice.ask('MESSAGE', { uri: 'sip:carol@acme', body: 'hi' })).status, 404)
  t.equal((await alice.askWithin(dialogue, 'MESSAGE', { body: 'x'.repeat(20_000) })).status, 400)
  bob.send({ type: 'signal', call, data: { message: { content: 'yes?' } } })
  const message = await alice.request('MESSAGE')
  t.equal(message.body, 'yes?')
  t.match(message.of('From'), '<sip:bob@acme>;tag=')
  t.equal(message.of('To'), '<sip:alice@acme>')
  t.equal(message.of('Content-Type'), 'text/plain')
  alice.reply(message, 405)
  for (const message of [{ content: 1 }, { content: 'x', contentType: 1 }, 'x']) {
    bob.send({ type: 'signal', call, data: { message } })
  }
  await gone(alice, bob)
})

t.test('a client that describes its media anew is answered by the other side', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call, dialogue } = await talking(alice, bob)
  const timer = ['Supported: timer', 'Session-Expires: 90']
  alice.say(alice.within(dialogue, 'INVITE', reinvite(alice, restarted, ...timer)))
  t.same((await bob.next('signal')).data, { offer: restarted })
  const crossing = await alice.askWithin(dialogue, 'UPDATE', reinvite(alice, restarted))
  t.equal(crossing.status, 491, 'one at a time')
  bob.send({ type: 'signal', call, data: { offer } })
  t.same((await bob.next('signal')).data, { refused: true }, 'from either side')
  const fresh = description('other', 'active')
  bob.send({ type: 'signal', call, data: { answer: fresh } })
  const accepted = await alice.response('INVITE', 200)
  t.equal(accepted.status, 200)
  t.equal(accepted.body, fresh)
  t.equal(accepted.of('Session-Expires'), '90;refresher=uac')
  t.equal(accepted.of('Require'), 'timer')
  alice.say(alice.within(dialogue, 'ACK'))
  bob.send({ type: 'signal', call, data: { answer: fresh } })

  const again = await alice.askWithin(
    dialogue,
    'INVITE',
    reinvite(alice, restarted.replace('again 1 1', 'again 1 2')),
  )
  t.equal(again.body, fresh, 'without a change it hears the same')
  const none = await alice.askWithin(dialogue, 'INVITE', {
    headers: ['Session-Expires: x', 'Supported: timer'],
  })
  t.equal(none.body, fresh, 'without an offer it is made one')
  t.equal(none.of('Session-Expires'), '')
  const refreshed = await alice.askWithin(dialogue, 'UPDATE', { headers: ['Session-Expires: 90'] })
  t.equal(refreshed.status, 200)
  t.equal(refreshed.body, '')
  t.equal(refreshed.of('Session-Expires'), '')

  alice.say(alice.within(dialogue, 'UPDATE', reinvite(alice, offer)))
  t.same((await bob.next('signal')).data, { offer })
  bob.send({ type: 'signal', call, data: { refused: true } })
  t.equal((await alice.response('UPDATE')).status, 488)
  alice.say(alice.within(dialogue, 'INVITE', reinvite(alice, offer)))
  await bob.next('signal')
  clock.advance(5_000)
  t.equal((await alice.response('INVITE')).status, 488)
  const plain = await alice.askWithin(dialogue, 'INVITE', {
    headers: ['Content-Type: text/plain'],
    body: 'x',
  })
  t.equal(plain.body, fresh)
  alice.say(alice.within(dialogue, 'INVITE', reinvite(alice, offer)))
  await bob.next('signal')
  alice.say(alice.within(dialogue, 'BYE'))
  t.equal((await alice.response('BYE')).status, 200)
  t.equal((await alice.response('INVITE')).status, 487, 'what is open ends with the call')
  const late = description('c', 'actpass').padEnd(17_000, 'x')
  const other = await talking(alice, bob)
  t.equal(
    (await alice.askWithin(other.dialogue, 'INVITE', reinvite(alice, late))).status,
    488,
    'too much to pass on',
  )
  await gone(alice, bob)
})

t.test('hold: the other side is told, and need not answer', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call, dialogue } = await talking(alice, bob)
  const hold = async (body: string, answers: object) => {
    alice.say(alice.within(dialogue, 'INVITE', reinvite(alice, body)))
    await bob.next('signal')
    bob.send({ type: 'signal', call, data: answers })
    return alice.response('INVITE', 200)
  }
  const holding = hold(held, { refused: true })
  t.match(await holding, { status: 200, body: answer.replace('sendrecv', 'recvonly') })
  t.same(
    bob.all('signal').map(({ data }) => data),
    [{ hold: true }, { offer: held }],
  )
  const inactive = held.replace('sendonly', 'inactive')
  t.match(await hold(inactive, { refused: true }), {
    status: 200,
    body: answer.replace('sendrecv', 'inactive'),
  })
  t.match(await hold(offer, { refused: true }), { status: 200, body: answer })
  t.same(
    bob
      .all('signal')
      .slice(-2)
      .map(({ data }) => data),
    [{ hold: false }, { offer }],
  )
  const listening = held.replace('sendonly', 'recvonly')
  t.match(await hold(listening, { refused: true }), { body: answer.replace('sendrecv', 'sendonly') })
  t.match(await hold(held.replace('a=sendonly\r\n', ''), { answer: held }), { body: held })
  await gone(alice, bob)
})

t.test('the other side describes its media anew', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call } = await talking(alice, bob)
  const offered = async (): Promise<Awaited<ReturnType<SipPhone['request']>>> => {
    bob.send({ type: 'signal', call, data: { offer: restarted } })
    return alice.request('INVITE')
  }
  const invite = await offered()
  t.equal(invite.body, restarted)
  t.match(invite.of('To'), '<sip:alice@acme>')
  const dialogue: Dialogue = { ...alice.answered(invite, ''), from: invite.of('To'), seq: 10 }
  t.equal((await alice.askWithin(dialogue, 'INVITE', reinvite(alice, offer))).status, 491)
  bob.send({ type: 'signal', call, data: { offer } })
  t.same((await bob.next('signal')).data, { refused: true })
  alice.reply(invite, 100)
  alice.reply(invite, 200, { headers: ['Content-Type: application/sdp'], body: answer })
  t.equal((await alice.request('ACK')).of('CSeq'), invite.of('CSeq').replace('INVITE', 'ACK'))
  t.same((await bob.next('signal')).data, { answer })
  alice.reply(await offered(), 488)
  await alice.request('ACK')
  t.same((await bob.next('signal')).data, { refused: true })
  alice.reply(await offered(), 200)
  await alice.request('ACK')
  t.same((await bob.next('signal')).data, { refused: true }, 'an answer that is none')

  // Its own offer is made again, as an answer: whoever was passive is active.
  const own = await alice.askWithin(dialogue, 'INVITE', reinvite(alice, answer))
  t.equal(own.body, restarted.replace('actpass', 'passive'))
  const last = await offered()
  alice.reply(last, 200, {
    headers: ['Content-Type: application/sdp'],
    body: answer.replace('active', 'passive'),
  })
  await alice.request('ACK')
  t.same(Object.keys((await bob.next('signal')).data as object), ['answer'])
  const other = await alice.askWithin(
    dialogue,
    'INVITE',
    reinvite(alice, answer.replace('active', 'actpass')),
  )
  t.equal(other.body, restarted.replace('actpass', 'active'))
  alice.reply(await offered(), 408)
  t.match(await bob.next('ended'), { reason: 'completed' })
  await gone(alice, bob)
})

t.test('requests out of turn, and of strangers', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { dialogue } = await talking(alice, bob)
  const late = await alice.askWithin({ ...dialogue, seq: -1 }, 'INFO')
  t.equal(late.status, 500)
  t.equal((await alice.askWithin({ ...dialogue, from: '<sip:alice@acme>;tag=x' }, 'BYE')).status, 481)
  t.equal((await alice.askWithin({ ...dialogue, callId: 'x' }, 'BYE')).status, 481)
  t.equal((await alice.ask('BYE', { uri: 'sip:bob@acme' })).status, 481)
  const carol = await phone('carol')
  t.equal((await carol.askWithin(dialogue, 'BYE')).status, 481, '[FS4] a BYE from a stranger')
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 200)
  await gone(alice, bob, carol)
})

t.test('a call is passed on', async t => {
  const [alice, bob, carol] = [await phone(), await desk(), await desk('carol')]
  const { dialogue } = await talking(alice, bob)
  const refer = (...headers: string[]) => alice.askWithin(dialogue, 'REFER', { headers })
  t.equal((await refer()).status, 400)
  t.equal((await refer('Refer-To: <http://example.com>')).status, 400)
  t.equal((await refer('Refer-To: <sip:nobody@acme>')).status, 404)
  t.equal(
    (await refer('Refer-To: <sip:carol@acme?Replaces=nothing%3Bto-tag%3Da%3Bfrom-tag%3Db>')).status,
    481,
  )
  t.equal((await refer('Refer-To: <sip:carol@acme>')).status, 202)
  const notify = await alice.request('NOTIFY')
  t.equal(notify.of('Event'), 'refer')
  t.equal(notify.body, 'SIP/2.0 200 OK\r\n')
  alice.reply(notify, 200)
  alice.reply(await alice.request('BYE'), 200)
  const { call } = await carol.next('invite')
  carol.send({ type: 'hangup', call })
  await gone(alice, bob, carol)
})

t.test('two calls are put through to each other', async t => {
  const [alice, bob, carol] = [await phone(), await desk(), await desk('carol')]
  const first = await talking(alice, bob)
  const calling = alice.call('carol')
  carol.send({ type: 'accept', call: (await carol.next('invite')).call, sdp: answer })
  const second = await calling
  await alice.ask('OPTIONS')
  const named = encodeURIComponent(`${second.dialogue.callId};to-tag=a;from-tag=b`)
  const headers = [`Refer-To: <sip:carol@acme?Replaces=${named}>`]
  t.equal((await alice.askWithin(first.dialogue, 'REFER', { headers })).status, 202)
  alice.reply(await alice.request('NOTIFY'), 200)
  const ends = [await alice.request('BYE'), await alice.request('BYE')]
  t.same(
    new Set(ends.map(bye => bye.of('Call-ID'))),
    new Set([first.dialogue.callId, second.dialogue.callId]),
  )
  await gone(alice, bob, carol)
})

t.test('a call outlives its connection, where the same application comes back', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call, dialogue } = await talking(alice, bob)
  const calling = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...calling, ...media(offer) }))
  const second = await bob.next('invite')
  alice.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  clock.advance(1_000)
  const back = await phone('alice')
  t.equal((await back.askWithin(dialogue, 'INFO')).status, 415, 'the dialog goes on')
  bob.send({ type: 'accept', call: second.call, sdp: answer })
  const accepted = await back.response('INVITE', 200)
  t.equal(accepted.of('Call-ID'), calling.callId, 'a call that was being placed is answered over it')
  back.say(back.within(back.dialogue(calling, accepted), 'ACK'))
  bob.send({ type: 'hangup', call })
  t.equal((await back.request('BYE')).of('Call-ID'), dialogue.callId)
  await gone(back, bob)
})

t.test('what may not have reached a client is said again once it is back', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call: offered } = await bob.ask({ type: 'place', to: 'alice', sdp: offer }, 'placed')
  const invite = await alice.request('INVITE')
  alice.reply(invite, 180, { tag: 'a' })
  await bob.next('progress')
  await bob.ask({ type: 'signal', call: offered, data: { dtmf: '1' } }, 'ok')
  const calling = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...calling, ...media(offer) }))
  const { call: placed } = await bob.next('invite')
  bob.send({ type: 'accept', call: placed, sdp: answer })
  await alice.response('INVITE', 200)
  alice.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const back = await phone('alice')
  await clock.settle()
  const accepted = await back.response('INVITE', 200)
  t.equal(accepted.of('Call-ID'), calling.callId, 'a 200 without its ACK')
  back.say(back.within(back.dialogue(calling, accepted), 'ACK'))
  const again = await back.request('INVITE')
  t.equal(
    again.of('Via'),
    invite.of('Via'),
    'an INVITE without a final answer, as it was; a tone before that is no request',
  )
  back.reply(again, 200, { tag: 'a', headers: ['Content-Type: application/sdp'], body: answer })
  t.match(await bob.next('answered'), { call: offered, sdp: answer })
  await bob.ask({ type: 'signal', call: offered, data: { dtmf: '2' } }, 'ok')
  const info = await back.request('INFO')
  t.match(info.body, /Signal=2/)
  back.reply(info, 200)
  await back.ask('OPTIONS')
  back.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  const third = await phone('alice')
  clock.advance(transactionMs)
  await third.ask('OPTIONS')
  t.notOk(
    third.heard.some(({ start }) => start.includes('200') && start.includes('INVITE')),
    'none that was acknowledged',
  )
  t.equal(stand.room.router.counts.live, 2)
  await gone(third, bob)
})

t.test('what is over meanwhile is ended, and what is offered still rings', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call, dialogue } = await talking(alice, bob)
  const { call: offered } = await bob.ask({ type: 'place', to: 'alice', sdp: offer }, 'placed')
  const invite = await alice.request('INVITE')
  const { call: canceled } = await bob.ask({ type: 'place', to: 'alice', sdp: offer }, 'placed')
  const other = await alice.request('INVITE')
  for (const each of [invite, other]) alice.reply(each, 180, { tag: 'a' })
  await bob.next('progress')
  await alice.ask('OPTIONS')
  const calling = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...calling, ...media(offer) }))
  const placed = await bob.next('invite')
  alice.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  bob.send({ type: 'hangup', call })
  bob.send({ type: 'hangup', call: canceled })
  await bob.ask({ type: 'reject', call: placed.call }, 'ok')
  const back = await phone('alice')
  await clock.settle()
  const [bye, cancel, refused] = [await back.request('BYE'), back.heard, back.heard]
  t.equal(bye.of('Call-ID'), dialogue.callId)
  t.ok(cancel.some(said => said.method === 'CANCEL' && said.of('Call-ID') === other.of('Call-ID')))
  t.ok(refused.some(said => said.status === 480 && said.of('Call-ID') === calling.callId))
  back.reply(invite, 200, { tag: 'a', headers: ['Content-Type: application/sdp'], body: answer })
  t.match(await bob.next('answered'), { call: offered, sdp: answer })
  await gone(back, bob)
})

t.test(
  'an application that was loaded anew is offered what rings, and has lost what it talked in',
  async t => {
    const instance = '+sip.instance="<urn:uuid:1>"'
    const registered = async (contact: string) => {
      const loaded = await sipPhone(t, stand, 'alice', contact)
      const headers = [
        `Contact: <${loaded.contact}>;${instance}`,
        `Authorization: Bearer ${await stand.token('alice')}`,
      ]
      t.equal((await loaded.ask('REGISTER', { headers })).status, 200)
      return loaded
    }
    const [alice, bob] = [await registered('first'), await desk()]
    const { call } = await talking(alice, bob)
    await bob.ask({ type: 'place', to: 'alice', sdp: offer }, 'placed')
    const invite = await alice.request('INVITE')
    alice.ws.terminate()
    await until(() => stand.gateway.counts.lingering === 1)
    const back = await registered('second')
    const again = await back.request('INVITE')
    t.not(again.of('Call-ID'), invite.of('Call-ID'))
    t.equal(again.start, `INVITE ${back.contact} SIP/2.0`)
    t.match(await bob.next('ended'), { call, reason: 'completed' })
    await gone(back, bob)
  },
)

t.test('a phone of another language takes the place of a SIP phone, and the other way round', async t => {
  const [alice, bob] = [await phone('alice', 'desk'), await desk()]
  const { call } = await talking(alice, bob)
  const native = await desk('alice')
  t.match(await native.next('answered'), { call })
  t.equal(await alice.closed, 4501)
  const sip = await phone('alice', 'desk')
  t.match(await bob.next('ended'), { call }, 'SIP has no word for a call without a dialog')
  await gone(sip, bob)
})

t.test('a client that answers nothing is asked no more than so much', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call } = await talking(alice, bob)
  const tones = '1'.repeat(64)
  for (let count = 0; count < 20; count++) bob.send({ type: 'signal', call, data: { dtmf: tones } })
  await bob.ask({ type: 'ping' }, 'pong')
  await alice.ask('OPTIONS')
  const infos = alice.heard.filter(({ method }) => method === 'INFO')
  t.equal(infos.length, askedLimit)
  alice.reply(infos[0]!, 200)
  await alice.ask('OPTIONS')
  bob.send({ type: 'signal', call, data: { dtmf: '2' } })
  const tone = await alice.next(({ body }) => body.startsWith('Signal=2'))
  alice.reply(tone, 200)
  await alice.ask('OPTIONS')
  await clock.settle(transactionMs)
  t.match(await bob.next('ended'), { call }, 'and is given up')
  await gone(alice, bob)
})

t.test('a client that neither takes nor refuses other media is given up', async t => {
  const [alice, bob] = [await phone(), await desk()]
  const { call } = await talking(alice, bob)
  bob.send({ type: 'signal', call, data: { offer: restarted } })
  alice.reply(await alice.request('INVITE'), 100)
  await alice.ask('OPTIONS')
  await clock.settle(transactionMs)
  t.match(await bob.next('ended'), { call })
  await gone(alice, bob)
})
