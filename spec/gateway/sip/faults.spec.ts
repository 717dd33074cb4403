// What hostile and broken SIP clients do, each by its id: nothing of it stays, and nobody else notices.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { sip } from '../../../src/gateway/dialects/sip/sip.js'
import type { SipTranslator } from '../../../src/gateway/dialects/sip/translator.js'
import { native } from '../../../src/gateway/index.js'
import { VirtualClock } from '../../../src/runtime/index.js'
import { chanceOf } from '../../support/chance.js'
import { until } from '../../support/gateway.js'
import { answer, media, offer, type SipPhone, sipAccounts, sipPhone, sipStand } from '../../support/sip.js'

const opened: SipTranslator[] = []
const clockOfNonces = new VirtualClock()
const spoken = sip(sipAccounts(), clockOfNonces)
const stand = await sipStand(t, {
  tenant: { accounts: { alice: { capacity: 1000 }, bob: { capacity: 1000 } } },
  dialects: [
    native(),
    {
      ...spoken,
      open(line) {
        const translator = spoken.open(line) as SipTranslator
        opened.push(translator)
        return translator
      },
    },
  ],
})
const { clock, router } = stand.room

const phone = async (account = 'alice'): Promise<SipPhone> => {
  const registered = await sipPhone(t, stand, account)
  await registered.register(3600)
  return registered
}

/** Someone whom nothing of this may disturb. */
const bystander = await phone('carol')

const undisturbed = async (...phones: { ws: SipPhone['ws'] }[]): Promise<void> => {
  for (const { ws } of phones) ws.close(1000)
  await until(() => stand.gateway.counts.sessions === 1)
  t.equal((await bystander.ask('OPTIONS')).status, 200, 'somebody else is not disturbed')
  t.equal(router.counts.live, 0)
  await until(() => stand.gateway.counts.sockets === 1)
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const heap = (): number => {
  gc()
  return process.memoryUsage().heapUsed
}

t.test('[FS2] a flood of requests without a proof is challenged, and nothing of it is kept', async t => {
  const translator = sip(sipAccounts(), clock).open({
    clock,
    say: () => {
      said++
    },
    hear: () => t.fail('nothing is asked of the hub'),
  }) as SipTranslator
  let said = 0
  const flood = (count: number): void => {
    for (let at = 0; at < count; at++) translator.read(bystander.compose(at % 2 ? 'REGISTER' : 'OPTIONS'))
  }
  flood(1_000)
  const before = heap()
  flood(10_000)
  t.ok(heap() - before < 2_000_000, 'ten thousand requests, and no more memory than before')
  t.equal(said, 11_000)
  t.equal(translator.agent, undefined)
})

t.test('[FS3] every method needs a proof', async t => {
  const stranger = await sipPhone(t, stand, 'alice')
  const methods = ['REGISTER', 'INVITE', 'OPTIONS', 'SUBSCRIBE', 'MESSAGE', 'PUBLISH', 'BYE', 'REFER', 'ODD']
  for (const method of methods) t.equal((await stranger.ask(method)).status, 401, method)
  await undisturbed(stranger)
})

t.test('[FS4] a burst of INVITEs, and then the connection breaks', async t => {
  const alice = await phone()
  const bob = (await stand.phone('bob', { device: 'desk' })).client
  for (let count = 0; count < 66; count++) {
    alice.say(alice.compose('INVITE', { ...alice.inviting('bob'), ...media(offer) }))
  }
  t.equal((await alice.next(said => said.status === 503)).of('Retry-After'), '5', 'so many, and no more')
  await bob.next('invite')
  alice.ws.terminate()
  await until(() => stand.gateway.counts.lingering === 1)
  await clock.settle(60_000)
  await undisturbed(bob)
})

t.test('[FS4] a storm of one request is answered from memory, which is bounded', async t => {
  const alice = await phone()
  const agent = opened.at(-1)?.agent as NonNullable<SipTranslator['agent']>
  const asked = alice.compose('OPTIONS', { branch: 'z9hG4bKsame' })
  for (let count = 0; count < 300; count++) alice.say(asked)
  await until(() => alice.heard.length === 302)
  t.equal(new Set(alice.heard.slice(2).map(({ text }) => text)).size, 1)
  const other = alice.compose('OPTIONS', { branch: 'z9hG4bKsame', headers: ['X: y'] })
  alice.say(other)
  await until(() => alice.heard.length === 303)
  t.equal(alice.heard[302]?.text, alice.heard[301]?.text, 'another under its branch is not looked at')
  for (let count = 0; count < 300; count++) await alice.ask('OPTIONS')
  t.ok(agent.size < 600, 'old ones make room')
  clock.advance(32_000)
  t.equal(agent.size, 1, 'and all are over in time: what is left is the registration')
  await undisturbed(alice)
})

t.test('[FS4] a refusal that is never acknowledged, and INVITEs that are never answered', async t => {
  const bob = await phone('bob')
  const agent = opened.at(-1)?.agent as NonNullable<SipTranslator['agent']>
  const asked = bob.inviting('nobody')
  const refused = await bob.ask('INVITE', { ...asked, ...media(offer) })
  t.equal(refused.status, 480)
  bob.say(bob.compose('INVITE', { ...asked, ...media(offer) }))
  t.equal((await bob.response('INVITE')).text, refused.text)
  bob.say(bob.compose('ACK', asked))
  bob.say(bob.compose('ACK', asked))
  t.equal((await bob.ask('INVITE', bob.inviting('nobody'))).status, 480)
  const alice = (await stand.phone('alice', { device: 'desk' })).client
  await alice.ask({ type: 'place', to: 'bob', sdp: offer }, 'placed')
  const invite = await bob.request('INVITE')
  bob.reply(invite, 180, { tag: 'b' })
  await alice.next('progress')
  await clock.settle(100_000)
  t.equal(agent.size, 1)
  bob.reply(invite, 200, { tag: 'b', body: answer })
  t.equal((await bob.ask('OPTIONS')).status, 200)
  await undisturbed(alice, bob)
})

t.test('[FS4] a storm of requests that are answered does not push out one that is not', async t => {
  const bob = (await stand.phone('bob', { device: 'desk' })).client
  const alice = await phone()
  const calling = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...calling, ...media(offer) }))
  const { call } = await bob.next('invite')
  bob.send({ type: 'accept', call, sdp: answer })
  const dialogue = alice.dialogue(calling, await alice.response('INVITE', 200))
  alice.say(alice.within(dialogue, 'ACK'))
  t.equal((await alice.ask('OPTIONS')).status, 200)
  const pending = alice.inviting('bob')
  alice.say(alice.compose('INVITE', { ...pending, ...media(offer) }))
  await bob.next('invite')
  for (let count = 0; count < 300; count++) alice.say(alice.compose('INVITE', { uri: 'sip:acme' }))
  await until(() => alice.heard.filter(({ status }) => status === 484).length === 300)
  alice.say(alice.compose('ACK', pending))
  t.equal((await alice.ask('CANCEL', pending)).status, 200, 'what is not answered yet is not forgotten')
  t.equal((await alice.askWithin(dialogue, 'BYE')).status, 200)
  await undisturbed(alice, bob)
})

