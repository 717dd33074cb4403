// Which sources a spec answers for: every file of src. Helpers under spec are left out of the report.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const sources = readdirSync('src', { recursive: true })
  .map(name => join('src', String(name)))
  .filter(name => name.endsWith('.ts'))

export default () => sources
