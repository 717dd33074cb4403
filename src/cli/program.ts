// The command tree, and the run of one command in it: from arguments to an exit code. Whatever goes wrong ends here,
// in a line on standard error. The first SIGINT, SIGTERM or uncaught fault asks the command to finish in good order,
// a second signal ends it at once.

import { Command } from 'commander'
import { callCommand } from './call.js'
import { callsCommand } from './calls.js'
import { completionCommand } from './completion/completion.js'
import { configCommand } from './config/config.js'
import { demoCommand } from './demo/demo.js'
import { doctorCommand } from './doctor/doctor.js'
import { explainCommand } from './explain.js'
import { type Failure, failureOf, misuse } from './failure.js'
import { groupCommand } from './group/group.js'
import { Output } from './output.js'
import { phoneCommand } from './phone.js'
import { serveCommand } from './serve.js'
import type { Job, Shell } from './shell.js'
import { simulateCommand } from './simulate/simulate.js'
import { whole } from './text.js'
import { tokenCommand } from './token/token.js'
import { version } from './version.js'
import { watchCommand } from './watch.js'

/** Runs the work of a command with the options that it was given. */
export type Start = <O extends { readonly json?: boolean }>(
  options: O,
  work: (options: O, job: Job) => Promise<number>,
) => Promise<void>

/** How a process ends that a signal did not let finish, as a shell says it. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** What each command is for, in the order in which they are shown. */
const purposes = {
  'To try it out:': [demoCommand, phoneCommand, callCommand, watchCommand, simulateCommand],
  'To run a hub:': [configCommand, serveCommand, tokenCommand, groupCommand],
  'To find out why:': [doctorCommand, explainCommand, callsCommand],
  'Besides:': [completionCommand],
}

/** Runs the command that `args` name (without the program's own name). Never rejects. */
export const run = async (args: readonly string[], shell: Shell): Promise<number> => {
  const { env, stdout, stderr } = shell
  const screen = new Output(stdout, { env, json: false })
  const errors = new Output(stderr, { env, json: false })
  const stop = new AbortController()
  let exitCode = 0

  const say = ({ lines, exitCode }: Failure): number => {
    errors.print(...lines.map(text => whole(`switchhook: ${text}`)))
    return exitCode
  }

  const start: Start = async (options, work) => {
    const out = options.json === true ? new Output(stdout, { env, json: true }) : screen
    let faults = 0
    const offs = [
      shell.on('uncaughtException', fault => {
        faults += say(failureOf(fault))
        // One that comes while the command finishes does not keep it from that.
        stop.abort(fault)
      }),
    ]
    const second = new Promise<number>(resolve => {
      for (const [name, code] of Object.entries(exitCodes) as [keyof typeof exitCodes, number][]) {
        const listener = (reason: unknown): void => {
          if (stop.signal.aborted) resolve(code)
          else stop.abort(reason)
        }
        offs.push(shell.on(name, listener))
      }
    })
    try {
      exitCode = await Promise.race([work(options, { shell, out, stop: stop.signal }), second])
      if (faults > 0) exitCode = 1
    } finally {
      for (const off of offs) off()
    }
  }

  const program = new Command('switchhook')
    .description('A realtime presence hub with an embedded call router.')
    .addHelpText('after', '\nBegin with: switchhook demo, or switchhook config --init')
    .version(version, '-V, --version', 'print the version')
    .commandsGroup('Besides:')
    .helpCommand('help [command]', 'print help on a command')
    .exitOverride()
    .configureOutput({
      writeOut: text => stdout.write(text),
      // Said below, on one line.
      writeErr: () => {},
      getOutHelpWidth: () => screen.width,
      getErrHelpWidth: () => errors.width,
      getOutHasColors: () => screen.colour,
      getErrHasColors: () => errors.colour,
    })
  for (const [purpose, commands] of Object.entries(purposes)) {
    for (const command of commands) {
      const each = command(start).helpGroup(purpose).copyInheritedSettings(program)
      for (const part of each.commands) part.copyInheritedSettings(program)
      program.addCommand(each)
    }
  }

  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // Help and version come as errors too.
    if ((error as { exitCode?: unknown }).exitCode === 0) return 0
    // Commander answers this with the whole help, as an error.
    if (args[0] === 'help') return say(misuse(`unknown command '${args[1]}'`))
    return say(failureOf(error))
  }
  return exitCode
}
