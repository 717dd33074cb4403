// `switchhook serve`: a hub, from a configuration file or for development, until a signal ends it.

import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type Config, loadConfig, readConfig } from '../config.js'
import type { Hub, Listening } from '../hub.js'
import type { Log } from '../runtime/index.js'
import { refused, taken } from './config-file.js'
import { createDev, type Dev, devLines, devTenant } from './dev.js'
import { Failure, failureOf, misuse } from './failure.js'
import { whole as wholeNumber } from './flags.js'
import { createLog, type Level, levels } from './log.js'
import type { Start } from './program.js'
import { aborted, type Job, type Shell } from './shell.js'
import { bold, line } from './text.js'

interface ServeOptions {
  readonly config?: string
  readonly port?: number
  readonly host?: string
  readonly dev?: boolean
  readonly logLevel?: Level
  readonly json?: boolean
}

export const serveCommand = (start: Start): Command =>
  new Command('serve')
    .description('run a hub')
    .option('--config <file>', 'the configuration, in JSON; SIGHUP reads it again')
    .option('--dev', 'a throw-away tenant with a printed secret, open groups and sample numbers')
    .option('--port <number>', 'where to listen; 0 picks a free port', wholeNumber(0, 65_535))
    .option('--host <address>', 'the address to listen on')
    .addOption(
      new Option(
        '--log-level <level>',
        'what to log on standard error (default: info; with --dev: warn)',
      ).choices(levels),
    )
    .option('--json', 'one JSON object a line')
    .action((options: ServeOptions) => start(options, serve))

const serve = async (options: ServeOptions, { shell, out, stop }: Job): Promise<number> => {
  if (options.config === undefined && !options.dev) throw misuse('serve needs --config FILE or --dev')
  const dev = options.dev ? createDev() : undefined
  const log = createLog(shell.stderr, options.logLevel ?? (dev ? 'warn' : 'info'))
  const config = configOf(options, dev, shell)
  // Loaded here, so that the other commands start without the weight of a hub.
  const starting = import('../hub.js').then(({ createHub }) =>
    taken(createHub(config, { log }), options.config),
  )
  const reload = async () => taken((await starting).reload(configOf(options, dev, shell)), options.config)
  // Without a file there is nothing to read again: SIGHUP means what it always does.
  const off =
    options.config === undefined
      ? () => {}
      : shell.on(
          'SIGHUP',
          oneAtATime(() => reread(reload, log)),
        )
  const signal = () => String(stop.reason)
  try {
    const hub = await starting
    try {
      if (!stop.aborted) {
        const { url, socket } = await listen(hub, config)
        const { pid } = shell
        out.tell(
          { event: 'listening', url, socket, pid, ...(dev && { dev }) },
          line('listening on ', bold(url), ` (process ${pid})`),
          ...(dev ? devLines(dev, url) : []),
        )
      }
      await aborted(stop)
      if (stop.reason instanceof Error) log.error({ error: stop.reason }, 'a fault that nobody caught')
      out.tell(
        { event: 'draining', signal: signal() },
        line(`${signal()}: draining; once more stops at once`),
      )
      await hub.drain()
    } finally {
      await hub.close()
    }
  } finally {
    off()
  }
  out.tell({ event: 'stopped', signal: signal() }, line('stopped'))
  return 0
}

/** Begins the work at each call; all calls that come while it is under way are one more. */
const oneAtATime = (work: () => Promise<void>) => {
  let wanted = 0
  return async (): Promise<void> => {
    wanted++
    if (wanted > 1) return
    for (let begun = 0; begun < wanted; ) {
      begun = wanted
      await work()
    }
    wanted = 0
  }
}

const configOf = (
  { config: file, host, port }: ServeOptions,
  dev: Dev | undefined,
  { cwd, env }: Shell,
): Config => {
  const path = resolve(cwd, file ?? '.')
  const read =
    file === undefined
      ? readConfig({ fetch: { allowPrivate: true } }, { dir: cwd, env })
      : loadConfig(path, env)
  if (!read.ok) throw refused(read.faults, file, path)
  const { listen, tenants } = read.value
  const added = dev && readConfig({ tenants: { [dev.tenant]: devTenant(dev) } }, { dir: cwd, env })
  if (dev && [...tenants.keys()].some(name => name === dev.tenant)) {
    throw misuse(`${file}: tenants.${dev.tenant} is the name of the tenant of --dev`)
  }
  return {
    ...read.value,
    listen: { ...listen, ...(host !== undefined && { host }), ...(port !== undefined && { port }) },
    tenants: new Map([...tenants, ...(added?.ok ? added.value.tenants : [])]),
  }
}

const portTrouble: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'the port is not for ordinary users',
}

const listen = async (hub: Hub, { listen: { host, port } }: Config): Promise<Listening> => {
  try {
    return await hub.listen()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = portTrouble[String(code)]
    if (why !== undefined) throw new Failure(1, `--port ${port}: ${why} on ${host}`)
    throw new Failure(1, `--host ${host}: cannot listen on it (${code})`)
  }
}

/** SIGHUP: the hub goes by what the configuration says now; a bad one is refused with its faults. */
const reread = async (reload: () => ReturnType<Hub['reload']>, log: Log): Promise<void> => {
  try {
    const waiting = await reload()
    if (waiting.length === 0) log.info({}, 'the configuration is applied')
    else log.warn({ waiting }, 'the configuration is applied, but for what waits for a restart')
  } catch (error) {
    log.error({ faults: failureOf(error).lines }, 'the configuration is refused; the old one stays')
  }
}
