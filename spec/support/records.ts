// The call log on a disk in memory, as a hub opens it; opened again it is as after a power loss.

import { silentLog, VirtualClock } from '../../src/runtime/index.js'
import { openFileStore } from '../../src/store/index.js'
import { MemoryDisk } from './memory-disk.js'

interface Teardown {
  teardown(task: () => unknown): void
}

export const openLog = async (t: Teardown, memory = new MemoryDisk(), clock = new VirtualClock()) => {
  const store = await openFileStore({
    dir: '/data',
    clock,
    log: silentLog,
    disk: memory.disk,
    records: { fileBytes: 20_000, keptBytes: 1e9, keptDays: 90, patienceMs: 10_000, keysPerTenant: 100 },
  })
  t.teardown(() => store.close())
  const records = store.records!
  /** All is on the disk. */
  const idle = async () => {
    while (records.waiting > 0) await new Promise(resolve => setImmediate(resolve))
  }
  const crash = () => {
    memory.losePower()
    return openLog(t, memory, clock)
  }
  return { memory, clock, store, records, idle, crash }
}