t.test('[FS6] proofs that prove nothing', async t => {
  const alice = await sipPhone(t, stand, 'alice')
  const headers = alice.registerHeaders(600)
  const ask = (proof: string) => alice.ask('REGISTER', { headers: [...headers, proof] })
  const challenged = () => alice.ask('REGISTER')
  const digest = async (...more: [string?, string?]) =>
    alice.digest(await challenged(), 'REGISTER', 'sip:acme', ...more)
  t.equal((await ask(await digest('alice', 'another secret'))).status, 401)
  t.equal((await ask(await digest('zoe'))).status, 401, 'nobody')
  t.equal((await ask((await digest()).replace(', qop=auth', ''))).status, 401, 'without qop')
  t.equal((await ask((await digest()).replace('realm="acme"', 'realm="other"'))).status, 401)
  t.equal((await ask((await digest()).replace('algorithm=MD5', 'algorithm=SHA-256'))).status, 401)
  t.equal((await ask((await digest()).replace('uri="sip:acme"', 'uri="sip:other"'))).status, 401)
  t.equal((await ask('Authorization: Basic YTpi')).status, 401)
  const old = await digest()
  clockOfNonces.advance(61_000)
  t.match((await ask(old)).of('WWW-Authenticate'), 'stale=true')
  const elsewhere = { from: '<sip:alice@other>;tag=x', headers: [await digest()] }
  const foreign = await alice.ask('REGISTER', elsewhere)
  t.equal(foreign.status, 401, 'in the domain of another tenant')
  t.match(foreign.of('WWW-Authenticate'), 'realm="other"')
  t.equal((await alice.ask('REGISTER', { from: '<tel:+15550100>;tag=x' })).status, 401)
  const good = await digest()
  t.equal((await ask(good)).status, 200)
  t.equal((await ask(good)).status, 401, 'a proof is good once')
  const other = await sipPhone(t, stand, 'alice')
  t.equal((await other.ask('REGISTER', { headers: [...headers, good] })).status, 401, 'on any connection')
  other.ws.terminate()
  await undisturbed(alice)
})

