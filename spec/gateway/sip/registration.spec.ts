// How a SIP client gets in: by a secret or by a token, as one account, for as long as it says; and what it is told when
// it does not.

import t from 'tap'
import type { Result } from '../../../src/errors.js'
import { transactionLimit } from '../../../src/gateway/dialects/sip/transactions.js'
import type { Grant } from '../../../src/gateway/token/index.js'
import { until } from '../../support/gateway.js'
import { acme } from '../../support/room.js'
import { type SipPhone, sipAccounts, sipPhone, sipScopes, sipStand } from '../../support/sip.js'

const stand = await sipStand(t)
const { clock, presence } = stand.room

const accountOf = (account: string) =>
  presence.resource(acme, account as never, { view: 'full', devices: true })

const statusOf = (account: string): string => accountOf(account).status

const devicesOf = (account: string) =>
  (accountOf(account).accounts?.[0]?.devices ?? []).map(({ device }) => device)

const gone = async (phone: SipPhone): Promise<void> => {
  phone.ws.close(1000)
  await phone.closed
  await until(() => stand.gateway.counts.sessions === 0)
}

t.test('a client registers by its secret, and is there until it says otherwise', async t => {
  const phone = await sipPhone(t, stand, 'alice')
  const registered = await phone.register(600, ['User-Agent: A Phone'])
  t.equal(registered.status, 200)
  t.match(registered.of('Contact'), `<${phone.contact}>;expires=600`)
  t.match(registered.of('To'), /;tag=/)
  t.match(registered.of('Date'), 'GMT')
  t.equal(statusOf('alice'), 'available')
  t.same(devicesOf('alice'), ['alice-ws'])

  const asked = await phone.ask('REGISTER')
  t.equal(asked.status, 401, 'each REGISTER is proven anew')
  clock.advance(10_000)
  const listed = await phone.ask('REGISTER', {
    headers: [phone.digest(asked, 'REGISTER', 'sip:acme')],
    seq: 2,
  })
  t.match(listed.of('Contact'), 'expires=590', 'without a Contact it hears of what there is')
  t.equal((await phone.register(0)).of('Contact'), '')
  t.equal(statusOf('alice'), 'offline')
  t.equal((await phone.register(60)).status, 200)
  t.equal(statusOf('alice'), 'available')
  t.equal((await phone.register(0, ['Expires: 0'])).status, 200, 'and the connection stays')
  t.equal((await phone.ask('OPTIONS')).status, 200)
  t.equal(statusOf('alice'), 'offline')
  await gone(phone)
})

t.test('a registration that is not refreshed is over', async t => {
  const phone = await sipPhone(t, stand, 'alice')
  const token = await stand.token('alice')
  const headers = [...phone.registerHeaders(100), `Authorization: Bearer ${token}`]
  t.equal((await phone.ask('REGISTER', { headers })).status, 200)
  clock.advance(90_000)
  t.equal((await phone.ask('REGISTER', { headers, seq: 2 })).status, 200)
  clock.advance(90_000)
  t.equal(statusOf('alice'), 'available')
  clock.advance(10_000)
  await until(() => statusOf('alice') === 'offline')
  await gone(phone)
})

t.test('a registration is as long as it may be', async t => {
  const phone = await sipPhone(t, stand, 'alice')
  const brief = await phone.register(59)
  t.equal(brief.status, 423)
  t.equal(brief.of('Min-Expires'), '60')
  t.equal(statusOf('alice'), 'offline', 'it is connected, and not there')
  t.match((await phone.register(86_400)).of('Contact'), 'expires=3600')
  t.equal(statusOf('alice'), 'available')
  const token = `Authorization: Bearer ${await stand.token('alice')}`
  const ask = (...headers: string[]) => phone.ask('REGISTER', { headers: [token, ...headers] })
  t.match((await ask(`Contact: <${phone.contact}>`, 'Expires: 120')).of('Contact'), 'expires=120')
  t.match((await ask(`Contact: <${phone.contact}>`, 'Expires: soon')).of('Contact'), 'expires=3600')
  t.equal((await ask('Contact: *', 'Expires: 60')).status, 400)
  t.equal(statusOf('alice'), 'available')
  t.equal((await ask('Contact: *', 'Expires: 0')).status, 200)
  t.equal(statusOf('alice'), 'offline')
  await gone(phone)
})

