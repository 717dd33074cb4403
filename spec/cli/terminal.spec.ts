import { Writable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { blaming, failureOf, misuse } from '../../src/cli/failure.js'
import { duration } from '../../src/cli/flags.js'
import { keyHelp } from '../../src/cli/keys.js'
import { Live } from '../../src/cli/live.js'
import { createLog } from '../../src/cli/log.js'
import { Output } from '../../src/cli/output.js'
import { aborted } from '../../src/cli/shell.js'
import {
  bold,
  columns,
  green,
  jsonLine,
  line,
  printable,
  red,
  render,
  table,
  whole,
} from '../../src/cli/text.js'
import { factsText, timelineTable } from '../../src/cli/timeline.js'
import { SwitchhookError } from '../../src/client/index.js'
import { createTerminal, Sink } from '../support/terminal.js'

const plain = { width: 20, colour: false }
const seed = Number(process.env.SEED ?? Date.now() % 1e9)
t.comment(`SEED=${seed}`)

t.test('[FX7] no character of a wire reaches the terminal that would be obeyed there', async t => {
  t.equal(
    printable('a\x1b[31mb\r\n\x07\u009b\u202e\u2028'),
    'a\\u{1b}[31mb\\u{d}\\u{a}\\u{7}\\u{9b}\\u{202e}\\u{2028}',
  )
  t.equal(jsonLine({ note: '\x1b\u009b\u202e\u{e0001}' }), '{"note":"\\u001b\\u009b\\u202e\\udb40\\udc01"}')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const shown = render(line('x', red(text)), { width: 30, colour: false }).join('\n')
      const said = jsonLine({ text })
      return (
        !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(shown.replaceAll('\n', '')) &&
        !/[\p{C}]/u.test(said) &&
        JSON.parse(said).text === text
      )
    }),
    { seed },
  )
})

t.test('[FX7] a log line is JSON in which nothing is obeyed, whatever was logged', async t => {
  const stderr = new Sink()
  const log = createLog(stderr, 'info')
  const odd = 'a\x1b[2J\u009b1m\u202e\n'
  log.info({ peer: odd, token: 'hidden' }, odd)
  log.warn({}, 'next')
  t.equal(stderr.lines.length, 2)
  t.notMatch(stderr.text.replaceAll('\n', ''), /[\p{C}]/u)
  t.match(stderr.events, [{ peer: odd, msg: odd, token: '[Redacted]' }, { msg: 'next' }])
})

t.test('lines fold at spaces and go on further in; one that is to be copied does not', async t => {
  t.strictSame(render(line('  one two three four five six'), plain), ['  one two three four', '    five six'])
  t.strictSame(render(line('x'.repeat(25)), plain), ['x'.repeat(20), `  ${'x'.repeat(5)}`])
  t.strictSame(render(line(`${'x'.repeat(20)}   `), plain), ['x'.repeat(20)])
  t.strictSame(render(whole('one two three four five six'), plain), ['one two three four five six'])
  t.strictSame(render(line('  ab'), { width: 1, colour: false }).join('').replaceAll(' ', ''), 'ab')
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.integer({ min: 4, max: 80 }),
      (text, width) => render(line(text), { width, colour: false }).every(row => columns(row) <= width),
    ),
    { seed },
  )
})

t.test('wide characters take two columns, and marks none', async t => {
  t.equal(columns('日本'), 4)
  t.equal(columns('e\u0301'), 1)
})

t.test('a table keeps its columns below each other, and folds the last within itself', async t => {
  const rows = table([
    ['a', green('available'), 'first of all there were'],
    ['longer', 'no', 'x'],
  ])
  t.strictSame(
    rows.flatMap(row => render(row, { width: 38, colour: false })),
    ['a       available  first of all there', '                   were', 'longer  no         x'],
  )
  const [cut = ''] = table([['x'.repeat(40), 'end']], 2).flatMap(row =>
    render(row, { width: 80, colour: false }),
  )
  t.equal(cut, `  ${'x'.repeat(29)}…  end`)
})

t.test('colours are for terminals whose owner wants them', async t => {
  const colours = (env: Record<string, string>, isTTY: boolean) => {
    const sink = Object.assign(new Sink(), { isTTY })
    new Output(sink, { env, json: false }).print(line('is ', green('available'), ' ', bold('now')))
    return sink.text
  }
  t.equal(colours({}, true), 'is \x1b[32mavailable\x1b[39m \x1b[1mnow\x1b[22m\n')
  t.equal(colours({ NO_COLOR: '' }, true), colours({}, true))
  t.equal(colours({ NO_COLOR: '1' }, true), 'is available now\n')
  t.equal(colours({ TERM: 'dumb' }, true), 'is available now\n')
  t.equal(colours({}, false), 'is available now\n')
})

