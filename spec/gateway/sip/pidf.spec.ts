// Presence as PIDF: what is written is read again, and what clients publish is understood.

import t from 'tap'
import { readPidf, writePidf } from '../../../src/gateway/dialects/sip/pidf.js'
import { statuses } from '../../../src/protocol/index.js'
import { readXml } from '../../../src/runtime/index.js'

const head =
  '<?xml version="1.0" encoding="UTF-8"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:al@acme">'

t.test('each status is open or closed, with an activity that clients show', async t => {
  t.equal(
    writePidf({ entity: 'sip:al@acme', status: 'available' }),
    `${head}<tuple id="account"><status><basic>open</basic></status><note>Available</note></tuple></presence>\n`,
  )
  t.equal(
    writePidf({ entity: 'sip:al@acme', status: 'busy', note: 'till 4' }),
    `${head}<tuple id="account"><status><basic>open</basic></status><note>till 4</note></tuple><dm:person id="person"><rpid:activities><rpid:on-the-phone/><rpid:busy/></rpid:activities></dm:person></presence>\n`,
  )
  t.same(
    statuses.map(status => {
      const text = writePidf({ entity: 'sip:al@acme', status })
      return [
        status,
        /<basic>(\w+)/.exec(text)?.[1],
        /<rpid:activities>.*<\/rpid:activities>/.exec(text)?.[0] ?? '',
      ]
    }),
    [
      ['available', 'open', ''],
      ['ringing', 'open', '<rpid:activities><rpid:busy/><rpid:other>ringing</rpid:other></rpid:activities>'],
      ['busy', 'open', '<rpid:activities><rpid:on-the-phone/><rpid:busy/></rpid:activities>'],
      ['away', 'open', '<rpid:activities><rpid:away/></rpid:activities>'],
      ['dnd', 'open', '<rpid:activities><rpid:busy/><rpid:other>dnd</rpid:other></rpid:activities>'],
      ['offline', 'closed', ''],
    ],
  )
})

t.test('what is written is read again; ringing is busy to who cannot say it', async t => {
  for (const status of statuses) {
    const note = 'a note'
    t.same(readPidf(writePidf({ entity: 'sip:al@acme', status, note })), {
      ok: true,
      value: { status: status === 'ringing' ? 'busy' : status, note },
    })
  }
})

t.test('each device has a tuple of its own', async t => {
  const devices = [
    { name: 'desk', status: 'available' },
    { name: 'mobile', status: 'offline' },
  ] as const
  const text = writePidf({ entity: 'sip:al@acme', status: 'available', devices })
  t.match(
    text,
    '<tuple id="device-0"><status><basic>open</basic></status><note>desk</note></tuple><tuple id="device-1"><status><basic>closed</basic></status><note>mobile</note></tuple>',
  )
  t.match(readPidf(text), { ok: true, value: { status: 'available' } })
})

t.test('[FX7] what is in a note stays in it', async t => {
  const note = 'a</note><basic>closed</basic>&"\0\x1b[31m\ud800'
  const text = writePidf({ entity: 'sip:"<&>@acme', status: 'available', note })
  t.ok(readXml(text).ok)
  t.same(readPidf(text), {
    ok: true,
    value: { status: 'available', note: 'a</note><basic>closed</basic>&"\uFFFD\uFFFD[31m\uFFFD' },
  })
})

const published = (inner: string): string =>
  `<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:d="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" xmlns:old="urn:ietf:params:xml:ns:pidf:status:rpid" entity="sip:al@acme">${inner}</presence>`

const tuple = (basic: string, more = ''): string =>
  `<tuple id="a"><status><basic>${basic}</basic>${more}</status></tuple>`

const doing = (activity: string): string =>
  `<d:person id="p"><r:activities>${activity}</r:activities></d:person>`

t.test('what clients publish is understood', async t => {
  const told = (inner: string) => {
    const read = readPidf(published(inner))
    return read.ok ? read.value : read.faults
  }
  t.same(told(tuple('open')), { status: 'available' })
  t.same(told(tuple('closed')), { status: 'offline' })
  t.same(told(tuple(' OPEN ')), { status: 'available' })
  t.same(told(tuple('closed') + tuple('open')), { status: 'available' }, 'one way to reach is enough')
  t.same(told(tuple('closed') + doing('<r:away/>')), { status: 'offline' })
  t.same(told(doing('<r:meeting/>')), { status: 'busy' })
  t.same(told(tuple('open') + doing('<r:busy/><r:away/>')), { status: 'busy' })
  t.same(told(tuple('open') + doing('<r:vacation/>')), { status: 'away' })
  t.same(told(tuple('open') + doing('<r:unknown/>')), { status: 'available' })
  t.same(told(tuple('open', '<old:activities><old:away/></old:activities>')), { status: 'away' })
  t.same(told(tuple('open') + doing('<r:other>Do not disturb</r:other>')), { status: 'dnd' })
  t.same(told(tuple('closed') + doing('<r:do-not-disturb/>')), { status: 'dnd' })
  t.same(told(`${tuple('open')}${doing('<r:busy/>')}<note>Do Not Disturb</note>`), {
    status: 'dnd',
    note: 'Do Not Disturb',
  })
  t.same(told(`${tuple('open')}<note/><note xml:lang="en"> At lunch </note>`), {
    status: 'available',
    note: 'At lunch',
  })
})

t.test('what is no PIDF, says nothing, or is more than is read, is refused with its place', async t => {
  const fault = (text: string) => {
    const read = readPidf(text)
    return read.ok ? read.value : read.faults[0]
  }
  t.same(fault('<presence/>'), { path: '1:1', message: 'is no PIDF document' })
  t.same(fault(published('<tuple id="a"/>')), { path: '1:1', message: 'says no status' })
  t.match(fault('<!DOCTYPE x [<!ENTITY y "z">]><presence/>'), { message: /DOCTYPE/ })
  t.match(fault(published('<a>'.repeat(20))), { message: /deep/ })
  t.match(fault(published('<a/>'.repeat(1001))), { message: /1000 elements/ })
  t.match(fault(published('x'.repeat(64 * 1024))), { message: /larger/ })
  t.match(fault(''), { path: /:/ })
})