t.test('whoever takes a registration back by its secret stays who they are', async t => {
  const phone = await sipPhone(t, stand, 'alice')
  await phone.register(600, ['Expires: 600'])
  t.equal((await phone.register(0, ['Expires: 0'])).status, 200)
  t.equal(statusOf('alice'), 'offline')
  clock.advance(3_000_000)
  t.equal((await phone.ask('OPTIONS')).status, 200)
  await gone(phone)

  const other = await sipPhone(t, stand, 'alice')
  const headers = ['Event: presence', 'Expires: 0', other.where]
  const challenged = await other.ask('SUBSCRIBE', { headers })
  const proof = other.digest(challenged, 'SUBSCRIBE', 'sip:acme')
  t.equal((await other.ask('SUBSCRIBE', { headers: [...headers, proof] })).status, 404)
  t.equal((await other.ask('OPTIONS')).status, 200)
  await gone(other)
})

t.test('a first REGISTER that is refused leaves nobody there', async t => {
  const refused = async (more: string, to?: string): Promise<number> => {
    const phone = await sipPhone(t, stand, 'alice')
    const headers = [
      ...phone.registerHeaders(600),
      more,
      `Authorization: Bearer ${await stand.token('alice')}`,
    ]
    const { status } = await phone.ask('REGISTER', { headers, ...(to !== undefined && { to }) })
    await phone.ask('OPTIONS')
    t.equal(statusOf('alice'), 'offline')
    await gone(phone)
    return status
  }
  t.equal(await refused('Expires: 600', '<sip:bob@acme>'), 403)
  t.equal(await refused('Require: something'), 420)
})

t.test('one connection is of one account', async t => {
  const phone = await sipPhone(t, stand, 'alice')
  await phone.register()
  const bob = { to: '<sip:bob@acme>', headers: phone.registerHeaders(60) }
  t.equal((await phone.ask('REGISTER', bob)).status, 403)
  const challenged = await phone.ask('REGISTER')
  const proof = phone.digest(challenged, 'REGISTER', 'sip:acme', 'bob')
  t.equal((await phone.ask('REGISTER', { headers: [proof] })).status, 403, 'nor by the secret of another')
  t.equal(statusOf('alice'), 'available')
  const token = `Authorization: Bearer ${await stand.token('bob')}`
  phone.say(phone.compose('REGISTER', { headers: [token] }))
  t.equal(await phone.closed, 4502, 'nor by the token of another')
  await until(() => stand.gateway.counts.sessions === 0)
})

t.test('a token that is none is refused, and the connection is over', async t => {
  const phone = await sipPhone(t, stand, 'alice')
  const refused = await phone.ask('REGISTER', { headers: ['Authorization: Bearer nonsense'] })
  t.equal(refused.status, 401)
  t.match(refused.of('WWW-Authenticate'), /^Digest realm="acme"/)
  t.equal(await phone.closed, 4401)

  const lowly = await sipPhone(t, stand, 'alice')
  const token = await stand.token('alice', { scopes: ['call:receive'] })
  t.equal((await lowly.ask('REGISTER', { headers: [`Authorization: Bearer ${token}`] })).status, 403)
  t.equal(await lowly.closed, 4502)

  const later = await sipPhone(t, stand, 'alice')
  await later.register()
  t.equal((await later.ask('REGISTER', { headers: ['Authorization: Bearer nonsense'] })).status, 401)
  t.equal(statusOf('alice'), 'available', 'a refresh that fails changes nothing')
  await gone(later)
})

