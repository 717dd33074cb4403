// `switchhook token --check`: what a token says, in words, and whether a hub would take it: one with this configuration, or
// one that has the key which is given. Done only if it would. The signature is never shown, nor is a secret.

import { type Algorithm, type Config, readConfig } from '../../config.js'
import type { Fault } from '../../errors.js'
import { createKeySets, readKeys, type Unverified } from '../../gateway/token/index.js'
import { type Log, systemClock } from '../../runtime/index.js'
import { readConfigFile, refused } from '../config-file.js'
import { misuse, reportTo } from '../failure.js'
import { readText } from '../flags.js'
import type { Output } from '../output.js'
import type { Job, Shell } from '../shell.js'
import { span } from '../span.js'
import { bold, dim, green, type Line, line, red, table, yellow } from '../text.js'
import { type Judgement, judge, judgeForm, readSaid } from './judge.js'
import { claimFacts, type Fact, headerFacts, scopeFacts } from './words.js'

export interface CheckFlags {
  readonly config?: string
  readonly secret?: string
  readonly secretFile?: string
  readonly publicKey?: string
  readonly tenant?: string
  readonly kid?: string
  readonly alg?: Algorithm
  readonly audience?: string
}

/** More than this is no token, and not read. */
const longest = 64 * 1024

const readInput = async ({ stdin }: Shell): Promise<string> => {
  let text = ''
  for await (const chunk of stdin) {
    text += chunk
    if (text.length > longest) throw misuse('--check -: standard input holds more than a token')
  }
  return text
}

/** The token, and where it is from. */
const find = async (
  check: string | true,
  shell: Shell,
): Promise<{ readonly token: string; readonly from: string }> => {
  const { SWITCHHOOK_TOKEN: known } = shell.env
  if (check === true && !known && shell.stdin.isTTY)
    throw misuse('--check needs a token: give it, or - for standard input, or set SWITCHHOOK_TOKEN')
  const [token, from] =
    check !== true && check !== '-'
      ? [check, 'the command line']
      : check === true && known
        ? [known, 'SWITCHHOOK_TOKEN']
        : [await readInput(shell), 'standard input']
  // As it is pasted from a header.
  const bare = token.trim().replace(/^Bearer +/i, '')
  if (bare === '' && from === 'standard input') throw misuse('--check: there is no token on standard input')
  if (bare === '') throw misuse('--check: the token is empty')
  return { token: bare, from }
}

/** The flag behind what is wrong with a key that was given. */
const flagFault = ({ path, message }: Fault, { secretFile }: CheckFlags): string => {
  const [, field = 'tenant'] = /\.keys\[0\]\.(\w+)$/.exec(path) ?? []
  const flags: Readonly<Record<string, string>> = {
    secret: secretFile === undefined ? '--secret' : '--secret-file',
    publicKey: '--public-key',
  }
  return `${flags[field] ?? `--${field}`} ${message}`
}

/** A hub to judge by: what it is told, and how faults in that are refused. */
interface Judge {
  readonly config: Config
  readonly refuse: (faults: readonly Fault[]) => Error
}

/** The hub of a configuration; else one that has only the key which is given; undefined: there is none. */
const judgeBy = (options: CheckFlags, { statement }: Unverified, shell: Shell): Judge | undefined => {
  const { config: file, secret, secretFile, publicKey, alg, kid, tenant = statement.tenant } = options
  if (file !== undefined) {
    return { config: readConfigFile(file, shell).config, refuse: faults => refused(faults, file, '') }
  }
  const text = secretFile === undefined ? secret : readText('--secret-file', secretFile, shell).trimEnd()
  if (text === undefined && publicKey === undefined) return undefined
  const key =
    text === undefined
      ? { alg: alg ?? 'ES256', publicKey: readText('--public-key', String(publicKey), shell) }
      : { alg: alg ?? 'HS256', secret: text }
  const refuse = (faults: readonly Fault[]) => misuse(...faults.map(fault => flagFault(fault, options)))
  const keys = [kid === undefined ? key : { ...key, kid }]
  const read = readConfig({ tenants: { [tenant]: { keys } } }, { dir: shell.cwd, env: {} })
  if (!read.ok) throw refuse(read.faults)
  return { config: read.value, refuse }
}

