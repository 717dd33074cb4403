// `switchhook config --init`: a configuration that works as it is, with a secret of its own in a file beside it, so that
// the one can be shown around and the other stays where it is. What is there already is never written over.

import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { ConfigInput } from '../../config.js'
import { misuse } from '../failure.js'
import type { Job, Shell } from '../shell.js'
import { bold, dim, line, whole } from '../text.js'

const tenant = 'acme'
const kid = 'k1'
const number = '+15550100'

const beginning = (secretFile: string): ConfigInput => ({
  listen: { host: '127.0.0.1', port: 8080 },
  dataDir: './data',
  tenants: {
    [tenant]: {
      keys: [{ kid, alg: 'HS256', secret: { file: secretFile } }],
      groups: { support: { open: true } },
      routes: [{ to: number, instructions: { steps: [{ dial: { to: ['support'] } }] } }],
    },
  },
})

/** A new file, for its owner's eyes only. */
const write = (file: string, text: string, { cwd }: Shell): void => {
  try {
    writeFileSync(resolve(cwd, file), text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw misuse(`--init ${file} cannot be written (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** Writes `file` and its secret, and says what to do next. */
export const beginConfig = (file: string, { shell, out }: Job): void => {
  const secretFile = `${file.replace(/\.json$/, '')}.secret`
  for (const each of [file, secretFile]) {
    if (existsSync(resolve(shell.cwd, each))) {
      throw misuse(`--init ${each} is there already, and is not written over`)
    }
  }
  write(secretFile, `${randomBytes(32).toString('base64url')}\n`, shell)
  write(file, `${JSON.stringify(beginning(basename(secretFile)), undefined, 2)}\n`, shell)
  out.tell(
    { event: 'written', files: [file, secretFile], tenant, kid, number },
    line('written: ', bold(file), ', and its secret in ', bold(secretFile), ' (keep that one to yourself)'),
    line(''),
    line(dim('# the hub')),
    whole(`  npx switchhook serve --config ${file}`),
    line(''),
    line(dim('# a token for a phone, and one for a call')),
    whole(`  npx switchhook token --tenant ${tenant} --kid ${kid} --secret-file ${secretFile} \\`),
    whole('    --account alice --group support'),
    whole(`  npx switchhook token --tenant ${tenant} --kid ${kid} --secret-file ${secretFile} \\`),
    whole(`    --account carrier --scope call:inbound,call:explain`),
    line(''),
    line(dim('# what else it can say')),
    whole(`  npx switchhook config --print ${file}`),
  )
}
