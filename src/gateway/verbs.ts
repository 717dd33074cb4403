// What a session does on each kind of frame, one verb each. A verb checks the right, calls presence or the router,
// and answers; the session sends the answer before all that the verb caused. A refusal is a value.

import { type Refusal, refuse } from '../errors.js'
import { severalOf } from '../presence/index.js'
import type {
  ClientFrame,
  ClientFrames,
  ClientFrameType,
  Destination,
  Party,
  StatusChange,
} from '../protocol/index.js'
import { done, type Reply } from './reply.js'
import { mayPassTo } from './rights.js'
import type { Session } from './session.js'
import { allows, queryOf } from './token/index.js'

/** All but the fresh token, which takes time. */
type VerbName = Exclude<ClientFrameType, 'token'>

type Verbs = { readonly [T in VerbName]: (session: Session, frame: ClientFrames[T]) => Reply }

const forbidden = (what: string): Refusal => refuse('forbidden', what)

const asDevice = ({ party }: Session, act: (party: Party) => Reply): Reply =>
  party === undefined ? forbidden('only a registered device does that') : act(party)

const wordsOf = ({ note, until }: Pick<StatusChange, 'note' | 'until'>) => ({
  ...(note !== undefined && { note }),
  ...(until !== undefined && { until }),
})

const mediaOf = ({ sdp }: { sdp?: string }) => (sdp === undefined ? {} : { sdp })

const verbs: Verbs = {
  hello: () => refuse('invalid', 'hello comes once'),

  status({ attachment, grant, ground }, { for: whom, status, ...words }) {
    if (whom === 'account') {
      if (!allows(grant, 'presence:register') && !allows(grant, 'presence:write')) {
        return forbidden('status for account needs presence:register or presence:write')
      }
      if (status === 'offline') return refuse('invalid', 'status must be a word of an account, or null')
      const change = { status, ...wordsOf(words) }
      return done(ground.presence.override(grant.tenant, grant.account, change, grant.account))
    }
    if (status === null) return refuse('invalid', 'status must be a word, except for account')
    if (attachment === undefined) return forbidden('only a registered device has a status')
    return done(attachment.declare({ status, ...wordsOf(words) }))
  },

  wrapup: ({ grant, ground }, { endMs }) =>
    allows(grant, 'presence:register')
      ? done(ground.presence.wrapup(grant.tenant, grant.account, endMs))
      : forbidden('wrapup needs presence:register'),

  subscribe({ grant, ground, watch }, { destinations, view = 'full' }) {
    const refused: { destination: Destination; code: string }[] = []
    for (const destination of new Set(destinations)) {
      const query = queryOf(grant, destination, view)
      if (!query.ok) refused.push({ destination, code: query.code })
      else if (!watch.has(destination) && watch.size >= ground.bounds.of.subscriptionsPerSession) {
        const { code } = ground.bounds.refuse('subscriptionsPerSession')
        refused.push({ destination, code })
      } else watch.subscribe(destination, query.value)
    }
    return { type: 'ok', refused }
  },

  unsubscribe({ watch }, { destinations }) {
    for (const destination of destinations) watch.unsubscribe(destination)
    return { type: 'ok' }
  },

  presence({ grant, ground }, { destinations, view = 'full' }) {
    const query = (destination: Destination) => queryOf(grant, destination, view)
    const resources = severalOf(ground.presence, grant.tenant, destinations, query)
    return resources.ok ? { type: 'resources', resources: resources.value } : resources
  },

  place(session, { to: meant, from = session.account, params, ...media }) {
    const { calls, grant, ground, party } = session
    const { application } = grant
    const to = meant ?? application?.name
    if (to === undefined) return refuse('invalid', 'to is missing, and the token names no application')
    const own = from === grant.account && (application !== undefined || allows(grant, 'call:place', to))
    const inbound = allows(grant, 'call:inbound') && !(own && party !== undefined)
    if (!own && !inbound) return forbidden(`the token may not place a call to ${to} from ${from}`)
    const placed = ground.router.place({
      tenant: grant.tenant,
      to,
      from,
      ...(params !== undefined && { params }),
      ...(application && { application: application.name, params: { ...application.params, ...params } }),
      ...mediaOf(media),
      direction: inbound ? 'inbound' : 'outbound-dial',
      caller: session,
    })
    if (!placed.ok) return placed
    calls.add(placed.value)
    return { type: 'placed', call: placed.value }
  },

  ringing: (session, { call }) =>
    asDevice(session, party => {
      session.ground.router.ringing(party, call)
      return undefined
    }),

  accept: (session, { call, sdp }) =>
    asDevice(session, party =>
      allows(session.grant, 'call:receive')
        ? done(session.ground.router.accept(party, call, sdp))
        : forbidden('accept needs call:receive'),
    ),

  reject: (session, { call, reason = 'declined' }) =>
    asDevice(session, party => done(session.ground.router.reject(party, call, reason))),

  hangup: ({ ground, side }, { call, reason }) => done(ground.router.hangup(side, call, reason)),

  transfer: (session, { call, to, attended }) =>
    asDevice(session, party =>
      attended !== undefined || mayPassTo(session.grant, to)
        ? done(session.ground.router.transfer(party, call, to, attended))
        : forbidden(`the token may not pass a call on to ${to}: that needs call:place`),
    ),

  signal: ({ ground, side }, { call, data }) => done(ground.router.signal(side, call, data)),

  performed: ({ ground, side }, { call, step, outcome, data }) =>
    done(ground.router.performed(side, call, { step, outcome, data })),

  ack({ outbox }, { seq }) {
    outbox.ack(seq)
    return undefined
  },

  ping: () => ({ type: 'pong' }),

  leave(session) {
    session.leave()
    return undefined
  },
}

/** What an expired token no longer begins; what it began goes on. */
const beginnings: ReadonlySet<string> = new Set<VerbName>([
  'status',
  'subscribe',
  'presence',
  'place',
  'transfer',
])

/** Does what a frame asks. */
export const perform = (session: Session, frame: ClientFrame): Reply => {
  if (session.expired && beginnings.has(frame.type)) {
    return refuse('unauthorized', 'the token has expired: send a fresh one')
  }
  const verb = verbs[frame.type as VerbName] as (session: Session, frame: ClientFrame) => Reply
  return verb(session, frame)
}