t.test('programs are told events, people lines; no further than 80 columns, nor than there are', async t => {
  const json = new Sink()
  const event = { event: 'said', words: 2 }
  new Output(json, { env: {}, json: true }).tell(event, line('two words'))
  t.strictSame(json.events, [event])
  const text = new Sink()
  const output = new Output(text, { env: {}, json: false })
  output.tell(event)
  t.equal(text.text, '')
  output.tell(event, line('word '.repeat(30)))
  t.ok(text.lines.length === 2 && text.lines.every(({ length }) => length <= 80))
  text.columns = 40
  t.equal(output.width, 40)
  text.columns = 0
  t.equal(output.width, 80, 'a terminal that does not know')
  text.columns = 200
  t.equal(output.width, 80)
})

const screenOf = (rows: number, columns?: number) => {
  const screen = Object.assign(new Sink(), { isTTY: true, rows, ...(columns && { columns }) })
  return { screen, output: new Output(screen, { env: { NO_COLOR: '1' }, json: false }) }
}

t.test('a picture on a live screen is drawn over the one before, as far as there is room', async t => {
  const { screen, output } = screenOf(3)
  output.typed()
  output.redraw([line('1'), line('2'), line('3')])
  output.redraw([line('4')])
  t.equal(screen.text, '1\n2\n\x1b[2A\r\x1b[J4\n')
  const tall = Object.assign(new Sink(), { isTTY: true })
  new Output(tall, { env: {}, json: false }).redraw(Array.from({ length: 30 }, () => line('x')))
  t.equal(tall.lines.length, 23)
})

t.test('what is printed meanwhile stands above the picture; what is typed below it goes with it', async t => {
  const { screen, output } = screenOf(24)
  output.redraw([line('now')])
  output.print(line('news'))
  output.typed()
  output.redraw([line('then')])
  output.ring()
  output.settle()
  output.print(line('over'))
  output.print()
  t.equal(screen.text, 'now\n\x1b[1A\r\x1b[Jnews\nnow\n\x1b[2A\r\x1b[Jthen\n\x07over\n')
})

t.test('a screen that was made narrower has folded the picture, and all of it is drawn over', async t => {
  const { screen, output } = screenOf(24, 20)
  output.redraw([line('x'.repeat(20)), line('')])
  screen.columns = 8
  output.redraw([line('y')])
  t.equal(screen.text, `${'x'.repeat(20)}\n\n\x1b[4A\r\x1b[Jy\n`)
})

t.test('a live view draws what is so now, at most so often; nothing after its end', async t => {
  const { screen, output } = screenOf(24)
  const live = new Live(output)
  let count = 0
  const show = () => live.show({ event: 'count', count }, line(`${count}`), () => [line(`${count} so far`)])
  show()
  for (count = 1; count < 100; count++) show()
  t.equal(screen.text, '0 so far\n', 'the first at once')
  await screen.until('100 so far')
  t.equal(screen.text, '0 so far\n\x1b[1A\r\x1b[J100 so far\n', 'and all others as one')
  count = 101
  show()
  live.end()
  count = 102
  show()
  output.print(line('bye'))
  t.match(screen.text, /J101 so far\nbye\n$/)
})

t.test('a live view that has rested draws the next picture at once', async t => {
  const { screen, output } = screenOf(24)
  let wake = (): void => {}
  const live = new Live(output, act => {
    wake = act
    return () => {}
  })
  live.draw(() => [line('1')])
  wake()
  live.draw(() => [line('2')])
  t.match(screen.text, /^1\n.*2\n$/s)
})

t.test('a live view is lines in a pipe, and events for programs', async t => {
  const [pipe, json] = [new Sink(), new Sink()]
  for (const [sink, isJson] of [
    [pipe, false],
    [json, true],
  ] as const) {
    const live = new Live(new Output(sink, { env: {}, json: isJson }))
    live.show({ event: 'count', count: 1 }, line('one'), () => [line('a picture')])
    live.draw(() => [line('a picture')])
    live.end()
  }
  t.equal(pipe.text, 'one\n')
  t.strictSame(json.events, [{ event: 'count', count: 1 }])
})

t.test('[FC5] a reader that has gone away is no fault', async () => {
  const broken = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  })
  const output = new Output(broken, { env: {}, json: false })
  output.print(line('hello'))
  await output.gone
  output.print(line('still no fault'))
})

t.test('durations are written with their unit', async t => {
  t.strictSame(['500ms', '2s', '5m', '1h'].map(duration), [500, 2000, 300_000, 3_600_000])
  for (const text of ['', '2', 's', '-1s', '1.5s', '2 s', '25h', '1d']) t.throws(() => duration(text))
})

t.test('every fact of a timeline is shown, known or not', async t => {
  t.equal(
    factsText({
      at: 'x',
      event: 'new',
      account: 'bob',
      by: { account: 'alice', device: 'web' },
      odd: { a: [1] },
      none: null,
      list: [],
      reason: 'declined',
    }),
    'bob; by alice/web; odd {"a":[1]}; none null; list none; declined',
  )
  t.equal(factsText({ account: 'bob', device: 'desk' }), 'bob/desk')
  t.strictSame(
    timelineTable({
      call: 'c',
      to: 'a',
      from: 'b',
      state: 'ended',
      createdAt: '2026-01-01T00:00:00.000Z',
    }),
    [],
  )
})

