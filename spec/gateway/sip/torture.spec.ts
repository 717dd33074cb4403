// [FS1] The torture messages of RFC 4475, all 49 of them: what is valid is read and survives being written and read
// again, what is not is refused as the RFC says, or dropped.

import t from 'tap'
import { parse } from '../../../src/gateway/dialects/sip/parse.js'
import { responseTo } from '../../../src/gateway/dialects/sip/response.js'
import { serialize } from '../../../src/gateway/dialects/sip/serialize.js'
import { mainValues } from './main-values.js'
import { beyond } from './torture/beyond.js'
import { invalid } from './torture/invalid.js'
import { valid } from './torture/valid.js'

for (const { section, name, title, text, gives } of [...valid, ...beyond]) {
  t.test(`[FS1] RFC 4475, ${section}, ${name}: ${title}`, async t => {
    const read = parse(text)
    if (!read.ok) throw new Error(read.reason)
    t.hasStrict(mainValues(read.message), gives)
    const again = parse(serialize(read.message))
    if (!again.ok) throw new Error(again.reason)
    t.strictSame(mainValues(again.message), mainValues(read.message))
  })
}

for (const { section, name, title, text, gives } of invalid) {
  t.test(`[FS1] RFC 4475, ${section}, ${name}: ${title}`, async t => {
    const read = parse(text)
    if (read.ok) throw new Error('it was read')
    if (gives === 'dropped') {
      t.equal(read.partial, undefined)
      return
    }
    t.equal(read.status, gives, read.reason)
    if (read.partial === undefined) throw new Error('it cannot be answered')
    const answer = serialize(responseTo(read.partial, read.status, { reason: read.reason, toTag: 'x' }))
    t.match(answer, `SIP/2.0 ${gives} ${read.reason}\r\nVia: `)
  })
}

t.test('[FS1] no torture message is left out', async t => {
  const sections = [...valid, ...beyond, ...invalid].map(({ section }) => section)
  const count = (prefix: string): number => sections.filter(section => section.startsWith(prefix)).length
  t.equal(new Set(sections).size, 49)
  t.same(['3.1.1.', '3.1.2.', '3.2.', '3.3.', '3.4.'].map(count), [13, 19, 1, 15, 1])
})
