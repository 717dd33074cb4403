// Completion for bash 3.2 and later. Where it has no words of its own, bash completes the names of files.

import type { CommandWords, Tree } from './tree.js'

/** `command option` -> the words after it; a mark where that is the name of a file, none where it is text. */
const valueCases = ({ name, options }: CommandWords): string[] =>
  options.flatMap(({ flag, takes }) => {
    if (takes === 'nothing') return []
    const words = takes === 'file' ? '<file>' : takes === 'text' ? '' : takes.join(' ')
    return [`    '${name} ${flag}') words='${words}' ;;`]
  })

const nameCase = ({ name, options, choices }: CommandWords): string =>
  `    '${name} '*) words='${[...choices, ...options.map(({ flag }) => flag)].join(' ')}' ;;`

/** The script. */
export const bash = ({ program, commands }: Tree): string => {
  const first = [...commands.map(({ name }) => name), ...program.options.map(({ flag }) => flag)]
  return `# Completion of ${program.name} for bash: source <(${program.name} completion bash)
_${program.name}() {
  local word words= command=
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  # --option=value comes as three words.
  case $current in
    =) current= ;;
    *) if [ "$before" = = ]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi ;;
  esac
  # The value of an option may be left out.
  case $current in -*) before= ;; esac
  case "$command $before" in
${commands.flatMap(valueCases).join('\n')}
${commands.map(nameCase).join('\n')}
    ' '*) words='${first.join(' ')}' ;;
  esac
  if [ "$words" = '<file>' ]; then
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _${program.name} ${program.name}
`
}
