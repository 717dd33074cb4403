// The table of docs/limits.md, made from the schema of the configuration and from what the hub says of each limit.

import { Limits } from '../../src/config-limits.js'
import { factsOf } from '../../src/errors.js'
import { type LimitFacts, type LimitName, limitTable } from '../../src/limits/index.js'

/** Of those that nothing counts. */
const quietly: Readonly<Record<string, string>> = { closeMs: 'the connection is cut' }

const gets = (name: string, facts: LimitFacts | undefined): string => {
  if (facts === undefined) return quietly[name] ?? ''
  if ('instead' in facts) return facts.instead
  const { http, close } = factsOf(facts.code)
  return `[\`${facts.code}\`](errors.md#${facts.code}): ${http}${close === undefined ? '' : `, ${close}`}`
}

const row = ([name, { default: value, description }]: [
  string,
  { default?: unknown; description?: string },
]): string => {
  const facts: LimitFacts | undefined = limitTable[name as LimitName]
  const metric = facts === undefined ? '' : `\`limit="${name}"\``
  return `| \`${name}\` | ${String(value)} | ${description} | ${gets(name, facts)} | ${metric} |`
}

export const limitsTable = [
  '| option | default | what is counted | beyond it | metric |',
  '|---|---|---|---|---|',
  ...Object.entries(Limits.properties).map(row),
].join('\n')
