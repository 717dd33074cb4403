// Completion for fish, with what each word means.

import type { CommandWords, OptionWords, Takes, Tree } from './tree.js'

/** Text within single quotes. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`

const valueSpec = (takes: Takes): string => {
  if (takes === 'nothing') return ''
  if (takes === 'file') return ' -r -F'
  return takes === 'text' ? ' -x' : ` -x -a ${quoted(takes.join(' '))}`
}

const optionLine =
  (when: string) =>
  ({ flag, short, description, takes, optional }: OptionWords): string =>
    `${when} -l ${flag.slice(2)}${short === undefined ? '' : ` -s ${short}`}${optional ? '' : valueSpec(takes)} -d ${quoted(description)}`

/** The script. */
export const fish = ({ program, commands }: Tree): string => {
  const complete = `complete -c ${program.name}`
  const first = `${complete} -n __fish_use_subcommand`
  const ofCommand = (command: CommandWords): string[] => {
    const when = `${complete} -n ${quoted(`__fish_seen_subcommand_from ${command.name}`)}`
    return [
      `${first} -a ${command.name} -d ${quoted(command.description)}`,
      ...(command.choices.length === 0 ? [] : [`${when} -a ${quoted(command.choices.join(' '))}`]),
      ...command.options.map(optionLine(when)),
    ]
  }
  return [
    `# Completion of ${program.name} for fish: ${program.name} completion fish | source`,
    `${complete} -f`,
    ...program.options.map(optionLine(first)),
    ...commands.flatMap(ofCommand),
    '',
  ].join('\n')
}
