// `switchhook config --print` and `--schema`: every option with its meaning, as the schema of the configuration has it.
// No secret is shown, nor the query of an address.

import { readFileSync } from 'node:fs'
import { ConfigSchema, fillShown, listOptions, type Option } from '../../config.js'
import { readConfigFile } from '../config-file.js'
import type { Job } from '../shell.js'
import { bold, dim, type Line, line, table, whole } from '../text.js'

const valueText = ({ value, required, section, given }: Option): string => {
  if (value !== undefined) return ` = ${JSON.stringify(value)}${given ? '  (set)' : ''}`
  if (required && !given) return ' = (required)'
  return section ? '' : ' = (none)'
}

const lines = (option: Option): Line[] => [
  line(bold(option.path), valueText(option)),
  ...table([[dim(option.description)]], 4),
]

/** What holds with this file; without one, all that a file could say, and what holds where it does not. */
export const printConfig = (file: string | undefined, { shell, out }: Job): void => {
  const input = file === undefined ? undefined : readConfigFile(file, shell).input
  out.tell(
    { event: 'config', file, config: fillShown(ConfigSchema, input ?? {}) },
    ...listOptions(ConfigSchema, input).flatMap(lines),
  )
}

/** The JSON Schema that comes with the package. */
const schemaFile = new URL('../../../docs/reference/config.schema.json', import.meta.url)

export const printSchema = ({ out }: Job): void => {
  const text = readFileSync(schemaFile, 'utf8').trimEnd()
  out.tell({ event: 'schema', schema: JSON.parse(text) }, ...text.split('\n').map(row => whole(row)))
}
