// Calls of SIP phones, placed and offered: every answer, both ends of each race, and what the other side hears. The
// other side is a phone of the hub's own language.

import t from 'tap'
import { until } from '../../support/gateway.js'
import { answer, description, media, offer, peopleOf, sipPhone, sipStand } from '../../support/sip.js'

const stand = await sipStand(t, {
  tenant: {
    groups: { team: { members: ['alice', 'bob', 'carol'], strategy: 'all' }, empty: { members: [] } },
    accounts: { alice: { capacity: 5 }, bob: { capacity: 5 } },
    routes: [{ to: '+15550100', instructions: { steps: [{ enqueue: { group: 'team' } }] } }],
  },
})
const { clock } = stand.room

const { desk, gone, phone } = peopleOf(t, stand)

t.test('a call is placed, rings, is answered, and is ended by whoever placed it', async t => {
  const alice = await phone()
  const bob = await desk()
  const asked = alice.inviting('bob')
  const headers = ['X-Order: 45', 'x-Name: Zoë', 'Content-Type: application/sdp', alice.where]
  alice.say(alice.compose('INVITE', { ...asked, headers, body: offer }))
  t.equal((await alice.response('INVITE', 100)).start, 'SIP/2.0 100 Trying')
  const invite = await bob.next('invite')
  t.match(invite, { from: 'alice', to: 'bob', sdp: offer, params: { Order: '45', Name: 'Zoë' } })
  bob.send({ type: 'ringing', call: invite.call })
  const ringing = await alice.response('INVITE')
  t.equal(ringing.status, 180)
  t.match(ringing.of('To'), /;tag=/)
  alice.say(alice.compose('INVITE', { ...asked, headers, body: offer }))
  t.equal((await alice.response('INVITE')).text, ringing.text, 'sent again, it is answered again')
  bob.send({ type: 'accept', call: invite.call, sdp: answer })
  const accepted = await alice.response('INVITE')
  t.equal(accepted.status, 200)
  t.equal(accepted.body, answer)
  t.equal(accepted.of('To'), ringing.of('To'))
  const dialogue = alice.dialogue(asked, accepted)
  alice.say(alice.within(dialogue, 'ACK'))
  await alice.ask('OPTIONS')
  clock.advance(60_000)
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 200)
  t.match(await bob.next('ended'), { call: invite.call, reason: 'completed' })
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 481)
  await gone(alice, bob)
})

t.test('the other side ends it', async t => {
  const alice = await phone()
  const bob = await desk()
  bob.ws.on('message', data => {
    const frame = JSON.parse(data.toString())
    if (frame.type === 'invite') bob.send({ type: 'accept', call: frame.call, sdp: answer })
  })
  const { dialogue } = await alice.call('bob')
  const { call } = await bob.next('connected')
  bob.send({ type: 'hangup', call })
  const bye = await alice.request('BYE')
  t.match(bye.of('Reason'), 'cause=200')
  t.equal(bye.of('Call-ID'), dialogue.callId)
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 200, 'a BYE that crosses it is welcome')
  t.equal((await alice.askWithin(dialogue, 'INFO')).status, 481)
  alice.reply(bye, 100)
  alice.reply(bye, 200)
  await gone(alice, bob)
})

t.test('why a call does not come about', async t => {
  const alice = await phone()
  const bob = await desk()
  const placed = async (to: string, act: () => Promise<void> = async () => {}): Promise<number> => {
    const { status, of } = await (async () => {
      alice.say(alice.compose('INVITE', { ...alice.inviting(to), ...media(offer) }))
      await act()
      return alice.response('INVITE', 200)
    })()
    if (status === 480) t.match(of('Reason'), /^SIP;cause=480;text="/)
    return status
  }
  const reject = (reason: string) => async () => {
    const { call } = await bob.next('invite')
    bob.send({ type: 'reject', call, reason })
  }
  t.equal(await placed('bob', reject('busy')), 486)
  t.equal(await placed('bob', reject('declined')), 603)
  t.equal(await placed('carol'), 480)
  t.equal(await placed('nobody'), 480)
  t.equal(await placed('a%20b'), 400)
  t.equal(
    await placed('bob', async () => {
      await bob.next('invite')
      await clock.settle(120_000)
    }),
    480,
  )
  t.equal((await alice.ask('INVITE', { uri: 'sip:acme' })).status, 484)
  await gone(alice, bob)

  const token = await stand.token('alice', { scopes: ['presence:register'] })
  const mute = await sipPhone(t, stand, 'alice')
  const headers = [`Authorization: Bearer ${token}`]
  t.equal((await mute.ask('INVITE', { ...mute.inviting('bob'), headers })).status, 403)
  await gone(mute)
})

t.test('a call that is given up', async t => {
  const alice = await phone()
  const bob = await desk()
  const asked = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...asked, ...media(offer) }))
  const invite = await bob.next('invite')
  alice.say(alice.compose('CANCEL', asked))
  t.equal((await alice.response('CANCEL')).status, 200)
  const terminated = await alice.response('INVITE')
  t.equal(terminated.status, 487)
  alice.say(alice.compose('ACK', { ...asked, to: terminated.of('To') }))
  t.match(await bob.next('cancel'), { call: invite.call, reason: 'caller-canceled' })
  t.equal((await alice.ask('CANCEL', asked)).status, 200, 'again: the same answer')
  t.equal((await alice.ask('CANCEL', alice.inviting('bob'))).status, 481)

  const early = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...early, ...media(offer) }))
  alice.say(alice.compose('CANCEL', early))
  t.equal((await alice.response('INVITE')).status, 487, 'before the hub has said a word')
  await gone(alice, bob)
})

