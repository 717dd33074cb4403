// `switchhook explain`: a word as it was seen (an error code, a close code, an HTTP status, the reason why a call ended, a
// device stopped ringing or somebody was not rung, an option of the configuration): what one sees, why, what to do.
// The words are those of the guide that docs/errors.md is made from, and of the configuration's schema.

import { Command } from 'commander'
import { ConfigSchema, listOptions, type Option } from '../config.js'
import type { GuideEntry } from '../error-guide.js'
import { type ErrorCode, errorTable } from '../errors.js'
import { misuse } from './failure.js'
import { nearest } from './nearest.js'
import type { Start } from './program.js'
import type { Job } from './shell.js'
import { bold, dim, type Line, line, table } from './text.js'

export const explainCommand = (start: Start): Command =>
  new Command('explain')
    .description('what a code, a reason or an option means, why it happens, and what to do')
    .argument('[code]', 'such as call-gone, 4501, 409, no-answer or listen.port; without one, all there are')
    .option('--json', 'one JSON object')
    .action((code: string | undefined, options: { readonly json?: boolean }) =>
      start(options, (_, job) => explain(code, job)),
    )

const options = listOptions(ConfigSchema)

/** `tenants.acme.keys[0].kid` is `tenants.NAME.keys[].kid`. */
const optionAt = (path: string): Option | undefined => {
  const sought = path.replace(/\[\d+\]/g, '[]').split('.')
  return options.find(option => {
    const parts = option.path.split('.')
    return parts.length === sought.length && parts.every((part, at) => part === 'NAME' || part === sought[at])
  })
}

const entryLines = ({ kind, name, see, why, remedy }: GuideEntry): Line[] => [
  line(bold(name), dim(`  ${kind}`)),
  ...table(
    [
      ['you see', see],
      ['why', why],
      ['do', remedy],
    ],
    2,
  ),
]

const optionLines = ({ path, description, value }: Option): Line[] => [
  line(bold(path), dim('  option of the configuration')),
  ...table([['means', description], ...(value === undefined ? [] : [['default', JSON.stringify(value)]])], 2),
]

/** All the words there are, by what they are. */
const listLines = (guide: readonly GuideEntry[]): Line[] =>
  [...new Set(guide.map(({ kind }) => kind))].map(kind =>
    line(
      bold(kind),
      `: ${guide
        .filter(entry => entry.kind === kind)
        .map(({ name }) => name)
        .join(', ')}`,
    ),
  )

const explain = async (word: string | undefined, { out }: Job): Promise<number> => {
  // Loaded here, so that the other commands start without the weight of a hub.
  const { closeCodes, guide, lookUp } = await import('../error-guide.js')
  if (word === undefined) {
    out.tell({ event: 'guide', entries: guide }, ...listLines(guide))
    return 0
  }
  const ofStatus = ({ kind, name }: GuideEntry): boolean =>
    kind === 'error code' && String(errorTable[name as ErrorCode].http) === word
  const entries = [...lookUp(word), ...guide.filter(ofStatus)]
  const option = optionAt(word)
  if (entries.length === 0 && option === undefined) {
    const known = [
      guide.map(({ name }) => name),
      [...closeCodes.keys()].map(String),
      options.map(({ path }) => path),
    ]
    const meant = nearest(word.toLowerCase(), known.flat())
    const hint =
      meant.length === 0 ? 'switchhook explain lists all there are' : `did you mean ${meant.join(', ')}?`
    throw misuse(`${word} is not known: ${hint}`)
  }
  out.tell(
    { event: 'explanation', word, entries, option },
    ...[...entries.map(entryLines), ...(option ? [optionLines(option)] : [])].flat(),
  )
  return 0
}
