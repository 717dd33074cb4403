// `switchhook doctor`: looks at all that a hub needs, before it starts or beside one that runs, and says in a line each
// what is well, what is not, what that means and what to do. Nothing is changed by it. Done only if nothing is at fault.

import { Command } from 'commander'
import type { Config, ConfigInput } from '../../config.js'
import type { Inspection } from '../../inspection.js'
import { systemClock } from '../../runtime/index.js'
import { readConfigFile, tryConfig } from '../config-file.js'
import { failureOf, reportTo } from '../failure.js'
import { addressOf, type HubFlags, withHub } from '../flags.js'
import type { Start } from '../program.js'
import type { Job, Shell } from '../shell.js'
import { engines } from '../version.js'
import { checkFetch, checkKeys, checkTransport } from './configuration.js'
import { type Finding, fault, findingLine, fine, type Grade, verdict } from './finding.js'
import { checkClock, checkDescriptors, checkNode, type Heard } from './machine.js'
import { tryPort } from './port.js'
import { checkRunning } from './running.js'
import { checkDataDir, checkKeySets, checkOrigins, checkPort } from './surroundings.js'

interface DoctorOptions extends HubFlags {
  readonly config?: string
  readonly json?: boolean
}

export const doctorCommand = (start: Start): Command =>
  withHub(
    new Command('doctor')
      .description('look at all that a hub needs, and say what to do about it')
      .option('--config <file>', 'the configuration of the hub; absent: the machine alone'),
  )
    .option('--json', 'one JSON object a line')
    .action((options: DoctorOptions) => start(options, doctor))

/** What of the configuration is good, and what around a hub that goes by it. */
const lookAt = async (
  { config, input }: { readonly config: Config; readonly input: ConfigInput },
  { keySets, origins, dataDir }: Inspection,
): Promise<Finding[]> => {
  const { host, port, tls } = config.listen
  const main = await tryPort(host, port, tls !== undefined)
  const side = config.metrics && (await tryPort(config.metrics.host, config.metrics.port, false))
  return [
    ...checkKeys(config, input),
    ...checkKeySets(keySets),
    checkTransport(config, Date.now()),
    checkFetch(config),
    ...checkOrigins(origins),
    checkPort('port', main),
    ...(side ? [checkPort('metrics port', side)] : []),
    checkDataDir(dataDir, config.dataDir, main.state === 'hub'),
  ]
}

/** What a file says, or what is wrong with it; without a file, what holds then. */
const read = async (file: string | undefined, shell: Shell) => {
  try {
    return file === undefined ? readConfigFile(file, shell) : await tryConfig(file, shell)
  } catch (error) {
    return { faults: failureOf(error).lines.map(text => fault('configuration', text)) }
  }
}

/** The hub that a file, or none, would make: what it is told, and what is around it. */
const examine = async (
  file: string | undefined,
  { shell, out }: Job,
  heard: Heard[],
): Promise<readonly Finding[]> => {
  const told = await read(file, shell)
  if ('faults' in told) return told.faults
  // Loaded here, so that the other commands start without the weight of a hub.
  const { inspect } = await import('../../inspection.js')
  const inspection = await inspect(told.config, { clock: systemClock(reportTo(out)) })
  for (const { url, news, at } of inspection.keySets) {
    if (news.ok && news.date !== undefined) heard.push({ from: new URL(url).host, date: news.date, at })
  }
  return [
    ...(file === undefined ? [] : [fine('configuration', `${file} is good`)]),
    checkDescriptors(told.config.limits.connections, inspection.descriptors),
    ...(file === undefined ? [] : await lookAt(told, inspection)),
  ]
}

const doctor = async (options: DoctorOptions, job: Job): Promise<number> => {
  const { shell, out } = job
  const { config: file, url = shell.env.SWITCHHOOK_URL, token = shell.env.SWITCHHOOK_TOKEN } = options
  const hub = url ? addressOf(url) : undefined
  const grades: Record<Grade, number> = { ok: 0, warning: 0, fault: 0 }
  const tell = (findings: readonly Finding[]): void => {
    for (const finding of findings) {
      grades[finding.grade] += 1
      out.tell({ event: 'finding', ...finding }, findingLine(finding))
    }
  }
  const heard: Heard[] = []
  tell([checkNode(process.versions.node, engines.node)])
  tell(await examine(file, job, heard))
  if (hub !== undefined) tell(await checkRunning(hub, token?.trim() || undefined, heard))
  tell(checkClock(Date.now(), heard))
  const { ok, warning: warnings, fault: faults } = grades
  out.tell({ event: 'doctor', ok, warnings, faults }, verdict(grades))
  return faults === 0 ? 0 : 1
}