t.test('[FS4] a CANCEL in the same breath as its INVITE, before the session is there', async t => {
  const alice = await sipPhone(t, stand, 'alice')
  const bob = await desk()
  const early = alice.inviting('bob')
  const token = `Authorization: Bearer ${await stand.token('alice')}`
  alice.say(alice.compose('INVITE', { ...early, headers: [token, alice.where] }))
  alice.say(alice.compose('CANCEL', early))
  t.equal((await alice.response('CANCEL')).status, 200)
  t.equal((await alice.response('INVITE')).status, 487)
  await until(() => stand.room.router.counts.live === 0)
  await gone(alice, bob)
})

t.test('BYE and others before the answer', async t => {
  const alice = await phone()
  const bob = await desk()
  const asked = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...asked, ...media(offer) }))
  const { call } = await bob.next('invite')
  bob.send({ type: 'signal', call, data: { dtmf: '1' } })
  bob.send({ type: 'ringing', call })
  const dialogue = alice.dialogue(asked, await alice.response('INVITE'))
  alice.say(alice.within(dialogue, 'ACK'))
  t.equal((await alice.askWithin(dialogue, 'INFO')).status, 491)
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 200)
  t.equal((await alice.response('INVITE')).status, 487)
  t.match(await bob.next('cancel'), { reason: 'caller-canceled' })
  await gone(alice, bob)
})

t.test('a call whose ACK never comes is over', async t => {
  const alice = await phone()
  const bob = await desk()
  alice.say(alice.compose('INVITE', { ...alice.inviting('bob'), ...media(offer) }))
  const { call } = await bob.next('invite')
  bob.send({ type: 'accept', call, sdp: answer })
  t.equal((await alice.response('INVITE')).status, 200)
  clock.advance(32_000)
  const bye = await alice.request('BYE')
  t.match(bye.of('Reason'), 'no ACK')
  t.match(await bob.next('ended'), { reason: 'completed' })
  clock.advance(32_000)
  await gone(alice, bob)
})

t.test('a call in line hears that, and one that is passed on goes on', async t => {
  const alice = await phone()
  const [bob, carol] = [await desk(), await desk('carol')]
  bob.send({ type: 'status', status: 'busy' })
  carol.send({ type: 'status', status: 'busy' })
  const asked = alice.inviting('+15550100')
  alice.say(alice.compose('INVITE', { ...asked, ...media(offer) }))
  t.equal((await alice.response('INVITE')).status, 182)
  bob.send({ type: 'status', status: 'available' })
  const { call } = await bob.next('invite')
  bob.send({ type: 'ringing', call })
  t.equal((await alice.response('INVITE')).status, 180)
  bob.send({ type: 'signal', call, data: { dtmf: '1' } })
  bob.send({ type: 'accept', call, sdp: answer })
  const dialogue = alice.dialogue(asked, await alice.response('INVITE', 200))
  alice.say(alice.within(dialogue, 'ACK'))
  t.equal((await alice.ask('CANCEL', asked)).status, 200, 'too late, and no harm')
  carol.send({ type: 'status', status: 'available' })
  await bob.ask({ type: 'transfer', call, to: 'carol' }, 'ok')
  const passed = await carol.next('invite')
  carol.send({ type: 'accept', call: passed.call, sdp: answer })
  await carol.next('connected')
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 200)
  t.match(await carol.next('ended'), { reason: 'completed' })
  await gone(alice, bob, carol)
})

