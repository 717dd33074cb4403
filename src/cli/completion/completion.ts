// `switchhook completion`: a script that has a shell complete the commands, options and values of this program.

import { Argument, Command } from 'commander'
import type { Start } from '../program.js'
import { whole } from '../text.js'
import { bash } from './bash.js'
import { fish } from './fish.js'
import { readTree } from './tree.js'
import { zsh } from './zsh.js'

const scripts = { bash, zsh, fish }
const shells = Object.keys(scripts) as (keyof typeof scripts)[]

const programOf = (command: Command): Command =>
  command.parent === null ? command : programOf(command.parent)

export const completionCommand = (start: Start): Command =>
  new Command('completion')
    .description('a script that completes these commands in your shell')
    .addArgument(new Argument('<shell>', 'which shell it is for').choices(shells))
    .option('--json', 'one JSON object, with the script')
    .addHelpText('after', '\nIn bash: source <(switchhook completion bash)')
    .action((shell: keyof typeof scripts, options: { readonly json?: boolean }, command: Command) =>
      start(options, async (_, { out }) => {
        const script = scripts[shell](readTree(programOf(command)))
        out.tell(
          { event: 'completion', shell, script },
          ...script
            .trimEnd()
            .split('\n')
            .map(text => whole(text)),
        )
        return 0
      }),
    )
