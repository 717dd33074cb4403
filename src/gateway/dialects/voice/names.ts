// Names as applications of the voice SDK have them: people as `client:NAME`, numbers as they are, parameters as the
// query of a URL; and the token by which it takes a call up again, which means nothing to it.

import type { DeviceId, Params, SessionId } from '../../../protocol/index.js'

/** Numbers, and addresses that have a scheme already. */
const spelled = /^\+?\d+$|:/

/** Who calls or is called, as the SDK's applications read it. */
export const shownAs = (name: string): string => (spelled.test(name) ? name : `client:${name}`)

/** Whom an application means. */
export const meant = (name: string): string => name.replace(/^client:/, '')

export const paramsIn = (query: string): Params => Object.fromEntries(new URLSearchParams(query))

export const queryOf = (params: Params): string => new URLSearchParams(params).toString()

/** A session, and the device that it is: what takes it up again, calls included. */
export interface Claim {
  readonly session: SessionId
  readonly device: DeviceId
}

/** As hard to guess as the session's id. */
export const claimText = ({ session, device }: Claim): string =>
  Buffer.from(`${session} ${device}`).toString('base64url')

/** Undefined: it is none of ours. */
export const readClaim = (text: string): Claim | undefined => {
  const [session, device] = Buffer.from(text, 'base64url').toString().split(' ')
  return session && device ? { session: session as SessionId, device: device as DeviceId } : undefined
}
