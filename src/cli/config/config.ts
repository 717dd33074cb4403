// `switchhook config`: begins a configuration, checks one, and says what every option means and what holds.

import { Command, Option } from 'commander'
import { tryConfig } from '../config-file.js'
import { failureOf, misuse } from '../failure.js'
import type { Start } from '../program.js'
import type { Job } from '../shell.js'
import { green, line } from '../text.js'
import { beginConfig } from './begin.js'
import { printConfig, printSchema } from './print.js'

interface ConfigOptions {
  readonly init?: string
  readonly check?: string
  /** `true`: without a file. */
  readonly print?: string | true
  readonly schema?: boolean
  readonly json?: boolean
}

export const configCommand = (start: Start): Command =>
  new Command('config')
    .description('begin, check or print a configuration')
    .addOption(
      new Option('--init [file]', 'write one to begin with, and a secret beside it')
        .preset('switchhook.json')
        .conflicts(['check', 'print', 'schema']),
    )
    .addOption(
      new Option('--check <file>', 'say everything that is wrong with it').conflicts(['print', 'schema']),
    )
    .addOption(
      new Option(
        '--print [file]',
        'every option, its meaning and what holds; without a file, the defaults',
      ).conflicts(['schema']),
    )
    .option('--schema', 'the JSON Schema of the file, for editors')
    .option('--json', 'one JSON object')
    .action((options: ConfigOptions) => start(options, config))

const config = async ({ init, check, print, schema }: ConfigOptions, job: Job): Promise<number> => {
  if (init !== undefined) beginConfig(init, job)
  else if (check !== undefined) await checkConfig(check, job)
  else if (print !== undefined) printConfig(print === true ? undefined : print, job)
  else if (schema) printSchema(job)
  else throw misuse('config needs --init, --check FILE, --print or --schema')
  return 0
}

const checkConfig = async (file: string, { shell, out }: Job): Promise<void> => {
  try {
    const { config } = await tryConfig(file, shell)
    const tenants = [...config.tenants.keys()]
    out.tell(
      { event: 'check', file, ok: true, tenants, faults: [] },
      line(green('good'), `: ${file}, with ${tenants.length === 0 ? 'no tenant' : tenants.join(', ')}`),
    )
  } catch (error) {
    const failure = failureOf(error)
    out.tell({ event: 'check', file, ok: false, faults: failure.lines })
    throw failure
  }
}