/** Judges a token by all the keys of a configuration. What hinders key sets from being had goes into `notes`. */
const judgeWith = async (
  token: string,
  said: Unverified,
  { config, refuse }: Judge,
  options: CheckFlags,
  { notes, out }: { readonly notes: string[]; readonly out: Output },
): Promise<Judgement> => {
  const { tenants, fetch } = config
  const note = (facts: object): void => {
    const { url, reason, keys } = facts as { url: string; reason?: string; keys?: readonly string[] }
    notes.push(`${url}: ${reason ?? keys?.join('; ')}`)
  }
  const log: Log = { info: note, warn: note, error: note }
  const clock = systemClock(reportTo(out))
  const sets = createKeySets({ fetch, clock, log })
  try {
    const read = await readKeys(tenants, sets)
    if (!read.ok) throw refuse(read.faults)
    const { value } = read
    // A key that is given without a name is tried whatever the token calls it.
    const unnamed = options.config === undefined && options.kid === undefined
    const ring = unnamed ? { find: (tenant: string) => value.find(tenant, undefined) } : value
    const audience = options.audience ?? config.audience
    return await judge(token, said, { audience, clock, keys: { ring, tenants } })
  } finally {
    await sets.close()
  }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const factLines = (title: string, facts: readonly Fact[]): Line[] => [
  line(bold(title), facts.length === 0 ? ': cannot be read' : ''),
  ...table(
    facts
      .filter(({ name, value }) => name !== 'scope' || typeof value !== 'string')
      .map(({ name, value, means }) => [name, shown(value), dim(means)]),
    2,
  ),
]

/** The claim `scope`, word by word. */
const scopeLines = (scopes: ReturnType<typeof scopeFacts>): Line[] => [
  line(bold('scope'), scopes.length === 0 ? ': no permission' : ''),
  ...table(
    scopes.map(({ scope, allows }) =>
      allows === undefined
        ? [yellow(scope), yellow('is not known here, and passed over')]
        : [scope, dim(allows)],
    ),
    2,
  ),
]

const verdictLines = (
  { signature, refusals }: Judgement,
  notes: readonly string[],
  leftMs: number,
): Line[] => [
  ...notes.map(note => line(yellow('note'), ` ${note}`)),
  ...refusals.map(({ code, message }) => line(red('refused'), ` ${message} (${code})`)),
  ...(refusals.length > 0
    ? []
    : signature === 'good'
      ? [line(green('accepted'), ` for another ${span(leftMs)}, unless it was revoked`)]
      : [
          line(
            yellow('undecided'),
            ': all but the signature is good, and that was not checked, for want of a key: give --config FILE, --secret or --public-key',
          ),
        ]),
]

/** Explains a token, and says whether it would be accepted: only then the exit code is 0. */
export const checkToken = async (
  check: string | true,
  options: CheckFlags,
  { shell, out }: Job,
): Promise<number> => {
  const { token, from } = await find(check, shell)
  const said = readSaid(token)
  const now = Date.now()
  const notes: string[] = []
  const terms = { audience: options.audience ?? 'switchhook', clock: { wall: () => now } }
  const form = await judgeForm(token, terms)
  const by = form.ok ? judgeBy(options, form.value, shell) : undefined
  const judgement: Judgement = !form.ok
    ? { signature: 'unchecked', refusals: [form] }
    : by
      ? await judgeWith(token, form.value, by, options, { notes, out })
      : await judge(token, form.value, terms)
  const accepted = judgement.signature === 'good' && judgement.refusals.length === 0
  const header = headerFacts(said.header ?? {}, now)
  // The permissions of an access token are in no claim of that name.
  const isAccess = form.ok && said.header?.cty !== undefined
  const claims = claimFacts[isAccess ? 'access' : 'own'](said.claims ?? {}, now)
  const scopes = scopeFacts(isAccess ? [...form.value.statement.allows.scopes].join(' ') : said.claims?.scope)
  const { signature, refusals } = judgement
  const told = refusals.map(({ code, message }) => ({ code, message }))
  out.tell(
    { event: 'token', from, header, claims, scopes, signature, accepted, refusals: told, notes },
    line(dim(`the token from ${from}`)),
    ...factLines('header', header),
    ...factLines('claims', claims),
    ...scopeLines(scopes),
    ...verdictLines(judgement, notes, Number(said.claims?.exp) * 1000 - now),
  )
  return accepted ? 0 : 1
}
