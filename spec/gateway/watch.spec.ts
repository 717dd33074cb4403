// What a session watches, and what it has missed of that.

import t from 'tap'
import { Watch } from '../../src/gateway/watch.js'
import type { Query } from '../../src/presence/index.js'
import type { Destination } from '../../src/protocol/index.js'

const query = { view: 'summary', devices: false } as Query

t.test('what is missed is kept by name for what is watched, and for nothing else', async t => {
  const sent: string[] = []
  const watch = new Watch({
    size: 0,
    subscribe: destination => void sent.push(destination),
    unsubscribe() {},
    prune() {},
    close() {},
  })
  const name = (number: number) => `name-${number}` as Destination
  for (let number = 0; number < 10_000; number++) {
    watch.subscribe(name(number), query)
    watch.miss(name(number))
    watch.unsubscribe(name(number))
    watch.miss(name(number))
  }
  watch.subscribe(name(0), query)
  watch.miss(name(0))
  sent.length = 0
  let looked = 0
  watch.heal(() => {
    looked++
    return true
  })
  t.same([looked, sent], [1, ['name-0']])
})
