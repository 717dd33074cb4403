// What a simulation's figures are made of: times by their distributions, Erlang's formulas against published values, how
// sure a mean is, and the histogram. Pure, and without a hub.

import fc from 'fast-check'
import t from 'tap'
import { batchMeans } from '../../src/cli/simulate/batch-means.js'
import { chanceOf } from '../../src/cli/simulate/chance.js'
import {
  type Distribution,
  endless,
  exponential,
  fixed,
  lognormal,
  uniform,
} from '../../src/cli/simulate/distribution.js'
import { erlangB, erlangC, meanWaitMs, servedWithin } from '../../src/cli/simulate/erlang.js'
import { rate, shift, times, timesOrNever } from '../../src/cli/simulate/flags.js'
import { forecast, type Traffic } from '../../src/cli/simulate/forecast.js'
import { histogram } from '../../src/cli/simulate/histogram.js'
import { progress, progressPicture, summaryLines } from '../../src/cli/simulate/report.js'
import { Tally } from '../../src/cli/simulate/tally.js'
import { render } from '../../src/cli/text.js'

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length

/** A distribution, and how far from its mean its times are on average. */
const distributions = fc.oneof(
  fc.integer({ min: 0, max: 1e6 }).map(ms => ({ of: fixed(ms), deviation: 0 })),
  fc.integer({ min: 1, max: 1e6 }).map(ms => ({ of: exponential(ms), deviation: ms })),
  fc
    .tuple(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e6 }))
    .map(([least, span]) => ({ of: uniform(least, least + span), deviation: span / Math.sqrt(12) })),
  fc
    .tuple(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([ms, spread]) => ({ of: lognormal(ms, ms * spread), deviation: ms * spread })),
)

t.test(
  'times have the mean and the spread that their distribution says, and the same seed the same times',
  async t => {
    const draws = 4000
    fc.assert(
      fc.property(distributions, fc.nat(), ({ of, deviation }, seed) => {
        const random = chanceOf(seed, 'times')
        const drawn = Array.from({ length: draws }, () => of.draw(random))
        const again = chanceOf(seed, 'times')
        const spread = Math.sqrt(meanOf(drawn.map(ms => (ms - of.meanMs) ** 2)))
        return (
          drawn.every(ms => ms >= 0 && ms === of.draw(again)) &&
          Math.abs(meanOf(drawn) - of.meanMs) <= (6 * deviation) / Math.sqrt(draws) + 1e-6 * of.meanMs &&
          Math.abs(spread - deviation) <= 0.35 * deviation + 1e-6 * of.meanMs
        )
      }),
      { numRuns: 60, seed: 7 },
    )
    t.same([endless.meanMs, endless.draw(Math.random)], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
  },
)

t.test('flags say times, rates and shifts', async t => {
  const shown = ({ meanMs, memoryless, draw }: Distribution) => [
    meanMs,
    memoryless,
    Math.round(draw(() => 0.25)),
  ]
  t.same(shown(times('2s')), [2000, false, 2000])
  t.same(shown(times('1s..5s')), [3000, false, 2000])
  t.same(shown(times('exp:1m')), [60_000, true, 17_261])
  t.same(shown(times('lognormal:4s/2s')), [4000, false, 3578], 'its median, where chance is in the middle')
  t.equal(timesOrNever('never'), endless)
  t.equal(timesOrNever('3s').meanMs, 3000)
  const { on, off } = shift('exp:8m,30s')
  t.same([on.meanMs, on.memoryless, off.meanMs], [480_000, true, 30_000])
  t.same(['2', '2/s', '30/m', '90/h'].map(rate), [2, 2, 0.5, 0.025])
  const wrong = [
    'exp:',
    'exp:1s..2s',
    '1s..2s..3s',
    '3s..1s',
    'lognormal:2s',
    'lognormal:0s/1s',
    'gauss:1s',
    '',
  ]
  for (const text of wrong) t.throws(() => times(text), /a mean and a spread/, text)
  for (const text of ['8m', '8m,1m,1m', '8m,', 'never,1s']) t.throws(() => shift(text), text)
  for (const text of ['0', '0/m', '3/d', '/m']) t.throws(() => rate(text), /with \/m or \/h/, text)
})

t.test("Erlang's formulas give what is published", async t => {
  const near = (found: number, published: number, digits: number, what: string) =>
    t.equal(found.toFixed(digits), published.toFixed(digits), what)
  // Traffic tables of Erlang B: so many erlangs on so many lines block so many calls.
  near(erlangB(1, 1), 0.5, 4, 'one line')
  near(erlangB(5, 2.219), 0.05, 3, '5 lines')
  near(erlangB(10, 4.461), 0.01, 4, '10 lines')
  near(erlangB(20, 12.03), 0.01, 4, '20 lines')
  near(erlangB(100, 84.06), 0.01, 4, '100 lines')
  near(erlangC(2, 1.5), 9 / 14, 6, 'M/M/2 by hand')
  near(erlangC(1, 0.8), 0.8, 6, 'M/M/1 by hand')
  // The textbook's call centre: 200 calls an hour of 3 minutes, and 14 people.
  const centre = { servers: 14, load: 10, holdMs: 180_000 }
  near(erlangC(14, 10), 0.174, 3, 'waiting')
  near(meanWaitMs(centre) / 1000, 7.8, 1, 'average speed of answer')
  near(servedWithin(centre, 20_000), 0.888, 3, 'service level')
  t.same([erlangC(5, 5), erlangC(5, 9)], [1, 1], 'there is no end to waiting')
  t.ok(Number.isFinite(erlangB(5000, 4900)), 'no factorial overflows')
})

t.test("Erlang's recursion is his sum, and more people are never worse", async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0.01, max: 39, noNaN: true }),
      (servers, load) => {
        let term = 1
        let sum = 1
        for (let k = 1; k <= servers; k++) {
          term *= load / k
          sum += term
        }
        const blocked = erlangB(servers, load)
        return (
          Math.abs(blocked - term / sum) < 1e-9 &&
          erlangB(servers + 1, load) <= blocked &&
          erlangC(servers, load) >= blocked &&
          erlangC(servers + 1, load) <= erlangC(servers, load)
        )
      },
    ),
    { seed: 7 },
  )
})

