// What a good configuration says that may yet be unwise: keys that are weak or lie about, a way in that is not encrypted,
// a certificate that ends, requests that may go anywhere.

import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Config, ConfigInput } from '../../config.js'
import { span } from '../span.js'
import { type Finding, fault, fine, warning } from './finding.js'

type Tenants = Config['tenants']
type TenantConfig = Tenants extends ReadonlyMap<unknown, infer T> ? T : never
type Key = TenantConfig['keys'][number]

const kindOf = (key: Key): string => {
  if ('jwksUrl' in key) return 'a key set'
  return key.kid === undefined ? key.alg : `${key.alg} ${key.kid}`
}

/** Fewer different characters than this are not from a random source: of 32 random ones of base64 some 25 differ. */
const variety = 12

/** What is wrong with a tenant's secrets; `known`: those of the tenants before. */
const secretFindings = (
  tenant: string,
  { keys }: TenantConfig,
  input: ConfigInput,
  known: Map<string, string>,
): Finding[] =>
  keys.flatMap((key, index) => {
    if (!('secret' in key)) return []
    const at = `tenants.${tenant}.keys[${index}].secret`
    const other = known.get(key.secret)
    known.set(key.secret, tenant)
    return [
      ...(new Set(key.secret).size < variety
        ? [warning('keys', `${at} can be guessed`, 'make it at random: openssl rand -base64 32')]
        : []),
      ...(typeof input.tenants?.[tenant]?.keys[index]?.secret === 'string'
        ? [
            warning(
              'keys',
              `${at} stands in the configuration`,
              'keep it apart: { "env": NAME } or { "file": PATH }',
            ),
          ]
        : []),
      ...(other !== undefined && other !== tenant
        ? [warning('keys', `${at} is also that of ${other}`, 'who has it speaks for both: give each its own')]
        : []),
    ]
  })

export const checkKeys = ({ tenants }: Config, input: ConfigInput): Finding[] => {
  if (tenants.size === 0) {
    return [
      warning(
        'keys',
        'there is no tenant, so nobody can connect',
        'add one with a key (config --init shows how)',
      ),
    ]
  }
  const known = new Map<string, string>()
  return [...tenants].flatMap(([name, tenant]) => [
    fine('keys', `${name} has ${tenant.keys.map(kindOf).join(', ')}`),
    ...secretFindings(name, tenant, input, known),
  ])
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** A certificate that ends sooner than this is worth a word. */
const soonMs = 21 * 86_400_000

/** How what goes over the wire is protected. */
export const checkTransport = ({ listen: { host, tls } }: Config, now: number): Finding => {
  if (tls === undefined) {
    return isLoopback(host)
      ? fine('tls', `not encrypted, and only to be reached from this machine (${host})`)
      : warning(
          'tls',
          `tokens go unencrypted to ${host}`,
          'set listen.tls, or put a proxy before it that does TLS',
        )
  }
  const { validTo, subject } = new X509Certificate(tls.cert)
  const left = Date.parse(validTo) - now
  const whose = subject?.replaceAll('\n', ', ')
  if (left < 0) return fault('tls', `the certificate of ${whose} ended ${span(-left)} ago`, 'renew it')
  if (left < soonMs) return warning('tls', `the certificate of ${whose} ends in ${span(left)}`, 'renew it')
  return fine('tls', `the certificate of ${whose} is good for ${span(left)}`)
}

/** What may be asked of servers outside. */
export const checkFetch = ({ fetch: { allowPrivate, allowHosts } }: Config): Finding => {
  if (allowPrivate) {
    return warning(
      'fetch',
      'addresses that are not public may be asked (fetch.allowPrivate)',
      'leave that off where others than you write instructions: they would reach your network',
    )
  }
  return fine(
    'fetch',
    allowHosts === undefined
      ? 'any public address may be asked'
      : `only ${allowHosts.join(', ')} may be asked`,
  )
}
