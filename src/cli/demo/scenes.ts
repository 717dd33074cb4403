// What the demo plays: who is there, what the voice application answers, and the calls with what must become of
// each. All of it data; a call passes only if its outcome is the one written here.

import type { Declared } from '../../client/index.js'
import type { ConfigInput } from '../../config.js'

export const tenant = 'acme'

/** Someone with a phone, or with several. */
export interface Role {
  readonly account: string
  readonly device: string
  readonly status: Declared
}

/** Erin is in the directory, but never signs in. */
export const roles: readonly Role[] = [
  { account: 'alice', device: 'web', status: 'available' },
  { account: 'alice', device: 'mobile', status: 'available' },
  { account: 'bob', device: 'desk', status: 'available' },
  { account: 'carol', device: 'mobile', status: 'away' },
  { account: 'dave', device: 'desk', status: 'dnd' },
]

/** How long things take, in milliseconds. */
export interface Tempo {
  /** Between two lines, for people to read them. */
  readonly lineMs: number
  readonly ringTimeoutMs: number
  readonly answerMs: number
  readonly talkMs: number
}

export const readable: Tempo = { lineMs: 80, ringTimeoutMs: 1500, answerMs: 700, talkMs: 500 }
export const fast: Tempo = { lineMs: 0, ringTimeoutMs: 600, answerMs: 10, talkMs: 0 }

type Groups = NonNullable<NonNullable<ConfigInput['tenants']>[string]['groups']>

export const groups = (ringTimeoutMs: number): Groups => ({
  support: { members: ['alice', 'bob', 'carol', 'dave'], strategy: 'longest-idle', ringTimeoutMs },
  sales: { members: ['carol', 'dave', 'erin'] },
})

/** What the voice application answers, by path. */
export const documents: Readonly<Record<string, string>> = {
  '/alice': '<Response>\n  <Dial><Client>alice</Client></Dial>\n</Response>',
  '/support': '<Response>\n  <Dial><Client>support</Client></Dial>\n</Response>',
  '/sales': '<Response>\n  <Dial><Client>sales</Client></Dial>\n  <Redirect>/closed</Redirect>\n</Response>',
  '/closed': '<Response>\n  <Hangup/>\n</Response>',
}

/** What became of a call. Devices are written `alice/web`. */
export interface Outcome {
  readonly reason: string
  /** Who answered. */
  readonly by: string | undefined
  /** Who was rung, in this order. */
  readonly rung: readonly string[]
  /** The last word that each device rung was told of the call. */
  readonly told: Readonly<Record<string, string>>
  /** Why each of the others was not rung. */
  readonly notRung: Readonly<Record<string, string>>
  /** The documents that were asked for, each with a good signature. */
  readonly asked: readonly string[]
}

export interface Scene {
  readonly title: string
  readonly from: string
  readonly to: string
  readonly destination: string
  /** The device that answers; all others just ring. */
  readonly answering?: string
  readonly expected: Outcome
}

export const scenes: readonly Scene[] = [
  {
    title: 'one person, several devices: they ring together',
    from: '+15550171',
    to: '+15550101',
    destination: 'alice',
    answering: 'alice/mobile',
    expected: {
      reason: 'completed',
      by: 'alice/mobile',
      rung: ['alice'],
      told: { 'alice/web': 'answered-elsewhere by alice/mobile', 'alice/mobile': 'completed' },
      notRung: {},
      asked: ['/alice'],
    },
  },
  {
    title: 'several people: the longest idle first, then the next',
    from: '+15550172',
    to: '+15550100',
    destination: 'support',
    answering: 'alice/web',
    expected: {
      reason: 'completed',
      by: 'alice/web',
      // Alice is listed first, but she has just had a call.
      rung: ['bob', 'alice'],
      told: {
        'bob/desk': 'timeout',
        'alice/web': 'completed',
        'alice/mobile': 'answered-elsewhere by alice/web',
      },
      notRung: { carol: 'away', dave: 'dnd' },
      asked: ['/support'],
    },
  },
  {
    title: 'nobody available: the voice application is asked what next',
    from: '+15550173',
    to: '+15550102',
    destination: 'sales',
    expected: {
      reason: 'unavailable',
      by: undefined,
      rung: [],
      told: {},
      notRung: { carol: 'away', dave: 'dnd', erin: 'offline' },
      asked: ['/sales', '/closed'],
    },
  },
]

/** Which document each number leads to. */
export const routes = (voice: string) =>
  scenes.map(({ to, destination }) => ({ to, instructions: `${voice}/${destination}` }))
