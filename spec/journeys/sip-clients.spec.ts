// The SIP clients of npm as they are published, in plain Node: JsSIP before a peer connection that only describes itself,
// SIP.js with descriptions of its own. What a browser adds is shown by spec/browser.

import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { until } from '../support/gateway.js'
import { acme } from '../support/room.js'
import { answer, offer, sipAccounts, sipStand } from '../support/sip.js'

/** What JsSIP needs of a browser. */
class Peer {
  readonly iceGatheringState = 'complete'
  readonly iceConnectionState = 'connected'
  readonly connectionState = 'connected'
  signalingState = 'stable'
  localDescription: { type: string; sdp: string } | null = null
  async createOffer() {
    return { type: 'offer', sdp: offer }
  }
  async createAnswer() {
    return { type: 'answer', sdp: answer }
  }
  async setLocalDescription(description: { type: string; sdp: string }) {
    this.localDescription = description
  }
  async setRemoteDescription() {}
  addEventListener() {}
  removeEventListener() {}
  addTrack() {}
  getSenders() {
    return []
  }
  close() {
    this.signalingState = 'closed'
  }
}

Object.assign(globalThis, {
  window: globalThis,
  WebSocket,
  RTCPeerConnection: Peer,
  RTCSessionDescription: class {
    constructor(description: object) {
      Object.assign(this, description)
    }
  },
})

type Invitation = import('sip.js').Invitation

const { default: JsSIP } = await import('jssip')
const { Inviter, Messager, Registerer, RegistererState, SessionState, UserAgent } = await import('sip.js')

const stand = await sipStand(t, {
  sipAccounts: sipAccounts(['alice', 'bob', 'carol', 'dan']),
  tenant: { accounts: { alice: { capacity: 3 } } },
})
const { presence } = stand.room
const server = `ws://127.0.0.1:${stand.port}/sip`

const statusOf = (account: string): string =>
  presence.resource(acme, account as never, { view: 'full', devices: true }).status

/** What the specs read of the events and the sessions of both. */
interface Happening {
  readonly session: NodeJS.EventEmitter & {
    terminate(options?: object): void
    answer(options: object): void
  }
  readonly request: { readonly body: string }
}

const event = async (emitter: unknown, name: string): Promise<Happening> =>
  (await once(emitter as NodeJS.EventEmitter, name))[0]

const jssip = async (account: string, proof: object) => {
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(server)],
    uri: `sip:${account}@acme`,
    ...proof,
  } as never)
  t.teardown(() => ua.stop())
  ua.start()
  await event(ua, 'registered')
  return ua
}

const media = { mediaStream: { getTracks: () => [], getAudioTracks: () => [], getVideoTracks: () => [] } }

const sipjs = async (account: string, headers: readonly string[] = []) => {
  const agent = new UserAgent({
    uri: UserAgent.makeURI(`sip:${account}@acme`)!,
    authorizationUsername: account,
    authorizationPassword: 'a long secret',
    transportOptions: { server },
    logBuiltinEnabled: false,
    contactName: `${account}-sipjs`,
    sessionDescriptionHandlerFactory: () => {
      let body = offer
      return {
        close() {},
        hasDescription: type => type === 'application/sdp',
        getDescription: async () => ({ body, contentType: 'application/sdp' }),
        setDescription: async () => {
          body = answer
        },
        sendDtmf: () => false,
      }
    },
  })
  t.teardown(() => agent.stop())
  await agent.start()
  const registerer = new Registerer(agent, { extraHeaders: [...headers] })
  const registered = new Promise<void>(resolve => {
    registerer.stateChange.addListener(state => state === RegistererState.Registered && resolve())
  })
  await registerer.register()
  await registered
  return { agent, registerer }
}

t.test('JsSIP calls SIP.js, which answers, and either ends it', async t => {
  const alice = await jssip('alice', { password: 'a long secret' })
  const bob = await sipjs('bob', [`Authorization: Bearer ${await stand.token('bob')}`])
  t.equal(statusOf('alice'), 'available')
  t.equal(statusOf('bob'), 'available')
  for (const ender of ['alice', 'bob']) {
    const invited = new Promise<Invitation>(resolve => {
      bob.agent.delegate = { onInvite: resolve }
    })
    const session = alice.call('sip:bob@acme', media as never)
    const [progress, accepted] = [event(session, 'progress'), event(session, 'accepted')]
    const invitation = await invited
    t.equal(invitation.remoteIdentity.uri.user, 'alice')
    await invitation.progress()
    await progress
    await invitation.accept()
    await accepted
    t.equal(statusOf('bob'), 'busy')
    const over = new Promise<void>(resolve => {
      invitation.stateChange.addListener(state => state === SessionState.Terminated && resolve())
    })
    const ended = event(session, 'ended')
    if (ender === 'alice') session.terminate()
    else await invitation.bye()
    await Promise.all([over, ended])
    await until(() => stand.room.router.counts.live === 0)
  }
  alice.stop()
  await bob.registerer.unregister({
    requestOptions: { extraHeaders: [`Authorization: Bearer ${await stand.token('bob')}`] },
  })
  await until(() => statusOf('bob') === 'offline')
  await bob.agent.stop()
})

t.test('SIP.js calls JsSIP, which rejects, answers, or is too late', async t => {
  const alice = await sipjs('alice')
  const bob = await jssip('bob', { authorization_jwt: `Bearer ${await stand.token('bob')}` })
  const call = async () => {
    const inviter = new Inviter(alice.agent, UserAgent.makeURI('sip:bob@acme')!)
    const coming = event(bob, 'newRTCSession')
    const refused = new Promise<number>(resolve => {
      void inviter.invite({
        requestDelegate: { onReject: ({ message }) => resolve(message.statusCode ?? 0) },
      })
    })
    return { inviter, refused, session: (await coming).session }
  }
  const state = (
    inviter: { stateChange: { addListener(on: (state: string) => void): void } },
    wanted: string,
  ) =>
    new Promise<void>(resolve => {
      inviter.stateChange.addListener(state => state === wanted && resolve())
    })

  const busy = await call()
  busy.session.terminate({ status_code: 486 })
  t.equal(await busy.refused, 486)
  const declined = await call()
  declined.session.terminate({ status_code: 603 })
  t.equal(await declined.refused, 603)

  const canceled = await call()
  const failed = event(canceled.session, 'failed')
  await canceled.inviter.cancel()
  t.match(await failed, { cause: 'Canceled' })
  t.equal(await canceled.refused, 487)

  const answered = await call()
  const [established, confirmed] = [
    state(answered.inviter, 'Established'),
    event(answered.session, 'confirmed'),
  ]
  answered.session.answer(media)
  await Promise.all([established, confirmed])
  const texted = event(bob, 'newMessage')
  await new Messager(alice.agent, UserAgent.makeURI('sip:bob@acme')!, 'hello').message()
  t.match((await texted).request.body, 'hello')
  const over = event(answered.session, 'ended')
  await answered.inviter.bye()
  await over
  bob.stop()
  await alice.agent.stop()
})
