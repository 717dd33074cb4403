// Servers under load, each a process of its own, pinned to one core; the driver is this process, on another one.
// A server answers questions over the channel to its parent: how much it has used, and what its own file offers.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export type ServerName =
  | 'hub'
  | 'bare'
  | 'plain-http'
  | 'socket-io'
  | 'presence'
  | 'router'
  | 'records'
  | 'sip'

/** Shares of a core, 1 being all of it. */
export interface Cores {
  readonly server: number
  readonly driver: number
}

export interface Memory {
  /** Resident bytes of the process, after what is garbage has been collected. */
  readonly resident: number
  readonly heap: number
}

/** The processor time used so far and when that was, in milliseconds of the process's own clock. */
interface Usage {
  readonly usedMs: number
  readonly atMs: number
}

const pinned = (): boolean => {
  try {
    execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' })
    execFileSync('taskset', ['-c', '1', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Whether processes can be kept to their cores here. */
export const canPin = pinned()

/** Keeps this process to the driver's core. */
export const pinDriver = (): void => {
  if (canPin) execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' })
}

const driverUsage = (): Usage => {
  const { user, system } = process.cpuUsage()
  return { usedMs: (user + system) / 1000, atMs: performance.now() }
}

const share = (before: Usage, after: Usage): number =>
  (after.usedMs - before.usedMs) / (after.atMs - before.atMs)

export class Server<T extends object = object> {
  /** What the server said when it was ready. */
  readonly info: T
  readonly #process: ChildProcess
  #asked = 0

  private constructor(process: ChildProcess, info: T) {
    this.#process = process
    this.info = info
  }

  /** Settles once the server is ready. `settings` are for its file to read; `flags` for Node. */
  static async start<T extends object>(
    name: ServerName,
    settings: object,
    flags: readonly string[] = [],
  ): Promise<Server<T>> {
    const file = fileURLToPath(new URL(`servers/${name}.js`, import.meta.url))
    const node = [process.execPath, '--expose-gc', ...flags, file]
    const [command = '', ...args] = canPin ? ['taskset', '-c', '0', ...node] : node
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the server ${name} ended with ${code}`)
    })
    ended.catch(() => {})
    child.send(settings)
    const [info] = await Promise.race([once(child, 'message'), ended])
    return new Server(child, info as T)
  }

  /** Asks what the server's file offers. */
  async ask<A>(what: string, given: object = {}): Promise<A> {
    const id = ++this.#asked
    const answered = new Promise<A>((resolve, reject) => {
      const hear = (message: { id: number; answer: A; fault?: string }): void => {
        if (message.id !== id) return
        this.#process.off('message', hear).off('exit', ended)
        if (message.fault === undefined) resolve(message.answer)
        else reject(new Error(message.fault))
      }
      const ended = (): void => reject(new Error(`the server ended before it answered ${what}`))
      this.#process.on('message', hear).on('exit', ended)
    })
    this.#process.send({ id, what, given })
    return answered
  }

  memory(): Promise<Memory> {
    return this.ask('memory')
  }

  /** Does `work`; what it comes to, how long it took, and how busy both cores were meanwhile. */
  async under<R>(work: () => Promise<R>): Promise<{ result: R; ms: number; cores: Cores }> {
    const server = await this.ask<Usage>('usage')
    const driver = driverUsage()
    const result = await work()
    const driverAfter = driverUsage()
    const serverAfter = await this.ask<Usage>('usage')
    return {
      result,
      ms: driverAfter.atMs - driver.atMs,
      cores: { server: share(server, serverAfter), driver: share(driver, driverAfter) },
    }
  }

  /** Ends the process; settles when it is gone. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    // Gently, so that a profile that was asked for is written.
    this.#process.disconnect()
    await gone
  }
}