t.test('an interval at 99 % has the true mean in it, also where values hang together', async t => {
  let missed = 0
  for (let run = 0; run < 200; run++) {
    const random = chanceOf(run, 'batches')
    let value = 0
    const values = Array.from({ length: 6200 }, () => {
      value = 0.8 * value + random() - 0.5
      return value
    })
    const { mean, halfWidth } = batchMeans(values)!
    if (Math.abs(mean) > halfWidth) missed += 1
  }
  t.ok(missed >= 0 && missed <= 6, `${missed} of 200 missed it`)
  t.equal(batchMeans(new Array(309).fill(1)), undefined, 'too few')
  t.same(batchMeans(new Array(310).fill(1)), { mean: 1, halfWidth: 0 })
  t.same(batchMeans([...new Array(10).fill(9), ...new Array(300).fill(1)])?.mean, 1, 'without the beginning')
})

t.test('a histogram has every value once, in few spans of one round width', async t => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 900_000_000 }), { maxLength: 300 }), values => {
      const bins = histogram(values)
      const widths = new Set(bins.flatMap(({ fromMs, toMs }) => (toMs === null ? [] : [toMs - fromMs])))
      const open = bins.filter(({ toMs }) => toMs === null)
      return (
        bins.reduce((sum, { count }) => sum + count, 0) === values.length &&
        bins.every(({ fromMs, toMs, count }, at) => {
          const inside = values.filter(value => value >= fromMs && value < (toMs ?? Number.POSITIVE_INFINITY))
          return count === inside.length && fromMs === (bins[at - 1]?.toMs ?? 0)
        }) &&
        bins.length <= 11 &&
        widths.size <= 1 &&
        open.every(({ count }) => count <= 0.01 * values.length + 1)
      )
    }),
    { seed: 7 },
  )
  t.same(histogram([]), [])
  t.same(histogram([1, 2, 3]).length, 4, 'no open end where nothing is beyond')
  t.same(histogram([2_000_000_000])[9], { fromMs: 1_800_000_009, toMs: 2_000_000_010, count: 1 }, 'any width')
})

