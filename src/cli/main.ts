// The process: the one place of the command line that touches it. Hands its arguments, streams, environment and
// signals to the program, and ends with the exit code that comes back.

import { run } from './program.js'

const { stdin, stdout, stderr, env, pid } = process

process.exitCode = await run(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  pid,
  cwd: process.cwd(),
  on: (interruption, listener) => {
    process.on(interruption, listener)
    return () => process.off(interruption, listener)
  },
})

// Whatever a command has left open holds nothing up; what it wrote goes out first.
stdout.write('', () => process.exit())
