// What is typed at a phone in the terminal: a line is a key, and what belongs to it.

import type { Call, Declared, Softphone } from '../client/index.js'
import { Failure } from './failure.js'
import type { Output } from './output.js'
import { dim, line } from './text.js'

export const keyHelp: readonly string[] = [
  'keys: a accept, r reject, b busy, h hang up, s STATUS, c TO, q quit; then Enter',
  'in a call: p hold, t TO transfer, j join two calls',
]

export interface Keyboard {
  readonly out: Output
  /** A call that was placed here. */
  readonly follow: (call: Call) => void
  readonly quit: () => void
}

const rings = ({ direction, state }: Call): boolean => direction === 'incoming' && state === 'ringing'

const talks = ({ state }: Call): boolean => state === 'connected'
const notTalking = 'nobody is talked to'

const find = (phone: Softphone, wanted: (call: Call) => boolean, none: string): Call => {
  const call = phone.calls.find(wanted)
  if (call === undefined) throw new Failure(1, none)
  return call
}

/** Does what is typed. Rejects with what the hub refuses. */
export const press = async (
  phone: Softphone,
  typed: string,
  { out, follow, quit }: Keyboard,
): Promise<void> => {
  const [key, word] = typed.trim().split(/\s+/)
  switch (key) {
    case 'a':
      return find(phone, rings, 'nothing rings').accept()
    case 'r':
      return find(phone, rings, 'nothing rings').reject()
    case 'b':
      return find(phone, rings, 'nothing rings').reject('busy')
    case 'h':
      return find(phone, call => !rings(call), 'there is no call to hang up').hangup()
    case 'p': {
      const call = find(phone, talks, notTalking)
      return call.hold(!call.snapshot.heldHere)
    }
    case 't':
      if (word !== undefined) return find(phone, talks, notTalking).transfer(word)
      break
    case 'j': {
      const [call, other] = phone.calls.filter(talks)
      if (call === undefined || other === undefined) throw new Failure(1, 'there are no two calls to join')
      return call.transfer(other.id, { attended: other })
    }
    case 's':
      if (word !== undefined) return phone.status({ status: word as Declared })
      break
    case 'c':
      if (word !== undefined) return follow(await phone.place({ to: word }))
      break
    case 'q':
      return quit()
  }
  out.tell({ event: 'error', message: keyHelp.join('; ') }, ...keyHelp.map(text => line(dim(text))))
}