t.test('a call from nobody, and an answer that is too long', async t => {
  const bob = await phone('bob')
  const { caller } = await stand.room.call('bob', { from: '' })
  const invite = await bob.request('INVITE')
  t.match(invite.of('From'), '"" <sip:anonymous@acme>;tag=')
  const [, tag = ''] = /;tag=(.*)/.exec(invite.of('From')) ?? []
  const early = { callId: invite.of('Call-ID'), from: '<sip:bob@acme>', to: `<sip:x@acme>;tag=${tag}` }
  t.equal((await bob.ask('BYE', early)).status, 481, 'there is no dialog yet')
  bob.reply(invite, 486, { tag: 'b' })
  await bob.request('ACK')
  await bob.ask('OPTIONS')
  t.match(caller.heard.at(-1), 'ended')

  const alice = await desk('alice')
  await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
  const long = await bob.request('INVITE')
  bob.reply(long, 200, {
    tag: 'b',
    headers: ['Content-Type: application/sdp'],
    body: offer.padEnd(50_000, 'x'),
  })
  await bob.request('ACK')
  const bye = await bob.request('BYE')
  t.match(bye.of('Reason'), 'cause=400')
  bob.reply(bye, 200)
  await gone(alice, bob)
})

t.test('calls without media have silence', async t => {
  const alice = await phone()
  const bob = await desk()
  const placed = async (body: string, sdp: object) => {
    alice.say(alice.compose('INVITE', { ...alice.inviting('bob'), ...media(body) }))
    const invite = await bob.next('invite')
    bob.send({ type: 'accept', call: invite.call, ...sdp })
    return { invite, accepted: await alice.response('INVITE', 200) }
  }
  const offered = await placed(offer, {})
  t.match(offered.accepted.body, /^m=audio 0 /m, 'what was offered is declined')
  const silent = await placed('', {})
  t.equal(silent.invite.sdp, undefined)
  t.match(silent.accepted.body, /^a=inactive/m, 'nothing is offered')
  const described = await placed('', { sdp: offer })
  t.equal(described.accepted.body, offer)
  await gone(alice, bob)
})

t.test('a call is offered, rings, is accepted, and is ended by either side', async t => {
  const bob = await phone('bob')
  const alice = await desk('alice')
  const { call } = await alice.ask(
    {
      type: 'place',
      to: 'bob',
      sdp: offer,
      params: { order: '45', 'bad name': 'x', inject: 'a\r\nEvil: 1' },
    },
    'placed',
  )
  const invite = await bob.request('INVITE')
  t.equal(invite.start, `INVITE ${bob.contact} SIP/2.0`)
  t.match(invite.of('From'), /^"alice" <sip:alice@acme>;tag=/)
  t.equal(invite.of('To'), '<sip:bob@acme>')
  t.equal(invite.of('X-order'), '45')
  t.equal(invite.of('X-inject'), 'a Evil: 1', '[FX7] a line end is none there')
  t.equal(invite.of('Evil'), '')
  t.equal(invite.of('P-Called-Party-ID'), '<sip:bob@acme>')
  t.equal(invite.body, offer)
  bob.reply(invite, 100)
  t.match(await alice.next('progress'), { state: 'trying' })
  t.match(await alice.next('progress'), { state: 'ringing' })
  bob.reply(invite, 180, { tag: 'b' })
  bob.reply(invite, 200, { tag: 'b', headers: [bob.where, 'Content-Type: application/sdp'], body: answer })
  const ack = await bob.request('ACK')
  t.equal(ack.start, `ACK ${bob.contact} SIP/2.0`)
  t.match(await alice.next('answered'), { call, sdp: answer, by: { account: 'bob', device: 'bob-ws' } })
  alice.send({ type: 'hangup', call })
  const bye = await bob.request('BYE')
  t.match(bye.of('Reason'), /^SIP;cause=200;text="completed"/)
  bob.reply(bye, 200)

  await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
  const again = await bob.request('INVITE')
  bob.reply(again, 200, { tag: 'c', headers: ['Content-Type: application/sdp'], body: answer })
  await bob.request('ACK')
  await alice.next('answered')
  const dialogue = bob.answered(again, 'c')
  t.equal((await bob.askWithin(dialogue, 'BYE')).status, 200)
  t.match(await alice.next('ended'), { reason: 'completed' })
  await gone(alice, bob)
})

t.test('a call that is offered without media, and accepted with or without', async t => {
  const bob = await phone('bob')
  const alice = await desk('alice')
  for (const body of [answer, '']) {
    await alice.ask({ type: 'place', to: 'bob' }, 'placed')
    const invite = await bob.request('INVITE')
    t.match(invite.body, /^a=inactive/m)
    bob.reply(invite, 200, { tag: 'b', headers: ['Content-Type: application/sdp'], body })
    await bob.request('ACK')
    const { call, sdp } = await alice.next('answered')
    t.equal(sdp, undefined)
    alice.send({ type: 'hangup', call })
    bob.reply(await bob.request('BYE'), 200)
  }
  await gone(alice, bob)
})

