// Whether a process that starts now could have a data folder. What is in the folder stays as it is, and one that is not
// there is not made: then it is asked of the nearest folder above whether it could be.

import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { ok, type Result, refuse } from '../errors.js'
import { takeLock } from './lock.js'

/** Whether anything is there; if not, whether it could be made. Rejects with the system's error. */
const isThere = async (dir: string): Promise<boolean> => {
  try {
    await fs.access(dir, fs.constants.W_OK)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await isThere(dirname(dir))
    return false
  }
}

/** Refused with `conflict` where a living process has the folder, with `invalid` where it can not be used or made. */
export const tryFolder = async (dir: string): Promise<Result<undefined>> => {
  try {
    if (!(await isThere(dir))) return ok(undefined)
    const lock = await takeLock(fs, dir)
    if (!lock.ok) return lock
    await lock.value.release()
    return ok(undefined)
  } catch (error) {
    return refuse('invalid', `${dir} cannot be used (${(error as NodeJS.ErrnoException).code})`)
  }
}
