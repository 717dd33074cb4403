// A corpus of TwiML documents, valid, odd and hostile, each with exactly what it gives: its steps and warnings, or
// every fault with its line and column. It is what an author may rely on.

import { test } from 'tap'
import { readDocument, readInstructions } from '../../src/router/instructions/index.js'
import { faultText } from '../../src/runtime/index.js'
import { dial } from './corpus/dial.js'
import { flow } from './corpus/flow.js'
import { gateway } from './corpus/gateway.js'
import { xml } from './corpus/xml.js'

const corpus = { dial, flow, gateway, xml }

for (const [about, specimens] of Object.entries(corpus)) {
  for (const { title, twiml, gives } of specimens) {
    test(`${about}: ${title}`, t => {
      const read = readInstructions({ twiml })
      t.strictSame(
        read.ok ? read.value : { faults: read.faults.map(faultText) },
        'steps' in gives ? { warnings: [], ...gives } : gives,
      )
      if (!/\p{Surrogate}/u.test(twiml)) t.strictSame(readDocument(Buffer.from(twiml), 'twiml'), read)
      t.end()
    })
  }
}

test('the corpus has what authors write, and what attackers do', t => {
  const all = Object.values(corpus).flat()
  t.ok(all.length >= 60, `${all.length} documents`)
  t.equal(new Set(all.map(({ twiml }) => twiml)).size, all.length, 'no document twice')
  for (const id of ['FX1', 'FX2', 'FX3', 'FX6'])
    t.ok(all.filter(({ title }) => title.includes(id)).length >= 8, id)
  t.end()
})
