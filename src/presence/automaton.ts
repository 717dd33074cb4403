// Runs one context-free xstate machine for any number of holders. A holder keeps a pointer to a canonical state
// (8 bytes); the machine's own pure `transition` is asked once for each (state, event) and remembered. So the
// xstate definition stays the one source of truth, at the cost of a table look-up. What time or chance decides,
// and every effect, is the holder's business: these machines have no context, no delays and no actions.

import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition } from 'xstate'

/** One state of a machine, the same object for all holders that are in it. */
export interface State<Value> {
  readonly value: Readonly<Value>
}

class Canonical<Value, Event extends string> implements State<Value> {
  readonly snapshot: AnyMachineSnapshot
  readonly value: Value
  readonly next = new Map<Event, Canonical<Value, Event> | undefined>()

  constructor(snapshot: AnyMachineSnapshot) {
    this.snapshot = snapshot
    this.value = snapshot.value as Value
  }
}

/** `Value` is the machine's state value: one word, or one word a region; `Event` the types of its events. */
export class Automaton<Value, Event extends string> {
  readonly initial: State<Value>
  readonly #machine: AnyStateMachine
  readonly #states = new Map<string, Canonical<Value, Event>>()

  constructor(machine: AnyStateMachine) {
    this.#machine = machine
    this.initial = this.#canonical(initialTransition(machine)[0])
  }

  /** The state after `event`, or undefined where the machine refuses it. */
  next(state: State<Value>, event: Event): State<Value> | undefined {
    const from = state as Canonical<Value, Event>
    const known = from.next.get(event)
    if (known !== undefined || from.next.has(event)) return known
    const to = from.snapshot.can({ type: event })
      ? this.#canonical(transition(this.#machine, from.snapshot, { type: event })[0])
      : undefined
    from.next.set(event, to)
    return to
  }

  /** The state after `event`, or the same one where the machine refuses it. */
  settle(state: State<Value>, event: Event): State<Value> {
    return this.next(state, event) ?? state
  }

  #canonical(snapshot: AnyMachineSnapshot): Canonical<Value, Event> {
    const key = JSON.stringify(snapshot.value)
    let state = this.#states.get(key)
    if (state === undefined) {
      state = new Canonical(snapshot)
      this.#states.set(key, state)
    }
    return state
  }
}
