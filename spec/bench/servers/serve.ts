// What every server process does: takes its settings from its parent, says when it is ready, answers questions,
// and ends when its parent lets go of it.

export interface Serving {
  /** What the parent is told when the server is ready. */
  readonly info: object
  readonly answers?: Readonly<Record<string, (given: never) => unknown>>
}

interface Question {
  readonly id: number
  readonly what: string
  readonly given: never
}

const tell = (message: object): void => {
  process.send?.(message)
}

/** Gives back what can be given back: several times, since finalizers free more. */
const collect = async (): Promise<void> => {
  for (let round = 0; round < 4; round++) {
    await (gc as (how: object) => unknown)({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    await new Promise(resolve => setImmediate(resolve))
  }
}

const common: NonNullable<Serving['answers']> = {
  usage() {
    const { user, system } = process.cpuUsage()
    return { usedMs: (user + system) / 1000, atMs: performance.now() }
  },
  async memory() {
    await collect()
    const { rss, heapUsed } = process.memoryUsage()
    return { resident: rss, heap: heapUsed }
  },
}

/** Runs a server. `begin` gets what the parent sent. */
export const serve = <S>(begin: (settings: S) => Promise<Serving>): void => {
  process.once('disconnect', () => process.exit())
  process.once('message', async settings => {
    const { info, answers } = await begin(settings as S)
    const all = { ...common, ...answers }
    process.on('message', async ({ id, what, given }: Question) => {
      try {
        const answer = await all[what]?.(given)
        tell({ id, answer })
      } catch (error) {
        tell({ id, fault: String(error) })
      }
    })
    tell(info)
  })
}
