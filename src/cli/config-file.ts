// A configuration file at the command line: whatever is wrong with it, in its form or in what a hub makes of it, becomes
// a line each that names the file and the path in it.

import { dirname, resolve } from 'node:path'
import { type Config, type ConfigInput, loadInput, readConfig } from '../config.js'
import { type Fault, HubError } from '../errors.js'
import { faultText } from '../runtime/index.js'
import { Failure, misuse } from './failure.js'
import type { Shell } from './shell.js'

/** Faults of a configuration, each at its path; of the file itself, which is at `path`, where it could not be read. */
export const refused = (faults: readonly Fault[], file: string | undefined, path: string): Failure =>
  misuse(
    ...faults.map(fault =>
      fault.path === path ? `${file} ${fault.message}` : `${file}: ${faultText(fault)}`,
    ),
  )

/** A configuration as the hub is told it, and as it stands in its file; without a file, what holds then. */
export const readConfigFile = (
  file: string | undefined,
  { cwd, env }: Shell,
): { readonly config: Config; readonly input: ConfigInput } => {
  const path = resolve(cwd, file ?? '.')
  const input = file === undefined ? { ok: true as const, value: {} } : loadInput(path)
  if (!input.ok) throw refused(input.faults, file, path)
  const read = readConfig(input.value, { dir: dirname(path), env })
  if (!read.ok) throw refused(read.faults, file, path)
  return { config: read.value, input: input.value as ConfigInput }
}

/** What comes of a configuration in the hub; what that refuses of it names the file. */
export const taken = async <T>(work: Promise<T>, file: string | undefined): Promise<T> => {
  try {
    return await work
  } catch (error) {
    // Besides the hub's own refusals there is only OpenSSL's word on the certificate and its key.
    const { message } = error as Error
    // Nothing is wrong with the configuration: another process has its dataDir.
    if (error instanceof HubError && error.code === 'conflict') throw new Failure(1, message)
    throw refused(error instanceof HubError ? error.faults : [{ path: 'listen.tls', message }], file, '')
  }
}

/** Reads a file as a hub does that is about to start: keys, routes and certificate, too. Opens no port and no data folder. */
export const tryConfig = async (file: string, shell: Shell): Promise<ReturnType<typeof readConfigFile>> => {
  const read = readConfigFile(file, shell)
  const { dataDir: _untouched, ...config } = read.config
  // Loaded here, so that the other commands start without the weight of a hub.
  const { createHub } = await import('../hub.js')
  const hub = await taken(createHub(config), file)
  await hub.close()
  return read
}
