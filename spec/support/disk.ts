// A disk that fails when told: Node's own file system, of which a call may be made to throw as the system would.

import * as fs from 'node:fs/promises'
import type { Disk } from '../../src/store/index.js'

type Call = keyof Disk | 'write' | 'sync' | 'syncFolder'

const failure = (code: string, call: string): Error =>
  Object.assign(new Error(`${code}: told to fail, ${call}`), { code, syscall: call })

export const failingDisk = () => {
  const failing = new Map<Call, string>()
  const calls: string[] = []
  let held: Promise<void> | undefined
  const enter = async (call: Call): Promise<void> => {
    calls.push(call)
    const code = failing.get(call)
    if (code !== undefined) throw failure(code, call)
  }
  const system: Disk = fs
  const through = (call: keyof Disk) =>
    (async (...args: never[]) => {
      await enter(call)
      return (system[call] as (...args: never[]) => Promise<unknown>)(...args)
    }) as never
  const disk: Disk = {
    copyFile: through('copyFile'),
    mkdir: through('mkdir'),
    readdir: through('readdir'),
    readFile: through('readFile'),
    rename: through('rename'),
    rm: through('rm'),
    open: (async (path: string, flags: string, mode: number) => {
      await enter('open')
      const file = await fs.open(path, flags, mode)
      return {
        close: () => file.close(),
        async writeFile(text: string) {
          // As a disk that is full: some of it is there.
          if (failing.has('write')) await file.writeFile(text.slice(0, text.length / 2))
          await enter('write')
          await held
          await file.writeFile(text)
        },
        async sync() {
          await enter(flags === 'r' ? 'syncFolder' : 'sync')
          await file.sync()
        },
      }
    }) as never,
  }
  return {
    disk,
    /** What was called, in order. */
    calls,
    /** From now on, the call fails so. */
    fail: (call: Call, code: string) => void failing.set(call, code),
    heal: () => failing.clear(),
    /** Writes wait until the answer is called. */
    hold() {
      let release = () => {}
      held = new Promise(resolve => {
        release = resolve
      })
      return () => release()
    },
  }
}
