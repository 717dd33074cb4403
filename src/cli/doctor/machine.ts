// The machine that a hub runs on: Node, the clock, how many connections the process may have. All pure: what was found
// out is handed in.

import type { Inspection } from '../../inspection.js'
import { span } from '../span.js'
import { type Finding, fault, fine, warning } from './finding.js'

/** The oldest line of Node that is still maintained. */
const maintained = 22

/** `version` as `process.versions.node` has it, `engines` as the package has it: `>=20.19`. */
export const checkNode = (version: string, engines: string): Finding => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = engines.replace('>=', '').split('.').map(Number)
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    return fault('node', `Node ${version} is too old`, `install ${engines}, best 22 or 24`)
  }
  if (major < maintained) {
    return warning('node', `Node ${version} works, and gets no more security fixes`, 'move on to 22 or 24')
  }
  return fine('node', `Node ${version}`)
}

/** What time a server said it was, and when it said so here, in milliseconds since 1970. */
export interface Heard {
  readonly from: string
  readonly date: string
  readonly at: number
}

/** Further apart than this is worth a word: a Date header has whole seconds, and takes a while to arrive. */
const noticedMs = 5_000
/** By so much clocks may differ before good tokens are refused. */
const allowedMs = 60_000

/** The clock here, against those of others. */
export const checkClock = (now: number, heard: readonly Heard[]): Finding[] => {
  const year = new Date(now).getUTCFullYear()
  if (year < 2025 || year > 2100) {
    return [
      fault(
        'clock',
        `it is the year ${year} here`,
        'set the clock, or have NTP set it: tokens are judged by it',
      ),
    ]
  }
  const compared = heard.flatMap(({ from, date, at }) => {
    const off = at - Date.parse(date)
    return Number.isNaN(off) ? [] : [{ from, off }]
  })
  if (compared.length === 0) return [fine('clock', 'plausible; there was no other clock to compare it with')]
  return compared.map(({ from, off }) => {
    const apart = `${span(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} that of ${from}`
    if (Math.abs(off) <= noticedMs) return fine('clock', `agrees with that of ${from}`)
    if (Math.abs(off) <= allowedMs) return warning('clock', `${apart}`, 'have NTP set both')
    return fault('clock', apart, 'have NTP set both: beyond a minute good tokens are refused')
  })
}

/** Whether the process may have as many connections as the configuration wants. */
export const checkDescriptors = (wanted: number, descriptors: Inspection['descriptors']): Finding => {
  if (descriptors === undefined) return fine('files', 'how many may be open is not known on this system')
  const { most, connections } = descriptors
  const says = `${most} files may be open, which is room for ${connections} connections`
  if (connections >= wanted) return fine('files', says)
  return warning(
    'files',
    `${says}, and limits.connections is ${wanted}`,
    'raise the limit (ulimit -n, or LimitNOFILE of the service), or lower limits.connections',
  )
}
