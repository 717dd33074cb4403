// The few calls of the file system that the store makes, injected so that a disk can fail in a spec, and the one way
// in which a file is replaced: whoever reads it, after whatever crash, finds the old content or the new one, whole.

import type { copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Node's `fs/promises`, as far as it is used. */
export interface Disk {
  readonly copyFile: typeof copyFile
  readonly mkdir: typeof mkdir
  readonly open: typeof open
  readonly readdir: typeof readdir
  readonly readFile: typeof readFile
  readonly rename: typeof rename
  readonly rm: typeof rm
}

/** Opens a file, does the work with it, and closes it whatever came of that. */
const using = async (
  disk: Disk,
  path: string,
  flags: string,
  work: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> => {
  const file = await disk.open(path, flags, 0o600)
  try {
    await work(file)
  } finally {
    await file.close()
  }
}

/**
 * Replaces a file's content; on the disk itself once it settles. Rejects with the system's error. Every attempt
 * writes a new file: after a failed fsync the old one's pages can not be trusted to be written by another.
 */
export const replaceFile = async (disk: Disk, path: string, content: string | Buffer): Promise<void> => {
  const fresh = `${path}.new`
  await disk.rm(fresh, { force: true })
  await using(disk, fresh, 'wx', async file => {
    await file.writeFile(content)
    await file.sync()
  })
  await disk.rename(fresh, path)
  // The rename itself lasts once the folder does.
  await using(disk, dirname(path), 'r', folder => folder.sync())
}
