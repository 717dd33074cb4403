// What the caller's gateway is asked to do for one call: one step after the other, numbered from 0. The next one waits
// until the gateway has said what became of this one, or the call is over.

import { ok, type Result, refuse } from '../errors.js'
import { type CallFrames, signalLimit } from '../protocol/index.js'
import type { Call } from './call.js'
import type { GatewayVerb } from './instructions/index.js'
import type { Report } from './routing.js'

interface Asked {
  readonly frame: CallFrames['perform']
  readonly settle: (report: Report | undefined) => void
}

export class Performing {
  readonly #call: Call
  #step = 0
  #asked: Asked | undefined
  #served = false

  constructor(call: Call) {
    this.#call = call
  }

  /** Something has been performed. */
  get served(): boolean {
    return this.#served
  }

  /** What the gateway is at, for a new session of the one who placed the call. */
  get asked(): readonly CallFrames['perform'][] {
    return this.#asked ? [this.#asked.frame] : []
  }

  ask(verb: GatewayVerb, told: Readonly<Record<string, unknown>>): Promise<Report | undefined> {
    const { id, timeline } = this.#call
    const step = this.#step++
    timeline.add('perform', { step, verb })
    const frame = { type: 'perform' as const, call: id, step, verb, with: told }
    return new Promise(settle => {
      this.#asked = { frame, settle }
      this.#call.tell(frame)
    })
  }

  /** What was entered or recorded is not written down: it may be secret. */
  report(report: Report): Result<undefined> {
    const { step, outcome, data = null } = report
    if (Buffer.byteLength(JSON.stringify(data)) > signalLimit) {
      return refuse('invalid', `data must keep within ${signalLimit} bytes of JSON`)
    }
    const asked = this.#asked
    if (asked?.frame.step !== step) {
      const instead = asked === undefined ? 'none is' : `step ${asked.frame.step} is`
      return refuse('conflict', `step ${step} is not being performed: ${instead}`)
    }
    this.#asked = undefined
    this.#served ||= outcome !== 'failed'
    this.#call.timeline.add('performed', { step, verb: asked.frame.verb, outcome })
    asked.settle(report)
    return ok(undefined)
  }

  /** The call is over: nobody waits any more. */
  stop(): void {
    this.#asked?.settle(undefined)
    this.#asked = undefined
  }
}