t.test('a client that registers without an application of its own has a name all the same', async t => {
  const token = `Authorization: Bearer ${await stand.token('alice')}`
  const named = async (contact: string): Promise<string> => {
    const phone = await sipPhone(t, stand, 'alice')
    const headers = [token, ...(contact === '' ? [] : [`Contact: ${contact}`])]
    t.equal((await phone.ask('OPTIONS', { headers })).status, 200)
    const [device = ''] = devicesOf('alice')
    await gone(phone)
    return device
  }
  const instance = '<sip:x@phone.invalid>;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'
  t.equal(await named(instance), 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
  t.equal(await named('<sip:desk.1@phone.invalid>'), 'desk-1')
  t.match(await named('<sip:phone.invalid>'), /^[0-9a-f]{24}$/)
  t.match(await named('<tel:+15550100>'), /^[0-9a-f]{24}$/)
  t.match(await named(''), /^[0-9a-f]{24}$/)
})

t.test('what comes before the hub has answered waits, within bounds', async t => {
  let verified = (_: Result<Grant>): void => {}
  const slow = await sipStand(t, {
    verifier: {
      verify: () =>
        new Promise(resolve => {
          verified = resolve
        }),
    },
  })
  const phone = await sipPhone(t, slow, 'alice')
  phone.say(phone.compose('REGISTER', { headers: ['Authorization: Bearer x', ...phone.registerHeaders(60)] }))
  phone.say(phone.compose('OPTIONS'))
  phone.say(phone.compose('ACK'))
  phone.say(phone.compose('MESSAGE', { body: 'x'.repeat(60_000) }))
  phone.say(phone.compose('MESSAGE', { body: 'x'.repeat(60_000) }))
  phone.say(phone.compose('ACK', { body: 'x'.repeat(60_000) }))
  const refused = await phone.response('MESSAGE')
  t.equal(refused.status, 503, 'the one that was too much is told at once')
  t.equal(refused.of('Retry-After'), '1')
  const grant = { tenant: acme, account: 'alice', scopes: sipScopes, expires: 1e15, groups: [] }
  verified({ ok: true, value: grant as unknown as Grant })
  t.equal((await phone.response('REGISTER')).status, 200)
  t.equal((await phone.response('OPTIONS')).status, 200)
  t.equal((await phone.response('MESSAGE')).status, 404)
  phone.ws.close(1000)
  await phone.closed
})

t.test('more requests than are remembered, all at once, are told to come again', async t => {
  let verified = (_: Result<Grant>): void => {}
  const errors: unknown[] = []
  const slow = await sipStand(t, {
    verifier: {
      verify: () =>
        new Promise(resolve => {
          verified = resolve
        }),
    },
    log: { info() {}, warn() {}, error: (_, message) => void errors.push(message) },
  })
  const phone = await sipPhone(t, slow, 'alice')
  phone.say(phone.compose('REGISTER', { headers: ['Authorization: Bearer x', ...phone.registerHeaders(60)] }))
  for (let seq = 0; seq < transactionLimit + 2; seq++) {
    const lines = [
      'SUBSCRIBE sip:b@a SIP/2.0',
      `v:SIP/2.0/WS a;branch=${seq}`,
      'f:<sip:a@a>;tag=1',
      't:<sip:b@a>',
    ]
    phone.say([...lines, 'i:1', `CSeq:${seq} SUBSCRIBE`, 'o:presence', '', ''].join('\r\n'))
  }
  phone.say('\r\n\r\n')
  await until(() => phone.texts.includes('\r\n'))
  const grant = { tenant: acme, account: 'alice', scopes: sipScopes, expires: 1e15, groups: [] }
  verified({ ok: true, value: grant as unknown as Grant })
  t.equal((await phone.response('REGISTER')).status, 200)
  t.equal((await phone.response('SUBSCRIBE')).status, 503)
  t.equal((await phone.ask('OPTIONS')).status, 200)
  t.same(errors, [])
  phone.ws.close(1000)
  await phone.closed
})

t.test('two line ends are answered with one, and a message that is none with nothing', async t => {
  const phone = await sipPhone(t, stand, 'alice')
  phone.say('\r\n\r\n')
  await until(() => phone.texts.length === 1)
  t.equal(phone.texts[0], '\r\n')
  phone.say('\r\n')
  phone.say('')
  phone.say('nonsense')
  phone.say(phone.compose('ACK'))
  phone.reply(await phone.ask('OPTIONS'), 200)
  const old = phone.compose('OPTIONS', { branch: '' }).replace(/;branch=/, ';rport')
  phone.say(old.replaceAll('OPTIONS', 'ACK'))
  phone.say(old)
  t.equal((await phone.response('OPTIONS')).status, 400)
  phone.say(phone.compose('OPTIONS').replace('Max-Forwards: 70', 'Max-Forwards: many'))
  t.equal((await phone.response('OPTIONS')).status, 400)
  t.equal(phone.texts.length, 4)
  clock.advance(6_000)
  t.equal(await phone.closed, 4408, 'whoever proves nothing is not kept')

  const registered = await sipPhone(t, stand, 'alice')
  await registered.register(3600)
  clock.advance(3_600_000)
  t.equal(await registered.closed, 4401, 'a proof lasts as long as a registration may')
})

t.test('the hub asks for a sign of life by two line ends', async t => {
  const brisk = await sipStand(t, { rest: { presence: { heartbeatMs: 10_000 } } })
  const phone = await sipPhone(t, brisk, 'alice')
  await phone.register()
  brisk.room.clock.advance(11_000)
  await until(() => phone.texts.includes('\r\n\r\n'))
  phone.say('\r\n')
  t.equal((await phone.ask('OPTIONS')).status, 200)
})

t.test('[FS6] an account that asks for SHA-256 is not to be had for MD5', async t => {
  const strict = await sipStand(t, { sipAccounts: sipAccounts(['alice'], { algorithm: 'SHA-256' }) })
  const phone = await sipPhone(t, strict, 'alice')
  const asked = await phone.ask('REGISTER')
  t.match(asked.of('WWW-Authenticate'), 'algorithm=SHA-256')
  const proof = phone.digest(asked, 'REGISTER', 'sip:acme')
  t.equal((await phone.ask('REGISTER', { headers: [proof] })).status, 401)
})
