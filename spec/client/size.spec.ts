// What the SDK costs those who load it.

import { gzipSync } from 'node:zlib'
import t from 'tap'
import { bundleClient } from '../support/bundle.js'

/** The promise is 12 kB; below it is room for what is to come. */
const limit = 12_000

t.test('the whole of switchhook/client is a few kilobytes on the wire, and needs nothing else', async t => {
  const code = await bundleClient()
  const size = gzipSync(code, { level: 9 }).length
  t.comment(`${code.length} bytes minified, ${size} compressed`)
  t.ok(size < limit, `${size} bytes compressed`)
  t.match(code, /export\s*\{[^}]*\bSoftphone\b/)
  t.notMatch(code, /\bfrom\s*["'`]|\bimport\s*[("'`]|\brequire\s*\(/, 'it imports nothing')
  t.notMatch(code, /\bprocess\b|\bBuffer\b|node:/, "nothing of Node's")
})
