// One wheel for all timers of a hub: entries wait in a bucket per tick, and the host is armed once, for the
// earliest tick. Setting and cancelling cost no host timer, so a linger per device is cheap.
// The host says what time it is and wakes the wheel: the machine's clock, or a spec's.

/** Something set to happen later. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void
}

export interface WheelHost {
  /** Monotonic milliseconds. */
  now(): number
  /** Wakes the wheel once, `delayMs` from now, by `TimerWheel.run`; a second call replaces the first. */
  arm(delayMs: number): void
}

const TICK_MS = 5

class Entry implements Timer {
  #bucket: Set<Entry> | undefined
  readonly task: () => void

  constructor(bucket: Set<Entry>, task: () => void) {
    this.#bucket = bucket
    this.task = task
    bucket.add(this)
  }

  cancel(): void {
    this.#bucket?.delete(this)
    this.#bucket = undefined
  }
}

export class TimerWheel {
  readonly #host: WheelHost
  readonly #onThrow: (error: unknown) => void
  readonly #buckets = new Map<number, Set<Entry>>()
  /** A binary heap of the ticks that have a bucket, earliest first. */
  #ticks: number[] = []
  #sweepAt = 64

  constructor(host: WheelHost, onThrow: (error: unknown) => void) {
    this.#host = host
    this.#onThrow = onThrow
  }

  /** Runs `task` once, `delayMs` from now or up to one tick (5 ms) later. */
  after(delayMs: number, task: () => void): Timer {
    const tick = Math.ceil((this.#host.now() + Math.max(0, delayMs)) / TICK_MS)
    let bucket = this.#buckets.get(tick)
    if (bucket === undefined) {
      if (this.#ticks.length === this.#sweepAt) this.#sweep()
      bucket = new Set()
      this.#buckets.set(tick, bucket)
      this.#push(tick)
      if (this.#ticks[0] === tick) this.#arm()
    }
    return new Entry(bucket, task)
  }

  /** When the earliest bucket is due, in the host's milliseconds; undefined when nothing waits. */
  get nextDue(): number | undefined {
    const tick = this.#ticks[0]
    return tick === undefined ? undefined : tick * TICK_MS
  }

  /** Runs all that is due. A task that throws is reported and stops no other. */
  run(): void {
    for (let due = this.nextDue; due !== undefined && due <= this.#host.now(); due = this.nextDue) {
      for (const entry of this.#pop()) {
        entry.cancel()
        try {
          entry.task()
        } catch (error) {
          this.#onThrow(error)
        }
      }
    }
    this.#arm()
  }

  #arm(): void {
    const due = this.nextDue
    if (due !== undefined) this.#host.arm(Math.max(0, due - this.#host.now()))
  }

  /** Drops buckets whose entries were all cancelled: far-off timers that are set and cancelled leave nothing. */
  #sweep(): void {
    for (const [tick, bucket] of this.#buckets) {
      if (bucket.size === 0) this.#buckets.delete(tick)
    }
    this.#ticks = [...this.#buckets.keys()].sort((a, b) => a - b)
    this.#sweepAt = 2 * this.#ticks.length + 64
  }

  #push(tick: number): void {
    const heap = this.#ticks
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as number
      if (above <= tick) break
      heap[at] = above
      at = parent
    }
    heap[at] = tick
  }

  /** Takes the earliest bucket off the heap. */
  #pop(): Set<Entry> {
    const heap = this.#ticks
    const first = heap[0] as number
    const last = heap.pop() as number
    const size = heap.length
    let at = 0
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child++
      if ((heap[child] as number) >= last) break
      heap[at] = heap[child] as number
      at = child
    }
    if (size > 0) heap[at] = last
    const bucket = this.#buckets.get(first) as Set<Entry>
    this.#buckets.delete(first)
    return bucket
  }
}