t.test('every way to fail is a line or more, and an exit code', async t => {
  t.match(failureOf(misuse('one', 'two')), { exitCode: 2, lines: ['one', 'two'] })
  t.match(failureOf(new SwitchhookError('revoked', 'gone')), { exitCode: 1, lines: ['--token: gone'] })
  t.match(failureOf(new SwitchhookError('draining', 'later')), { exitCode: 1, lines: ['draining: later'] })
  t.match(failureOf(new RangeError('odd')), { exitCode: 1, lines: ['odd'] })
  const blamed = (message: string) =>
    blaming(Promise.reject(new SwitchhookError('invalid', message)), { 'to ': '--to ' }).catch(error => error)
  t.match(await blamed('to must be text'), { exitCode: 2, lines: ['--to must be text'] })
  t.match(await blamed('at most 64 params'), { code: 'invalid' }, 'no flag is known for it')
  t.match(failureOf('odd'), { exitCode: 1, lines: ['odd'] })
})

t.test('a job that is stopped before it waits does not wait', async () => {
  await aborted(AbortSignal.abort('SIGINT'))
})

t.test('bad usage exits 2 with one line that names what is wrong', async t => {
  const cases: [string[], RegExp][] = [
    [[], /^switchhook: no command: see switchhook --help\n$/],
    [['bogus'], /^switchhook: unknown command 'bogus'\n$/],
    [['serv'], /^switchhook: unknown command 'serv' \(Did you mean serve\?\)\n$/],
    [['serve', '--prot', '1'], /^switchhook: unknown option '--prot' \(Did you mean --port\?\)\n$/],
    [['serve', '--port', '99999'], /--port <number>.*whole number from 0 to 65535/],
    [['serve', '--port', 'x'], /--port <number>/],
    [['serve', '--log-level', 'loud'], /--log-level <level>.*Allowed choices/],
    [['serve'], /^switchhook: serve needs --config FILE or --dev\n$/],
    [['token', '--tenant', 'acme'], /--account <name>/],
    [['token', '--account', 'alice'], /^switchhook: token needs --tenant <name>\n$/],
    [['phone', '--auto', 'dance'], /--auto <action>.*accept, reject, busy or ignore/],
    [['phone', '--auto', 'accept:soon'], /--auto <action>.*a duration/],
    [['call', '--to', 'x', '--param', 'novalue'], /--param <name=value>.*NAME=VALUE/],
    [['call', '--to', 'x', '--twiml', 'a', '--json-steps', 'b'], /--twiml <file>.*--json-steps <file>/],
    [['call', '--to', 'x', '--fetch'], /^switchhook: --fetch goes with --explain\n$/],
    [['call', '--to', 'x', '--explain', '--wait', '1s'], /--explain.*--wait <duration>/],
    [['help', 'bogus'], /^switchhook: unknown command 'bogus'\n$/],
    [['watch'], /destination/],
    [['watch', 'support', '--view', 'routing'], /--view <view>/],
    [['watch', 'support'], /^switchhook: --url is missing: give it, or set SWITCHHOOK_URL\n$/],
    [['phone', '--url', 'http://x'], /^switchhook: --token is missing: give it, or set SWITCHHOOK_TOKEN\n$/],
    [
      ['phone', '--url', 'ftp://x', '--token', 'y'],
      /^switchhook: --url ftp:\/\/x is not the address of a hub/,
    ],
    [['phone', '--url', 'x', '--token', 'y'], /^switchhook: --url x is not the address/],
  ]
  for (const [args, message] of cases) {
    const terminal = createTerminal()
    t.equal(await terminal.run(...args), 2, args.join(' '))
    t.match(terminal.stderr.text, message, args.join(' '))
    t.equal(terminal.stderr.lines.length, 1, args.join(' '))
    t.equal(terminal.stdout.text, '', args.join(' '))
  }
})

t.test('help and version are what was asked for', async t => {
  const terminal = createTerminal({ screen: [80, 24] })
  t.equal(await terminal.run('--version'), 0)
  t.match(terminal.stdout.text, /^\d+\.\d+\.\d+\n$/)
  for (const args of [['--help'], ['help', 'serve'], ['phone', '--help']]) {
    const terminal = createTerminal()
    t.equal(await terminal.run(...args), 0)
    t.match(terminal.stdout.text, /^Usage: switchhook/)
    t.ok(terminal.stdout.lines.every(({ length }) => length <= 80))
  }
  const all = createTerminal()
  await all.run('--help')
  t.match(all.stdout.text, /^To run a hub:\n {2}config .*^To find out why:\n {2}doctor .*^Besides:\n/ms)
  t.match(all.stdout.text, /Begin with: switchhook demo/)
  const call = createTerminal()
  t.equal(await call.run('call', '--help'), 0)
  t.match(call.stdout.text, /\(default: \+15550199\)[\s\S]*\(default: 30s\)/, 'defaults as they are typed')
  t.ok(keyHelp.every(text => columns(text) <= 80))
})
