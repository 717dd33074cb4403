// The demo's stage: a hub, a voice application, and phones, all in one process and each spoken to as from outside.
// Built from the first to the last, taken down the other way round.

import { randomBytes } from 'node:crypto'
import { type Call, type CallEnd, HubApi } from '../../client/index.js'
import { mintToken } from '../../gateway/token/index.js'
import type { Hub } from '../../hub.js'
import type { Dev } from '../dev.js'
import { Actor } from './actor.js'
import { documents, groups, type Role, routes, type Tempo, tenant } from './scenes.js'
import { type Asked, openVoiceApplication, type VoiceApplication } from './voice-application.js'

/** What the stage tells while a scene is played; whoever plays it sets these. */
export interface Audience {
  asked: (asked: Asked) => void
  told: (name: string, call: Call, end: CallEnd) => void
  answerMs: (name: string) => number | undefined
}

export interface Stage {
  readonly url: string
  readonly voice: string
  readonly dev: Dev
  readonly api: HubApi
  /** Who listens to the scene that is played. */
  readonly audience: Audience
  mint(account: string, key?: Partial<Dev>): Promise<string>
  /** The scenes are over: nothing is told, and some phones answer whoever calls. */
  quiet(): void
  /** A phone with a token of its own; not connected yet. */
  enter(role: Role): Promise<Actor>
  close(): Promise<void>
}

/** Who answers when no scene is played. */
const kept: ReadonlySet<string> = new Set(['alice/web', 'bob/desk'])

const random = (): string => randomBytes(24).toString('base64url')

const openHub = async (dev: Dev, authToken: string, voice: VoiceApplication, tempo: Tempo): Promise<Hub> => {
  const { createHub } = await import('../../hub.js')
  return createHub({
    listen: { port: 0 },
    fetch: { allowPrivate: true },
    calls: { totalTimeoutMs: 10_000 },
    drainMs: 0,
    tenants: {
      [tenant]: {
        keys: [{ kid: dev.kid, alg: 'HS256', secret: dev.secret }],
        authToken,
        groups: groups(tempo.ringTimeoutMs),
        routes: routes(voice.url),
      },
    },
  })
}

/** `failed` hears of phones that could not answer. */
export const openStage = async (tempo: Tempo, failed: (error: unknown) => void): Promise<Stage> => {
  const quiet: Audience = {
    asked: () => {},
    told: () => {},
    answerMs: name => (kept.has(name) ? tempo.answerMs : undefined),
  }
  const audience = { ...quiet }
  const dev: Dev = { tenant, kid: 'demo', secret: random() }
  const authToken = random()
  const voice = await openVoiceApplication(documents, authToken, asked => audience.asked(asked))
  const hub = await openHub(dev, authToken, voice, tempo)
  const { url } = await hub.listen()
  const actors: Actor[] = []

  const mint = (account: string, key: Partial<Dev> = {}, scopes?: readonly string[]): Promise<string> =>
    mintToken({
      ...dev,
      ...key,
      alg: 'HS256',
      account,
      clock: { wall: () => Date.now() },
      ...(scopes && { scopes }),
    })

  return {
    url,
    voice: voice.url,
    dev,
    audience,
    api: new HubApi({
      url,
      token: await mint('carrier', {}, ['call:inbound', 'call:explain', 'presence:read', 'presence:devices']),
    }),
    mint,
    quiet() {
      Object.assign(audience, quiet)
    },
    async enter(role) {
      const actor = new Actor(role, {
        url,
        token: await mint(role.account),
        answerMs: name => audience.answerMs(name),
        told: (name, call, end) => audience.told(name, call, end),
        failed,
      })
      actors.push(actor)
      return actor
    },
    async close() {
      await Promise.all(actors.map(actor => actor.close()))
      await hub.close()
      await voice.close()
    },
  }
}
