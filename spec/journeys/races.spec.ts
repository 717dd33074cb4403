// Races over real sockets and real HTTP against one hub: in each round two or more events meet, in an order and at
// distances that a seed decides, and whatever comes first, there is one outcome and all who took part know it.

import t from 'tap'
import { type Chance, turns } from '../support/chance.js'
import {
  judge,
  lingerMs,
  must,
  newStage,
  type Placed,
  type Player,
  playerOf,
  race,
  type Stage,
  same,
  underWay,
} from '../support/race.js'
import type { Answer, CallFrame, Wire } from '../support/wire.js'

/** So many of each race: half of them where the router reads presence in its own process, half over the network. */
const rounds = Number(process.env.ROUNDS ?? 1000) / 2

t.setTimeout(300_000)

/** Places a call by HTTP or on a socket. */
const place = async (stage: Stage, to: string, by: 'http' | Wire): Promise<Placed> => {
  if (by === 'http') return { call: (await stage.api.place({ to, from: '+15550199' })).call, by }
  const placed = await by.ask('place', { to, ...(by.device === undefined && { from: '+15550177' }) })
  must(placed.type === 'placed', 'a call is taken', placed)
  return { call: (placed as { call: string }).call, by }
}

/** The caller gives up or hangs up. */
const giveUp = async (stage: Stage, { call, by }: Placed): Promise<void> => {
  if (by === 'http') await stage.api.hangup(call)
  else must((await by.ask('hangup', { call })).type === 'ok', 'a caller may hang up')
}

/** What an answer comes to, in a word. */
const wordOf = (answer: Answer): string => (answer.type === 'error' ? answer.code : answer.type)

const quiet = (players: readonly Player[]) => Promise.all(players.map(({ wire }) => wire.quiet()))

/** The round is over: everyone is as before. A moment passes, in which clients may speak again. */
const rest = async (stage: Stage, players: readonly Player[], before: unknown): Promise<void> => {
  const accounts = [...new Set(players.map(({ account }) => account))]
  const after = await stage.standing(accounts)
  must(JSON.stringify(after) === JSON.stringify(before), 'everyone is as before', { before, after })
  for (const { wire } of players) wire.forget()
  stage.gateway.forget()
  await stage.clock.settle(100)
}

const lastWord = (frame: CallFrame | undefined): string =>
  frame?.type === 'cancel' || frame?.type === 'ended' ? frame.reason : 'nothing'

/** Accepts each call that it is offered, so many turns later; `confirms`: says first that it rings. */
const acceptor = (player: Player, after: number, confirms: boolean) => {
  const accepts = new Map<string, Promise<Answer>>()
  const stop = player.wire.on(frame => {
    if (frame.type !== 'invite') return
    const { call } = frame
    if (confirms) player.wire.say('ringing', { call })
    accepts.set(
      call,
      turns(after).then(() => player.wire.ask('accept', { call, sdp: 'answer' })),
    )
  })
  return { stop, answer: (call: string) => accepts.get(call) }
}

const tenant = {
  groups: {
    pair: { members: ['carol', 'dan'], strategy: 'all', coolDownMs: { missed: 0 } },
    desk: {
      members: [
        { account: 'eve', tier: 1 },
        { account: 'frank', tier: 2 },
      ],
      // Everyone is rung in each round, whatever they missed in the one before.
      coolDownMs: { missed: 0 },
    },
  },
  accounts: { heidi: { capacity: 2 } },
}