const traffic = (facts: Partial<Traffic> = {}): Traffic => ({
  own: true,
  queue: true,
  people: 2,
  ratePerSecond: 1,
  answer: fixed(500),
  talk: exponential(800),
  patience: endless,
  wrapupMs: 200,
  withinMs: 1000,
  foreign: [],
  promptMs: 0,
  ...facts,
})

t.test('Erlang is asked where he knows, and else it is said why not', async t => {
  const tally = new Tally()
  t.match(forecast(traffic({ own: false }), tally), {
    formula: null,
    because: /configured to do is not known/,
  })
  const strange = traffic({ foreign: ['--drop'], patience: fixed(1), talk: fixed(1) })
  t.match(forecast(strange, tally), {
    formula: null,
    because: 'it knows nothing of --drop, --patience, --talk',
  })
  t.match(forecast(traffic({ ratePerSecond: 2 }), tally), {
    because: '3 erlangs are more than 2 people can take',
  })
  const none = { measured: null, halfWidth: null }
  const { formula, ...expected } = forecast(traffic(), tally)
  t.match({ formula, ...expected }, { formula: 'erlang-c', people: 2, erlangs: 1.5, waitMs: none })
  const { waiting, waitMs, serviceLevel } = expected as unknown as Record<string, { expected: number }>
  t.same(
    [waiting, waitMs, serviceLevel].map(figure => figure?.expected.toFixed(3)),
    ['0.643', '1928.571', '0.456'],
    'the time to answer is none of the wait, and of the service level',
  )
  const { serviceLevel: soon } = forecast(traffic({ withinMs: 100 }), tally) as unknown as typeof expected & {
    serviceLevel: { expected: number }
  }
  t.equal(soon.expected.toFixed(6), (5 / 14).toFixed(6), 'sooner than anybody answers')
  t.match(forecast(traffic({ queue: false, talk: fixed(800) }), tally), {
    formula: 'erlang-b',
    busy: { expected: erlangB(2, 1.5), ...none },
  })
  for (let call = 0; call < 310; call++) {
    tally.rang(call % 2)
    tally.wait.add(500 + 1000 * (call % 2))
  }
  t.match(forecast(traffic(), tally), {
    waiting: { measured: 0.5, halfWidth: 0 },
    waitMs: { measured: 0.5 },
    serviceLevel: { measured: 0.5 },
  })
  t.match(forecast(traffic({ promptMs: 100 }), tally), { waiting: { measured: 0 } })
})

t.test('a day is told in hours, a short wait in milliseconds, and bars take what room there is', async t => {
  const tally = new Tally()
  tally.phone('alice/sim-1')
  const tell = (width: number, bar = '#') => {
    const summary = tally.summary(7, 8.5 * 3_600_000)
    const lines = summaryLines(
      { ...summary, erlang: forecast(traffic(), tally) },
      { virtual: true, width, bar },
    )
    return lines.flatMap(line => render(line, { width, colour: false })).join('\n')
  }
  t.match(tell(80), /0 calls to 1 phones in 8\.5 h/)
  t.match(
    tell(80),
    /service level {4}- +answered within 20 s\n {2}speed of answer {2}- .*\n {2}occupancy +- /,
  )
  t.match(tell(80), /Erlang C: 1\.5 erlangs, 2 people\n.*\n {4}waiting +64\.3 % +- +too few calls to say\n/)
  t.notMatch(tell(80), /answered after|lag/)
  for (const ms of [40_000, 40_000, 40_000, 100_000, 200_000]) tally.wait.add(ms)
  for (const ms of [500, 90_000, 400_000, 9_000_000]) tally.talk.add(ms)
  t.match(tell(80), /talk +90\.00 s +2\.5 h +2\.5 h/)
  t.match(tell(60), /answered after\n {4}to 30 s {3}0\n {4}to 1 min {2}3 {2}#{43}\n/)
  t.match(tell(60, '█'), /to 1 min {2}3 {2}█{43}\n/)
  t.match(tell(30), /to 1 min {2}3 {2}#{13}\n/, 'on a narrow screen')
  t.match(tell(8), /#/)
  t.match(tell(80), /to 2 min +1 /)
  const now = progress(tally, 9_000_000)
  t.match(render(progressPicture(now, tally)[0]!, { width: 80, colour: false }), /simulating {2}2\.5 h/)
})