t.test('[FS7] what a message says of its sender sends nothing elsewhere', async t => {
  const tcp = createServer(() => t.fail('a connection to somebody else')).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4', () => t.fail('a datagram to somebody else')).bind(port, '127.0.0.1')
  await once(udp, 'listening')
  t.teardown(() => Promise.all([tcp.close(), udp.close()]))
  const liar = await sipPhone(t, stand, 'alice')
  const own = [`Contact: <sip:alice@127.0.0.1:${port};transport=udp>;expires=600`]
  const elsewhere = `SIP/2.0/UDP 127.0.0.1:${port};received=127.0.0.1;rport=${port}`
  liar.say(liar.compose('REGISTER', { headers: own }).replace('SIP/2.0/WS phone.invalid', elsewhere))
  const challenged = await liar.response('REGISTER')
  t.equal(challenged.status, 401, 'it comes back by the connection')
  const headers = [...own, liar.digest(challenged, 'REGISTER', 'sip:acme')]
  t.equal((await liar.ask('REGISTER', { headers, seq: 2 })).status, 200)
  const bob = await phone('bob')
  const calling = bob.inviting('alice')
  bob.say(bob.compose('INVITE', { ...calling, ...media(offer) }))
  const invite = await liar.request('INVITE')
  t.match(invite.start, `127.0.0.1:${port}`, 'and so does what is for its Contact')
  liar.reply(invite, 486, { tag: 'a' })
  t.equal((await bob.response('INVITE', 200)).status, 486)
  await undisturbed(liar, bob)
})

t.test('[FS8] a request that has come too far, and one that asks for more than there is', async t => {
  const alice = await phone()
  alice.say(alice.compose('INVITE', alice.inviting('bob')).replace('Max-Forwards: 70', 'Max-Forwards: 0'))
  t.equal((await alice.response('INVITE')).status, 483)
  const bad = await alice.ask('INVITE', { ...alice.inviting('bob'), headers: ['Require: 100rel, timer, x'] })
  t.equal(bad.status, 420)
  t.equal(bad.of('Unsupported'), '100rel, x')
  t.equal((await alice.ask('OPTIONS', { headers: ['Proxy-Require: y'] })).status, 420)
  const odd = await alice.ask('ODD')
  t.equal(odd.status, 405)
  t.match(odd.of('Allow'), 'INVITE')
  await undisturbed(alice)
})

t.test(
  '[FS5] messages that are none, by chance, from a phone with a session and from one without',
  async t => {
    const seed = Number(process.env.SEED ?? 20_261_129)
    t.comment(`SEED=${seed}`)
    const chance = chanceOf(seed)
    const alice = await phone()
    const stranger = await sipPhone(t, stand, 'alice')
    const pieces = [
      '\r\n',
      '\r\n\r\n',
      ' ',
      ';',
      ',',
      '"',
      '<',
      '>',
      ':',
      '%',
      '\0',
      'é',
      ';tag=',
      'Contact: *',
      '*',
    ]
    const seeds = [
      'INVITE',
      'REGISTER',
      'SUBSCRIBE',
      'PUBLISH',
      'MESSAGE',
      'ACK',
      'CANCEL',
      'BYE',
      'REFER',
    ].map(method =>
      alice.compose(method, {
        ...alice.inviting('bob'),
        headers: [
          'Event: presence',
          'Expires: 60',
          alice.where,
          'Content-Type: application/sdp',
          'Refer-To: <sip:x@y>',
        ],
        body: offer,
      }),
    )
    const mutated = (): string => {
      let text = chance.pick(seeds)
      for (let count = chance.below(4); count >= 0; count--) {
        const at = chance.below(text.length)
        const cut = chance.odds(0.5) ? chance.below(30) : 0
        text = text.slice(0, at) + (chance.odds(0.7) ? chance.pick(pieces) : '') + text.slice(at + cut)
      }
      return text
    }
    for (let count = 0; count < 1_500; count++) {
      alice.say(mutated())
      stranger.say(mutated())
      if (count % 100 === 0) await bystander.ask('OPTIONS')
    }
    const open = [alice, stranger].map(({ ws }) => ws.readyState)
    t.same(open, [1, 1], 'none of it ends a connection')
    t.equal((await alice.ask('OPTIONS', { branch: 'z9hG4bKlast' })).status, 200)
    t.equal((await stranger.ask('OPTIONS', { branch: 'z9hG4bKlast' })).status, 401)
    stranger.ws.terminate()
    alice.ws.close(1000)
    await alice.closed
    await clock.settle(60_000)
    await undisturbed()
  },
)

t.test('the last one leaves', async t => {
  bystander.ws.close(1000)
  await until(() => stand.gateway.counts.sessions === 0)
  t.equal(stand.gateway.counts.lingering, 0)
})
