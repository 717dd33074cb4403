// Completion for zsh, with what each word means.

import type { CommandWords, OptionWords, Takes, Tree } from './tree.js'

/** Text within single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const described = (text: string): string => text.replace(/[\\[\]:]/g, '\\$&')

const valueSpec = (takes: Takes): string => {
  if (takes === 'nothing') return ''
  if (takes === 'file') return ':file:_files'
  return takes === 'text' ? ':value:' : `:value:(${takes.join(' ')})`
}

const optionSpec = ({ flag, description, takes, optional }: OptionWords): string =>
  quoted(`${flag}[${described(description)}]${optional ? ':' : ''}${valueSpec(takes)}`)

const argumentSpec = ({ choices }: CommandWords): string[] =>
  choices.length === 0 ? [] : [quoted(`*:word:(${choices.join(' ')})`)]

const commandCase = (command: CommandWords): string =>
  `    ${command.name}) _arguments ${[...command.options.map(optionSpec), ...argumentSpec(command)].join(' \\\n      ')} ;;`

/** The script. */
export const zsh = ({ program, commands }: Tree): string => `#compdef ${program.name}
# Completion of ${program.name} for zsh: source <(${program.name} completion zsh), after compinit
_${program.name}() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _arguments ${program.options.map(optionSpec).join(' ')}
    return
  fi
  shift words
  (( CURRENT -= 1 ))
  case $words[1] in
${commands.map(commandCase).join('\n')}
  esac
}
compdef _${program.name} ${program.name}
`
