// A call as it goes on record, and a record as a call that can be read. Each device that the call was offered to is
// noted while it happens, where records are kept.

import type { Party } from '../protocol/index.js'
import type { AttemptRecord, CallRecord } from '../store/index.js'
import type { AttemptValue } from './attempt.machine.js'
import type { CallView } from './routing.js'

/** Of so many attempts of one call it is kept what became of them. */
const keptAttempts = 1_000

export class Attempts {
  readonly #stamp: () => string
  readonly #byParty = new Map<Party, AttemptRecord>()

  /** `stamp`: the time, ISO 8601. */
  constructor(stamp: () => string) {
    this.#stamp = stamp
  }

  get all(): readonly AttemptRecord[] {
    return [...this.#byParty.values()]
  }

  /** The attempt of this device (the same object each time) has come to this state. */
  moved(party: Party, state: AttemptValue): void {
    const known = this.#byParty.get(party)
    if (known === undefined && this.#byParty.size >= keptAttempts) return
    const at = this.#stamp()
    const { account, device } = party
    const begun = known ?? { account, device, offeredAt: at }
    const what = state === 'offered' ? {} : state === 'ringing' ? { ringingAt: at } : { endedAt: at }
    this.#byParty.set(party, { ...begun, ...what, outcome: state })
  }
}

/** The view of a call that is on record. */
export const viewOf = ({
  tenant: _,
  direction: __,
  attempts: ___,
  idempotency: ____,
  ...record
}: CallRecord): CallView => ({ ...record, state: 'ended', recorded: true })

/** What a view shows of times and sides, as it goes on record. */
export const recordOf = (
  { state: _, sdp: __, recorded: ___, timeline, ...view }: CallView,
  rest: Pick<CallRecord, 'tenant' | 'direction' | 'attempts' | 'idempotency'>,
): CallRecord => ({ ...view, ...rest, timeline }) as CallRecord
