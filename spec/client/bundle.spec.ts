// What the SDK is to those who load it: what it costs, and that its page names all that there is.

import { readFileSync } from 'node:fs'
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
  t.match(readFileSync('docs/sdk.md', 'utf8'), `${Math.round(size / 1000)} kB compressed`)
  t.match(code, /export\s*\{[^}]*\bSoftphone\b/)
  t.notMatch(code, /\bfrom\s*["'`]|\bimport\s*[("'`]|\brequire\s*\(/, 'it imports nothing')
  t.notMatch(code, /\bprocess\b|\bBuffer\b|node:/, "nothing of Node's")
})

t.test('the page about it names every option, event and state', async t => {
  const page = readFileSync('docs/sdk.md', 'utf8')
  /** The names that `pattern` finds in what a file says between two marks. */
  const named = (file: string, from: string, to: string, pattern: RegExp): string[] => {
    const text = readFileSync(`src/client/${file}`, 'utf8')
    const part = text.slice(text.indexOf(from), text.indexOf(to, text.indexOf(from)))
    return [...part.matchAll(pattern)].map(([, name]) => String(name))
  }
  const options = named('softphone-options.ts', 'interface SoftphoneOptions', '\n}', /^ {2}readonly (\w+)/gm)
  const events = named('softphone-options.ts', 'interface SoftphoneEvents', '\n}', /^ {2}(\w+):/gm)
  const states = named('connection.ts', 'type Connection =', 'type ConnectionEvent', /state: '(\w+)'/g)
  const methods = named('call.ts', 'class Call ', 'apply(', /^ {2}(?:async |get )?(\w+)\(/gm)
  t.ok(options.length > 15 && events.length > 5 && states.length > 5 && methods.length > 15)
  const spans = [...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, span = '']) => span.split(/\W+/))
  for (const name of [...options, ...events, ...states, ...methods]) {
    if (name !== 'constructor') t.ok(spans.includes(name), name)
  }
})
