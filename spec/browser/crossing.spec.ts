// Softphones of four kinds on one hub: our own SDK, and three that were there before, as published and with the lines
// that docs/softphones.md has for them. Each sees the others, calls them and is called, in a real browser and with
// real sound. The pages stay open over the tests.

import t from 'tap'
import twilio from 'twilio'
import { configOf, secret, startHub, tokenOf } from '../support/hub.js'
import { requires } from '../support/requires.js'
import { type Kind, kinds, type Softphone, startSoftphones } from '../support/softphones.js'

t.setTimeout(300_000)

const { AccessToken } = twilio.jwt

t.test('softphones of every kind on one hub', requires('chromium'), async t => {
  const world = await startHub(
    t,
    configOf({ keys: [{ kid: 'SK1', alg: 'HS256', secret }] }, { limits: { callsPerMinutePerAccount: 600 } }),
  )
  const api = await world.api()
  const softphones = await startSoftphones(t, world.listening.port)
  const { port } = await softphones.line()
  const open = async (kind: Kind, account: string, rest = {}): Promise<Softphone> =>
    softphones.open({ kind, account, token: await tokenOf(account), port, ...rest })

  // Whoever calls is of the first row, whoever is called of the second.
  const callers = await Promise.all(kinds.map(kind => open(kind, `${kind}-a`)))
  const watchers = callers.filter(({ kind }) => kind !== 'voice')
  for (const watcher of watchers) for (const kind of kinds) await watcher.does('watch', `${kind}-b`)
  const fate = (watcher: Softphone, of: string, there: boolean) => ({
    of,
    ...(watcher.kind === 'native'
      ? { status: there ? 'available' : 'offline' }
      : { basic: there ? 'open' : 'closed' }),
  })
  const presence = (watcher: Softphone, of: string, there: boolean) =>
    watcher.tab.ever({ event: 'presence', ...fate(watcher, of, there) })

  await t.test('nobody of the second row is there, as all that can watch see', async () => {
    for (const watcher of watchers) for (const kind of kinds) await presence(watcher, `${kind}-b`, false)
  })

  const callees = await Promise.all(kinds.map(kind => open(kind, `${kind}-b`)))

  await t.test('each registers, and is seen by the watchers of all kinds', async () => {
    for (const watcher of watchers) for (const { account } of callees) await presence(watcher, account, true)
  })

  const offer = await (callers[0] as Softphone).tab.do<string>(`(async () => {
    const peer = new RTCPeerConnection()
    peer.addTransceiver('audio')
    return (await peer.createOffer()).sdp
  })()`)

  /** Every caller with every callee, as many at a time as there are kinds. */
  const pairings = async (
    meet: (caller: Softphone, callee: Softphone, shift: number) => Promise<void>,
  ): Promise<void> => {
    for (let shift = 0; shift < kinds.length; shift++) {
      await Promise.all(
        callers.map((caller, index) => {
          const callee = callees[(index + shift) % kinds.length] as Softphone
          return meet(caller, callee, index + shift)
        }),
      )
    }
  }
  const rings = async (caller: Softphone, callee: Softphone): Promise<void> => {
    await caller.does('call', callee.account)
    await callee.next('ringing-in', { from: caller.account }).catch(error => {
      throw new Error(`${error.message}, and ${caller.account} ${JSON.stringify(caller.tab.told.slice(-3))}`)
    })
  }

  const talk = async (caller: Softphone, callee: Softphone): Promise<void> => {
    await rings(caller, callee)
    await callee.does('answer')
    await Promise.all([caller.next('connected'), callee.next('connected')])
  }
  const hear = (...softphones: Softphone[]) => Promise.all(softphones.map(softphone => softphone.hears()))
  const part = (...softphones: Softphone[]) =>
    Promise.all(softphones.map(softphone => softphone.next('ended')))

  await t.test('each calls each, with sound both ways, and either side hangs up', async t => {
    const heard: string[] = []
    await pairings(async (caller, callee, count) => {
      await talk(caller, callee)
      // Neither of two voice SDKs says where it is to be reached.
      const silent = caller.kind === 'voice' && callee.kind === 'voice'
      if (!silent) {
        await hear(caller, callee)
        heard.push(`${caller.kind} ${callee.kind}`)
      }
      await (count % 2 === 0 ? caller : callee).does('hangup')
      await part(caller, callee)
    })
    t.equal(heard.length, kinds.length ** 2 - (kinds.includes('voice') ? 1 : 0), heard.join(', '))
  })

  await t.test('two voice SDKs have sound where the descriptions of one of them are whole', async () => {
    const caller = callers.find(({ kind }) => kind === 'voice') as Softphone
    const token = new AccessToken('acme', 'SK1', secret, { identity: 'whole' })
    token.addGrant(new AccessToken.VoiceGrant({ incomingAllow: true }))
    const callee = await open('voice', 'whole', { whole: true, token: token.toJwt() })
    await talk(caller, callee)
    await hear(caller, callee)
    await callee.does('hangup')
    await part(caller, callee)
    await callee.tab.page.close()
  })

  await t.test('each cancels a call to each', async () => {
    await pairings(async (caller, callee) => {
      await rings(caller, callee)
      await caller.does('cancel')
      await part(caller, callee)
    })
  })

  await t.test('each rejects a call of each', async () => {
    await pairings(async (caller, callee) => {
      await rings(caller, callee)
      await callee.does('reject')
      await part(caller, callee)
    })
  })

  /** What a call from outside has come to, by its events. */
  const follow = async (call: string, until: string) => {
    for await (const { type, data } of api.events(call)) if (type === until) return data
    throw new Error(`${call} is over without ${until}`)
  }

  await t.test('each is rung from outside, with an offer and without, and answers', async t => {
    for (const given of [{ sdp: offer }, {}]) {
      await Promise.all(
        callees.map(async callee => {
          const { call } = await api.place({ to: callee.account, from: '+15550199', ...given })
          await callee.next('ringing-in', { from: '+15550199' })
          await callee.does('answer')
          await callee.next('connected')
          const { sdp } = Object(await follow(call, 'answered'))
          if (given.sdp !== undefined) t.match(sdp, /^v=0\r\n/)
          await api.hangup(call)
          await callee.next('ended')
        }),
      )
    }
  })

  await t.test(
    'in a call tones, texts and hold arrive, at whoever has something to hear them with',
    async () => {
      const talks = async (caller: Softphone, callee: Softphone): Promise<void> => {
        await talk(caller, callee)
        await caller.does('press', '5')
        if (callee.kind !== 'voice') await callee.next('pressed', { tones: '5' })
        await caller.does('say', 'one moment')
        await callee.next('said', { content: 'one moment' })
        await callee.does('say', 'very well')
        await caller.next('said', { content: 'very well' })
        for (const [word, event] of [
          ['hold', 'held'],
          ['unhold', 'resumed'],
        ] as const) {
          await caller.does(word)
          if (callee.kind === 'native' || callee.kind === 'jssip') await callee.next(event)
        }
        if (callee.kind === 'native') await hear(caller, callee)
        await callee.does('hangup')
        await part(caller, callee)
      }
      for (let shift = 0; shift < kinds.length; shift++) {
        await Promise.all(
          callers.flatMap((caller, index) =>
            caller.kind === 'jssip' || caller.kind === 'sipjs'
              ? [talks(caller, callees[(index + shift) % kinds.length] as Softphone)]
              : [],
          ),
        )
      }
    },
  )

  await t.test('a call is passed on by all that have a word for it', async () => {
    const [caller] = callers as [Softphone]
    const third = callees.find(({ kind }) => kind === 'voice') as Softphone
    for (const callee of callees.filter(callee => callee !== third)) {
      await talk(caller, callee)
      await callee.does('transfer', third.account)
      await third.next('ringing-in', { from: caller.account })
      await part(callee)
      await third.does('answer')
      await third.next('connected')
      await third.does('hangup')
      await part(caller, third)
    }
  })

  await t.test('[U11] a line that is cut in a call is made anew, and the call goes on', async () => {
    const goesOn = async (caller: Softphone, kind: Kind): Promise<void> => {
      const line = await softphones.line()
      const callee = await open(kind, `${kind}-c`, { port: line.port })
      await talk(caller, callee)
      line.cut()
      line.mend()
      await callee.next(kind === 'voice' ? 'reconnected' : 'registered')
      await hear(caller, callee)
      await caller.does('hangup')
      await part(caller, callee)
      await callee.tab.page.close()
    }
    await Promise.all(
      callers.map((caller, index) => goesOn(caller, kinds[(index + 1) % kinds.length] as Kind)),
    )
  })

  await t.test('a page that is reloaded while it rings, and in a call', async t => {
    const rungAgain = async (kind: Kind): Promise<void> => {
      const callee = await open(kind, `${kind}-r`)
      const place = async () => (await api.place({ to: callee.account, from: '+15550199', sdp: offer })).call
      let call = await place()
      await callee.next('ringing-in')
      await callee.tab.page.reload()
      await callee.next('registered')
      if (kind === 'voice') {
        // It hangs up all that its page had.
        t.match(await follow(call, 'ended'), { reason: 'rejected' })
        call = await place()
      }
      await callee.next('ringing-in')
      await callee.does('answer')
      await callee.next('connected')
      await callee.tab.page.reload()
      await callee.next('registered')
      if (kind === 'native') {
        await callee.next('restored', { state: 'connected' })
        await api.hangup(call)
        await callee.next('ended')
      } else t.match(await follow(call, 'ended'), { reason: 'completed' })
      await callee.tab.page.close()
    }
    await Promise.all(kinds.map(rungAgain))
  })

  await t.test(
    'one account with a softphone of each kind: all ring, and the first to answer has the call',
    async t => {
      const seen = (status: 'available' | 'busy') =>
        Promise.all(
          watchers.map(watcher =>
            watcher.next('presence', {
              of: 'team',
              ...(watcher.kind === 'native'
                ? { status }
                : { basic: 'open', activity: status === 'busy' ? 'on-the-phone' : undefined }),
            }),
          ),
        )
      const ringing = await Promise.all(kinds.map(kind => open(kind, 'team')))
      for (const watcher of watchers) await watcher.does('watch', 'team')
      await seen('available')
      for (const first of ringing) {
        const { call } = await api.place({ to: 'team', from: '+15550199', sdp: offer })
        await Promise.all(ringing.map(softphone => softphone.next('ringing-in')))
        await first.does('answer')
        await first.next('connected')
        await seen('busy')
        for (const other of ringing.filter(other => other !== first)) {
          const { why, reason } = await other.next('ended')
          if (other.kind === 'native') t.equal(why, 'answered-elsewhere')
          else if (other.kind !== 'voice') t.match(reason, /cause=200/)
        }
        await first.does('hangup')
        await first.next('ended')
        await seen('available')
        t.equal((await api.call(call)).state, 'ended')
      }
      const { call } = await api.place({ to: 'team', from: '+15550199', sdp: offer })
      await Promise.all(ringing.map(softphone => softphone.next('ringing-in')))
      await Promise.all(ringing.map(softphone => softphone.does('answer')))
      let left = ringing.length
      await new Promise<void>(resolve => {
        const one = () => --left === 1 && resolve()
        for (const softphone of ringing) void softphone.next('ended').then(one)
      })
      t.equal((await api.call(call)).state, 'connected', 'also where all answer at once')
      await api.hangup(call)
      await seen('available')
    },
  )

  await t.test('who says to be away is so for all that can watch', async () => {
    for (const callee of callees.filter(({ kind }) => kind === 'native' || kind === 'sipjs')) {
      await callee.does('away')
      const fate = (watcher: Softphone) =>
        watcher.kind === 'native' ? { status: 'away' } : { basic: 'open', activity: 'away' }
      await Promise.all(
        watchers.map(watcher => watcher.next('presence', { of: callee.account, ...fate(watcher) })),
      )
    }
  })

  await t.test('who unregisters is not there any more, as all that can watch see', async () => {
    for (const callee of callees) {
      await callee.does('unregister')
      await Promise.all(
        watchers.map(watcher => watcher.next('presence', fate(watcher, callee.account, false))),
      )
    }
  })
})
