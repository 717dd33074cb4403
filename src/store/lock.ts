// One process per data folder, of those of one machine. Whoever opens the folder first puts up a file of its own that is named after its
// process, and then looks whether a living process has one there, too: of two that come at once at least one sees
// the other, so both may be refused, but never both let in. What dead processes left behind is cleared away.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ok, type Result, refuse } from '../errors.js'
import type { Disk } from './disk.js'

export interface Lock {
  release(): Promise<void>
}

/** The locks of this process. A file with its pid that is none of them is of an earlier process: pids come again. */
const held = new Set<string>()

const name = /^lock\.(\d+)\.[0-9a-f]{12}$/

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Not ours to signal (EPERM) is alive.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Takes the lock of a folder, or refuses it with `conflict` and the pid that has it. Rejects as the disk does. */
export const takeLock = async (disk: Disk, dir: string): Promise<Result<Lock>> => {
  const own = `lock.${process.pid}.${randomBytes(6).toString('hex')}`
  const lock: Lock = {
    async release() {
      held.delete(own)
      await disk.rm(join(dir, own), { force: true })
    },
  }
  held.add(own)
  try {
    await (await disk.open(join(dir, own), 'wx', 0o600)).close()
    for (const other of await disk.readdir(dir)) {
      const pid = Number(name.exec(other)?.[1])
      if (Number.isNaN(pid) || other === own) continue
      if (pid === process.pid ? held.has(other) : lives(pid)) {
        await lock.release()
        return refuse('conflict', `${dir} is in use by process ${pid} (${other})`)
      }
      await disk.rm(join(dir, other), { force: true })
    }
  } catch (error) {
    // The file, if it came to be, is nobody's from now on.
    held.delete(own)
    throw error
  }
  return ok(lock)
}