for (const remote of [false, true])
  t.test(
    `on one hub, whose router reads presence ${remote ? 'over the network' : 'in its own process'}`,
    async t => {
      const stage = await newStage(t, tenant, { remote })
      const { api, clock, gateway } = stage

      t.test('accept against cancel: the call is answered, or its caller gave up before', async t => {
        const players = [await playerOf(stage, 'alice', 'web'), await playerOf(stage, 'alice', 'mobile')]
        const before = await stage.standing(['alice'])
        const outcomes = await race(t, rounds, async (chance: Chance) => {
          const by = chance.odds(0.3) ? 'http' : gateway
          const first = chance.pick(players)
          const accepting = acceptor(first, chance.below(8), chance.odds(0.5))
          const [fromPlaced, cancelAfter] = [chance.odds(0.3), chance.below(6)]

          const placed = await place(stage, 'alice', by)
          if (!fromPlaced) await first.wire.next(placed.call, 'invite')
          await turns(cancelAfter)
          await giveUp(stage, placed)
          await quiet(players)
          const accepted = await accepting.answer(placed.call)
          await quiet(players)
          accepting.stop()

          const { view, winner, last } = await judge(stage, placed, players)
          if (last.size === 0) {
            must(
              remote && view.reason === 'canceled' && !accepted,
              'only a call that is given up is never offered',
              view,
            )
            await rest(stage, players, before)
            return 'never offered'
          }
          must(last.size === 2 && accepted, 'both devices were offered the call', [...last.values()])
          const won = accepted?.type === 'ok'
          must(won || wordOf(accepted as Answer) === 'call-gone', 'the loser is told so', accepted)
          must(view.reason === (won ? 'completed' : 'canceled'), 'the record says which', view)
          must(winner === (won ? first : undefined), 'who accepted in time is connected')
          for (const [player, frame] of last) {
            const word = !won ? 'caller-canceled' : player === first ? 'completed' : 'answered-elsewhere'
            must(lastWord(frame) === word, `the last word is ${word}`, frame)
          }
          await rest(stage, players, before)
          return won ? 'answered' : 'gave up'
        })
        for (const outcome of ['answered', 'gave up']) {
          t.ok((outcomes[outcome] ?? 0) >= rounds / 20, `${outcome}: often enough to be a race`)
        }
      })

      t.test('accept against cancel, as the SDK tells it: both sides see the same end', async t => {
        const softphone = await stage.world.phone('kim')
        const caller = await stage.world.visitor('outside', ['call:inbound'])
        const outcomes = await race(t, rounds / 4, async chance => {
          const call = await caller.place({ to: 'kim' })
          const invited = await softphone.invited()
          const [acceptAfter, cancelAfter] = [chance.below(6), chance.below(6)]
          const [accepted] = await Promise.all([
            turns(acceptAfter)
              .then(() => invited.accept())
              .then(
                () => 'ok',
                ({ code }) => code,
              ),
            turns(cancelAfter).then(() => call.hangup()),
          ])
          const [here, there] = await Promise.all([invited.over, call.over])
          const won = accepted === 'ok'
          must(won || accepted === 'call-gone', 'the loser is told so', accepted)
          must(here.reason === (won ? 'completed' : 'caller-canceled'), 'the callee sees which', here)
          must(there.reason === (won ? 'completed' : 'canceled'), 'the caller sees the same', there)
          must(softphone.softphone.calls.length + caller.calls.length === 0, 'no call is left')
          await stage.clock.settle(100)
          return accepted
        })
        t.equal(Object.keys(outcomes).length, 2, 'both happen')
      })

      for (const [what, to, names] of [
        ['two devices of one account', 'bob', ['bob/web', 'bob/mobile']],
        ['two people of a group that all ring', 'pair', ['carol/phone', 'dan/phone']],
      ] as const) {
        t.test(`accept against accept, ${what}: one has it, and the other hears who`, async t => {
          const players: Player[] = []
          for (const name of names) {
            const [account, device] = name.split('/') as [string, string]
            players.push(await playerOf(stage, account, device))
          }
          const accounts = [...new Set(players.map(({ account }) => account))]
          const before = await stage.standing(accounts)
          const outcomes = await race(t, rounds / 2, async chance => {
            const by = chance.odds(0.3) ? 'http' : gateway
            const accepting = players.map(player => acceptor(player, chance.below(4), chance.odds(0.5)))
            const [hangsUp, rejects] = [chance.pick(['caller', 'winner']), chance.odds(0.1)]
            const placed = await place(stage, to, by)
            const { call } = placed
            await Promise.all(players.map(({ wire }) => wire.next(call, 'invite')))
            // One that rejects what it accepts as well: its own second word counts for nothing once it has won.
            const rejected = rejects ? players[0]?.wire.ask('reject', { call }) : undefined
            const answers = await Promise.all(accepting.map(({ answer }) => answer(call)))
            await rejected
            for (const { stop } of accepting) stop()
            must(answers.filter(answer => answer?.type === 'ok').length === 1, 'one accept is taken', answers)
            must(
              answers.every(answer => answer && ['ok', 'call-gone'].includes(wordOf(answer))),
              'the other is told that the call is gone',
              answers,
            )
            const won = players[answers.findIndex(answer => answer?.type === 'ok')] as Player
            const connected = await api.call(call)
            must(connected.state === 'connected' && same(connected.by, won), 'it is connected', connected)
            if (hangsUp === 'caller') await giveUp(stage, placed)
            else must((await won.wire.ask('hangup', { call })).type === 'ok', 'the winner may hang up')
            await quiet(players)
            if (by !== 'http') await by.quiet()
            const { view, winner, last } = await judge(stage, placed, players)
            must(view.reason === 'completed' && winner === won, 'the record agrees', view)
            for (const [player, frame] of last) {
              const word = player === won ? 'completed' : 'answered-elsewhere'
              must(lastWord(frame) === word || rejects, `the last word is ${word}`, frame)
            }
            await rest(stage, players, before)
            return `${won.account}/${won.device}`
          })
          for (const name of names) {
            t.ok((outcomes[name] ?? 0) >= rounds / 40, `${name} wins often enough to be a race`)
          }
        })
      }

      t.test(
        'drop against offer: a call finds whoever is there, and who comes back hears the truth',
        async t => {
          const [eve, frank] = [await playerOf(stage, 'eve'), await playerOf(stage, 'frank')]
          const players = [eve, frank]
          const before = await stage.standing(['eve', 'frank'])

          /** Whoever may answer the call now. */
          const rungFor = (call: string): Player[] =>
            players.filter(({ wire }) => {
              const heard = wire.heard(call).filter(({ session }) => session === wire.session)
              return wire.up && heard.at(-1)?.frame.type === 'invite'
            })
          /** Until the hub knows that eve's socket is gone. */
          const noticed = async () => {
            for (;;) {
              const { accounts } = await api.presence('eve', { view: 'routing' })
              if (accounts?.[0]?.devices?.[0]?.link !== 'attached') return
            }
          }

          const outcomes = await race(t, rounds, async chance => {
            const by = chance.odds(0.3) ? 'http' : gateway
            const when = chance.pick(['before', 'with', 'placed', 'invite', 'accept'] as const)
            const how = chance.pick(['cut', 'cut', 'cut', 'reload', 'leave', 'takeover', 'switch'] as const)
            const back = chance.pick(['resume', 'resume', 'anew', 'late', 'never'] as const)
            const answers = chance.pick(['first', 'all', 'nobody'] as const)
            const [dropAfter, backAfter] = [chance.below(4), chance.below(6)]

            const drop = async () => {
              await turns(dropAfter)
              if (how === 'cut') eve.wire.drop()
              else if (how === 'reload' || how === 'leave')
                await eve.wire.close(how === 'reload' ? 1001 : 1000)
              else await eve.wire.open({ resume: how === 'switch' })
            }
            const dropping: Promise<void>[] = []
            if (when === 'before') await drop()
            if (when === 'with') dropping.push(drop())
            const placed = await place(stage, 'desk', by)
            const { call } = placed
            if (when === 'placed') dropping.push(drop())
            let early: Answer | undefined
            if (when === 'invite' || when === 'accept') {
              await eve.wire.next(call, 'invite')
              if (chance.odds(0.5)) eve.wire.say('ringing', { call })
              const accept = when === 'accept' ? eve.wire.ask('accept', { call }) : undefined
              dropping.push(drop())
              early = await accept
            }
            await Promise.all(dropping)

            if (!eve.wire.up && back !== 'never') {
              await turns(backAfter)
              if (back === 'late') {
                await noticed()
                await clock.settle(lingerMs + 10)
              }
              const talks = (await api.call(call)).state === 'connected'
              const welcome = await eve.wire.open({ resume: back !== 'anew' })
              const inTime = how !== 'leave' && (back === 'resume' || talks)
              must(back === 'anew' || welcome.resumed === inTime, 'who is back in time goes on', welcome)
            }

            // Frank stands by: nobody is left to ring only where eve has it.
            const reached = async () => {
              const { state } = await underWay(stage, placed)
              await quiet(players.filter(({ wire }) => wire.up))
              return state === 'connected' || state === 'ended' || rungFor(call).length > 0
            }
            if (!(await reached())) {
              await clock.settle(3_010)
              must(await reached(), 'the next is rung beside who does not confirm', {
                call: await api.call(call),
                eve: eve.wire.heard(call),
              })
            }
            const accepting = rungFor(call).slice(0, answers === 'all' ? 2 : answers === 'first' ? 1 : 0)
            const taken = await Promise.all(
              chance.shuffle(accepting).map(async ({ wire }) => {
                await turns(chance.below(4))
                return wire.ask('accept', { call })
              }),
            )
            const { state, by: has } = await api.call(call)
            const oks = [early, ...taken].filter(answer => answer?.type === 'ok').length
            must(
              oks === 1 || (oks === 0 && (early?.type === 'lost' || taken.length === 0)),
              'one accept is taken',
              taken,
            )
            must(oks === 0 || has, 'who was told that it has the call is in the record', { early, taken })

            const winner = players.find(player => same(player, has))
            const over = chance.pick(['caller', 'winner', 'lost'] as const)
            if (state === 'ended') {
              // She said goodbye in the middle of it.
            } else if (winner && over === 'winner' && winner.wire.up) {
              must((await winner.wire.ask('hangup', { call })).type === 'ok', 'the winner may hang up')
            } else if (winner && over === 'lost' && !winner.wire.up) {
              await noticed()
              await clock.settle(120_010)
            } else await giveUp(stage, placed)
            if (!eve.wire.up) await eve.wire.open({ resume: chance.odds(0.5) })
            await quiet(players)
            if (by !== 'http') await by.quiet()

            const { view, winner: connected } = await judge(stage, placed, players)
            // A goodbye in the middle of the call, or a connection that was lost for as long as a call may wait.
            const failed =
              has?.account === 'eve' && view.reason === 'failed' && (how === 'leave' || over === 'lost')
            must(failed || view.reason === (has ? 'completed' : 'canceled'), 'the record says how', view)
            must(
              has === undefined ? connected === undefined : connected === undefined || connected === winner,
              'one has it',
            )
            const { timeline = [] } = view
            const lost = timeline.find(({ event, account }) => event === 'lost' && account === 'eve')
            const next = timeline.find(({ event, account }) => event === 'offered' && account === 'frank')
            must(!lost || (next && next.at <= lost.at), 'the next is rung at once for who is lost', timeline)
            await rest(stage, players, before)
            return has?.account ?? 'nobody'
          })
          t.ok(
            (outcomes.eve ?? 0) >= rounds / 20 && (outcomes.frank ?? 0) >= rounds / 20,
            'both have their share',
          )
        },
      )

      for (const [what, callee, calls, places] of [
        ['two calls against one person', 'gina', 2, 1],
        ['three calls against one who takes two', 'heidi', 3, 2],
      ] as const) {
        t.test(`${what}: as many are offered as there are places, and the others end busy`, async t => {
          const [web, mobile] = [
            await playerOf(stage, callee, 'web'),
            await playerOf(stage, callee, 'mobile'),
          ]
          const players = [web, mobile]
          const before = await stage.standing([callee])

          /** How many calls ring or talk at a device now, by what it was told so far. */
          let fouls: string[] = []
          for (const { wire, device } of players) {
            const open = new Set<string>()
            wire.on(frame => {
              if (frame.type === 'invite') open.add(frame.call)
              if (frame.type === 'cancel' || frame.type === 'ended') open.delete(frame.call)
              if (open.size > places) fouls.push(`${device} has ${[...open]}`)
            })
          }

          const outcomes = await race(t, rounds / 2, async chance => {
            fouls = []
            const kinds = chance.shuffle<'http' | Wire>(['http', gateway, chance.pick(['http', gateway])])
            const placings = kinds.slice(0, calls).map(async by => {
              await turns(chance.below(3))
              return place(stage, callee, by)
            })
            const placed = await Promise.all(placings)
            const views = await Promise.all(placed.map(each => underWay(stage, each)))
            await quiet(players)
            const offered = placed.filter((_, index) => views[index]?.state !== 'ended')
            must(offered.length === places, 'as many are offered as there are places', views)
            for (const { reason } of views.filter(({ state }) => state === 'ended')) {
              must(reason === 'busy', 'the others end busy', views)
            }

            // Each of them goes its own way, while one more call comes: it finds a place that was given back, or none.
            let more: Placed | undefined
            const placeOne = async () => {
              await turns(chance.below(4))
              more = await place(stage, callee, chance.pick<'http' | Wire>(['http', gateway]))
            }
            const ways = offered.map(async each => {
              const { wire } = chance.pick(players)
              const [way, pause, wait] = [
                chance.pick(['accept', 'reject', 'give up']),
                chance.below(4),
                chance.below(4),
              ]
              await turns(pause)
              if (way === 'accept') {
                must(wordOf(await wire.ask('accept', { call: each.call })) === 'ok', 'it may be accepted')
                await turns(wait)
                await wire.ask('hangup', { call: each.call })
              } else if (way === 'give up') await giveUp(stage, each)
              else {
                const rejects = players.map(player => player.wire.ask('reject', { call: each.call }))
                for (const answer of await Promise.all(rejects))
                  must(wordOf(answer) === 'ok', 'it may be rejected')
              }
              return way
            })
            const [, ...gone] = await Promise.all([placeOne(), ...ways])
            await quiet(players)
            const last = more as unknown as Placed
            const { state } = await underWay(stage, last)
            await quiet(players)
            if (state !== 'ended') {
              must(web.wire.heard(last.call).length === 1, 'it is offered', { state })
              await giveUp(stage, last)
            }
            await quiet(players)
            await gateway.quiet()
            for (const each of [...placed, last]) {
              const { view, last: words } = await judge(stage, each, players)
              must((view.reason === 'busy') === (words.size === 0), 'busy is who was offered nowhere', view)
              const way = gone[offered.indexOf(each)]
              const reason = { accept: 'completed', reject: 'rejected', 'give up': 'canceled' }[way ?? '']
              must(way === undefined || view.reason === reason, `it ends as it went: ${way}`, view)
            }
            must(fouls.length === 0, 'nobody is offered more than they can take', fouls)
            await rest(stage, players, before)
            return state === 'ended' ? 'no place for one more' : 'a place for one more'
          })
          t.equal(Object.keys(outcomes).length, 2, 'both happen')
        })
      }

      t.test('a call against its own: who calls takes their place, and glare ends well', async t => {
        const [ivan, judy] = [await playerOf(stage, 'ivan'), await playerOf(stage, 'judy')]
        const players = [ivan, judy]
        const before = await stage.standing(['ivan', 'judy'])
        await race(t, rounds / 4, async chance => {
          const [inbound, glare] = chance.pick([
            [true, false],
            [false, true],
            [true, true],
          ] as const)
          const soon = async (place: () => Promise<Answer | Placed>) => {
            await turns(chance.below(3))
            return place()
          }
          const tries = chance.shuffle([
            ['ivan', () => ivan.wire.ask('place', { to: 'judy' })] as const,
            ...(glare ? [['judy', () => judy.wire.ask('place', { to: 'ivan' })] as const] : []),
            ...(inbound ? [['outside', () => place(stage, 'ivan', 'http')] as const] : []),
          ])
          const placed: (Placed & { who: string })[] = []
          await Promise.all(
            tries.map(async ([who, place]) => {
              const answer = await soon(place)
              const by = players.find(({ account }) => account === who)?.wire ?? 'http'
              if ('call' in answer && answer.call !== undefined) placed.push({ call: answer.call, by, who })
              else must(wordOf(answer as Answer) === 'busy', 'who is being rung can not place', answer)
            }),
          )
          await quiet(players)
          const ringing: Placed[] = []
          for (const each of placed) {
            const { state, reason } = await underWay(stage, each)
            if (state !== 'ended') ringing.push(each)
            else must(reason === 'busy', 'who is on a call of their own is busy', { who: each.who, reason })
          }
          for (const each of ringing) await giveUp(stage, each)
          await quiet(players)
          for (const each of placed) await judge(stage, each, players)
          await rest(stage, players, before)
          return `${placed.map(({ who }) => who).sort()}: ${ringing.length} rang`
        })
      })

      t.test(
        'a lost caller against accept: the call waits for them, and ends for both if they stay away',
        async t => {
          const lou = await playerOf(stage, 'lou')
          const max = await playerOf(stage, 'max')
          const trunk = await stage.wire('outside', null, { scopes: ['call:inbound'] })
          const players = [lou, max]
          const before = await stage.standing(['lou', 'max'])
          await race(t, rounds / 4, async chance => {
            const caller = chance.pick([trunk, max.wire])
            const accepts = chance.odds(0.7)
            const back = chance.pick(['resume', 'anew', 'never'] as const)
            const [acceptAfter, dropAfter, backAfter] = [chance.below(6), chance.below(6), chance.below(6)]
            const accepting = accepts ? acceptor(lou, acceptAfter, chance.odds(0.5)) : undefined
            const placed = await place(stage, 'lou', caller)
            const { call } = placed
            const session = caller.session
            if (chance.odds(0.7)) await lou.wire.next(call, 'invite')
            await turns(dropAfter)
            caller.drop()
            await turns(backAfter)
            if (back !== 'never') {
              const welcome = await caller.open({ resume: back === 'resume' })
              must(welcome.resumed === (back === 'resume'), 'who is back in time goes on', welcome)
            }
            await underWay(stage, placed)
            await lou.wire.quiet()
            const accepted = await accepting?.answer(call)
            accepting?.stop()
            must(!accepts || accepted?.type === 'ok', 'a call whose caller is away may be answered', accepted)

            // A device's newer session has its calls; a gateway's knows nothing of them.
            const hasIt = caller.up && (caller === max.wire || caller.session === session)
            if (hasIt) await giveUp(stage, placed)
            else if (accepts && chance.odds(0.5)) {
              must(wordOf(await lou.wire.ask('hangup', { call })) === 'ok', 'the winner may hang up')
            } else await clock.settle(accepts ? 120_010 : lingerMs + 10)
            if (!caller.up) await caller.open({ resume: chance.odds(0.5) })
            await quiet(players)
            await trunk.quiet()
            const { view, winner } = await judge(stage, placed, [lou], {
              callerLost: caller.session !== session,
            })
            must((winner === lou) === accepts, 'who accepted is connected', view)
            const reasons = hasIt
              ? [accepts ? 'completed' : 'canceled']
              : accepts
                ? ['completed', 'failed']
                : ['canceled']
            must(reasons.includes(view.reason ?? ''), 'it ends as it should', view)
            await rest(stage, players, before)
            trunk.forget()
            return `${caller === trunk ? 'gateway' : 'device'} ${back} ${view.reason}`
          })
        },
      )

      t.test('no call is left', async t => {
        t.equal(await stage.metric('calls_live'), 0)
        t.same(stage.errors, [], 'and nothing failed')
      })
    },
  )
