// Digest authentication (RFC 7616, and RFC 2617 as RFC 3261 took it over) from the server's side: challenges, what a
// client answers to them, and whether that proves the secret. Only `auth` is offered and accepted, so that an answer is
// good for one request, and one algorithm for each account: what is asked for cannot be talked down.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Nonces } from './nonces.js'
import { quote, unquote } from './words.js'

export const digestAlgorithms = ['MD5', 'SHA-256'] as const
export type DigestAlgorithm = (typeof digestAlgorithms)[number]

export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly algorithm: DigestAlgorithm
  /** The proof was right, but its nonce is over: the client may answer without asking anyone. */
  readonly stale?: boolean
}

/** The value of WWW-Authenticate or Proxy-Authenticate. */
export const challenge = ({ realm, nonce, algorithm, stale = false }: Challenge): string =>
  `Digest realm=${quote(realm)}, nonce=${quote(nonce)}, algorithm=${algorithm}, qop="auth"${stale ? ', stale=true' : ''}`

export interface DigestCredentials {
  readonly scheme: 'digest'
  readonly username: string
  readonly realm: string
  readonly nonce: string
  readonly uri: string
  readonly response: string
  /** As the client names it. */
  readonly algorithm: string
  readonly qop: string
  /** Eight hexadecimal digits. */
  readonly nc: string
  readonly cnonce: string
}

export interface BearerCredentials {
  readonly scheme: 'bearer'
  readonly token: string
}

const parameter = /[ \t]*([\w\-.!%*+`'~]+)[ \t]*=[ \t]*(?:("(?:[^"\\]|\\.)*")|([^\s,"]+))[ \t]*(?:,|$)/gsuy

const parametersOf = (text: string): Map<string, string> | undefined => {
  const parameters = new Map<string, string>()
  let end = 0
  parameter.lastIndex = 0
  for (let found = parameter.exec(text); found !== null; found = parameter.exec(text)) {
    const [, name = '', quoted, plain = ''] = found
    const key = name.toLowerCase()
    if (parameters.has(key)) return undefined
    parameters.set(key, quoted === undefined ? plain : unquote(quoted))
    end = parameter.lastIndex
  }
  return end === text.length ? parameters : undefined
}

/** Reads Authorization or Proxy-Authorization; undefined for another scheme, and where anything needed is missing. */
export const readAuthorization = (value: string): DigestCredentials | BearerCredentials | undefined => {
  const token = /^Bearer +([\w\-.~+/]+=*)$/i.exec(value)?.[1]
  if (token !== undefined) return { scheme: 'bearer', token }
  const text = /^Digest[ \t]+(.*)$/is.exec(value)?.[1]
  const read = text === undefined ? undefined : parametersOf(text)
  if (read === undefined) return undefined
  const word = (name: string): string => read.get(name) ?? ''
  const credentials: DigestCredentials = {
    scheme: 'digest',
    username: word('username'),
    realm: word('realm'),
    nonce: word('nonce'),
    uri: word('uri'),
    response: word('response'),
    algorithm: read.get('algorithm') ?? 'MD5',
    qop: word('qop'),
    nc: word('nc'),
    cnonce: word('cnonce'),
  }
  return Object.values(credentials).includes('') ? undefined : credentials
}

const hashNames = { MD5: 'md5', 'SHA-256': 'sha256' } as const

/** What a response is made of. */
export interface Proof
  extends Pick<DigestCredentials, 'username' | 'realm' | 'nonce' | 'uri' | 'nc' | 'cnonce'> {
  readonly algorithm: DigestAlgorithm
  readonly method: string
  readonly secret: string
}

/** The response with `qop=auth` (RFC 7616, section 3.4.1), in hexadecimal. */
export const responseOf = ({
  algorithm,
  username,
  realm,
  secret,
  method,
  uri,
  nonce,
  nc,
  cnonce,
}: Proof): string => {
  const hash = (text: string): string => createHash(hashNames[algorithm]).update(text).digest('hex')
  const account = hash(`${username}:${realm}:${secret}`)
  return hash(`${account}:${nonce}:${nc}:${cnonce}:auth:${hash(`${method}:${uri}`)}`)
}

const sameText = (a: string, b: string): boolean => {
  const [one, other] = [a, b].map(text => createHash('sha256').update(text).digest())
  return timingSafeEqual(one as Buffer, other as Buffer)
}

export interface Claim {
  readonly authorization: DigestCredentials
  /** Of the request. */
  readonly method: string
  /** The Request-URI of the request. */
  readonly uri: string
  /** The realm it was challenged for. */
  readonly realm: string
  /** What the account's secret is, or undefined if there is no such account: that takes as long to refuse. */
  readonly secret: string | undefined
  /** What the account asks for. */
  readonly algorithm: DigestAlgorithm
  readonly nonces: Nonces
}

/** `stale`: the secret is proven, but the nonce is over; a new challenge says so. */
export type Verdict = 'proven' | 'stale' | 'refused'

/** Whether credentials prove the secret for this very request. */
export const verify = ({ authorization, method, uri, realm, secret, algorithm, nonces }: Claim): Verdict => {
  const { username, nonce, nc, cnonce } = authorization
  const proof = { algorithm, username, realm, secret: secret ?? '', method, uri, nonce, nc, cnonce }
  const isProven = sameText(responseOf(proof), authorization.response.toLowerCase())
  const isAsAsked =
    authorization.qop.toLowerCase() === 'auth' &&
    authorization.algorithm.toUpperCase() === algorithm &&
    authorization.realm === realm &&
    authorization.uri === uri &&
    /^[\da-f]{8}$/i.test(nc)
  if (!isProven || !isAsAsked || secret === undefined) return 'refused'
  return nonces.use(nonce, realm, Number.parseInt(nc, 16))
}
