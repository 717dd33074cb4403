import t from 'tap'
import { nearest } from '../../src/cli/nearest.js'
import { ConfigSchema, listOptions } from '../../src/config.js'
import { closeCodes, guide } from '../../src/error-guide.js'
import { errorTable } from '../../src/errors.js'
import { createTerminal } from '../support/terminal.js'

const explain = async (...args: string[]) => {
  const terminal = createTerminal()
  const code = await terminal.run('explain', ...args)
  return { code, text: terminal.stdout.text, error: terminal.stderr.text, out: terminal.stdout }
}

t.test('[U16] explain says of every code and reason what one sees, why, and what to do', async t => {
  for (const name of [...guide.map(({ name }) => name), ...[...closeCodes.keys()].map(String)]) {
    const { code, text } = await explain(name)
    t.equal(code, 0, name)
    t.match(text, /^ {2}you see {2}.*^ {2}why {6}.*^ {2}do {7}/ms, name)
  }
  for (const { http } of Object.values(errorTable)) t.equal((await explain(String(http))).code, 0)
  const { text } = await explain('409')
  t.match(text, /^conflict {2}error code$.*^call-gone {2}error code$.*^busy {2}error code$/ms)
  t.notMatch(text, 'end of a call', 'a status is that of an error')
  t.match((await explain('4501')).text, /^replaced {2}error code/)
  t.match(
    (await explain('BUSY')).text,
    /error code.*end of a call.*reason not to ring/s,
    'all that a word means',
  )
  t.ok(text.split('\n').every(({ length }) => length <= 80))
})

t.test('explain says of every option of the configuration what it means, by any path', async t => {
  for (const { path } of listOptions(ConfigSchema)) t.equal((await explain(path)).code, 0, path)
  t.match(await explain('listen.port'), {
    text: 'listen.port  option of the configuration\n  means    The port to listen on; 0 picks a free one.\n  default  8080\n',
  })
  t.match((await explain('tenants.acme.keys[0].kid')).text, /^tenants\.NAME\.keys\[\]\.kid/)
})

t.test('programs get the same as data; without a code there is a list of all', async t => {
  t.match((await explain('call-gone', '--json')).out.events, [
    {
      event: 'explanation',
      word: 'call-gone',
      entries: [{ kind: 'error code', name: 'call-gone', why: /over/ }],
    },
  ])
  t.match(await explain(), { code: 0, text: /^error code: invalid, .*^close code: 1000, /ms })
  t.match((await explain('--json')).out.events, [{ event: 'guide' }])
})

t.test('what is not known is refused, with what may have been meant', async t => {
  t.match(await explain('cal-gone'), {
    code: 2,
    error: /^switchhook: cal-gone is not known: did you mean call-gone\?\n$/,
  })
  t.match(await explain('4509'), { code: 2, error: /did you mean 450\d/ })
  t.match(await explain('listen.prot'), { code: 2, error: /did you mean listen\.port/ })
  t.match(await explain('zzzzzz'), {
    code: 2,
    error: 'switchhook: zzzzzz is not known: switchhook explain lists all there are\n',
  })
  t.same(nearest('', ['abc']), [])
})