t.test('a call that is not taken', async t => {
  const bob = await phone('bob')
  const alice = await desk('alice')
  const refused = async (status: number) => {
    await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
    const invite = await bob.request('INVITE')
    bob.reply(invite, status, { tag: 'b' })
    const ack = await bob.request('ACK')
    t.equal(ack.of('Via'), invite.of('Via'), 'the ACK to a refusal is of its transaction')
    t.equal(ack.of('To'), `${invite.of('To')};tag=b`)
    return (await alice.next('ended')).reason
  }
  t.equal(await refused(486), 'busy')
  t.equal(await refused(600), 'busy')
  t.equal(await refused(603), 'rejected')
  t.equal(await refused(302), 'rejected')
  await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
  await bob.request('INVITE')
  await clock.settle(32_000)
  t.match(await alice.next('ended'), { reason: /rejected|no-answer/ }, 'a phone that says nothing')
  await gone(alice, bob)
})

t.test('a call that is given up, or answered elsewhere, stops ringing', async t => {
  const bob = await phone('bob')
  const alice = await desk('alice')
  const carol = await desk('carol')
  const { call } = await alice.ask({ type: 'place', to: 'team', sdp: offer }, 'placed')
  const invite = await bob.request('INVITE')
  bob.reply(invite, 180, { tag: 'b' })
  const elsewhere = await carol.next('invite')
  carol.send({ type: 'accept', call: elsewhere.call })
  const cancel = await bob.request('CANCEL')
  t.equal(cancel.of('Reason'), 'SIP;cause=200;text="Call completed elsewhere"')
  t.equal(cancel.of('Via'), invite.of('Via'))
  t.equal(cancel.of('CSeq'), '1 CANCEL')
  bob.reply(cancel, 200)
  bob.reply(invite, 487, { tag: 'b' })
  await bob.request('ACK')
  alice.send({ type: 'hangup', call })

  const second = await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
  const late = await bob.request('INVITE')
  alice.send({ type: 'hangup', call: second.call })
  await alice.next('ended')
  await alice.ask({ type: 'ping' }, 'pong')
  t.notOk(bob.heard.slice(-1)[0]!.method === 'CANCEL', 'not before it has answered at all')
  bob.reply(late, 180, { tag: 'b' })
  t.match((await bob.request('CANCEL')).of('Reason'), 'cause=487')
  bob.reply(late, 180, { tag: 'b' })
  bob.reply(late, 200, { tag: 'b', body: answer })
  await bob.request('ACK')
  const bye = await bob.request('BYE')
  t.match(bye.of('Reason'), 'cause=487', 'an answer that crosses a CANCEL is taken back')
  bob.reply(bye, 481)

  const third = await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
  const deaf = await bob.request('INVITE')
  bob.reply(deaf, 180, { tag: 'b' })
  await alice.next('progress')
  alice.send({ type: 'hangup', call: third.call })
  await bob.request('CANCEL')
  clock.advance(32_000)
  t.pass('a phone that does not answer to CANCEL is forgotten')
  await gone(alice, bob, carol)
})

t.test('an answer that comes too late is taken back', async t => {
  const bob = await phone('bob')
  const alice = await desk('alice')
  const { call } = await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
  const invite = await bob.request('INVITE')
  bob.reply(invite, 180, { tag: 'b' })
  await alice.next('progress')
  alice.send({ type: 'hangup', call })
  bob.reply(invite, 200, { tag: 'b', headers: ['Content-Type: application/sdp'], body: answer })
  await bob.request('ACK')
  const bye = await bob.request('BYE')
  t.equal(bye.of('Call-ID'), invite.of('Call-ID'))
  bob.reply(bye, 200)
  await gone(alice, bob)
})

t.test('two SIP phones call each other', async t => {
  const alice = await phone('alice')
  const bob = await phone('bob')
  const calling = alice.call('bob', description('a', 'actpass'))
  const invite = await bob.request('INVITE')
  bob.reply(invite, 200, { tag: 'b', headers: ['Content-Type: application/sdp'], body: answer })
  const { answer: accepted, dialogue } = await calling
  t.equal(accepted.body, answer)
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 200)
  bob.reply(await bob.request('BYE'), 200)
  await gone(alice, bob)
})

t.test('a phone has so many calls at once, and no more', async t => {
  const alice = await phone()
  for (let count = 0; count < 64; count++) {
    alice.say(alice.compose('INVITE', { ...alice.inviting('alice'), ...media(offer) }))
  }
  t.equal((await alice.ask('INVITE', { ...alice.inviting('bob') })).status < 700, true)
  await gone(alice)
})
