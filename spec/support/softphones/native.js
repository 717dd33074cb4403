// The project's own SDK, as docs/sdk.md has it with sound.

import { answer, dial, phone } from 'snippet'

let current

const follow = call => {
  current = call
  call.on('progress', ({ state }) => state === 'ringing' && tell({ event: 'ringing-out' }))
  for (const event of ['answered', 'connected']) call.on(event, () => tell({ event: 'connected' }))
  call.on('signal', ({ data: { dtmf, message, offer } }) => {
    // Its application has no other sound to offer.
    if (offer !== undefined) call.signal({ refused: true })
    if (dtmf !== undefined) tell({ event: 'pressed', tones: dtmf })
    if (message !== undefined) tell({ event: 'said', content: message.content })
  })
  let held = false
  call.on('change', ({ heldThere }) => {
    if (heldThere !== held) tell({ event: heldThere ? 'held' : 'resumed' })
    held = heldThere
  })
  call.over.then(({ reason }) => tell({ event: 'ended', why: reason }))
}
phone.on('connection', ({ state, welcome }) => {
  if (state === 'online') tell({ event: 'registered', resumed: welcome.resumed })
  else tell({ event: 'connection', state })
})
phone.on('calls', () => {
  const placed = phone.calls.find(({ direction }) => direction === 'outgoing')
  if (placed !== undefined && placed !== current) follow(placed)
})
phone.on('restored', call => {
  follow(call)
  tell({ event: 'restored', state: call.state })
})

become({
  ring(call) {
    follow(call)
    tell({ event: 'ringing-in', from: call.from })
  },
  register: () => phone.connect(),
  unregister: () => phone.close(),
  watch: name => {
    phone.subscribe(name).on('change', ({ status }) => tell({ event: 'presence', of: name, status }))
  },
  away: () => phone.status({ status: 'away' }),
  call: to => void dial(to).catch(({ code }) => tell({ event: 'refused', why: code })),
  // An offer may come from someone who has no sound.
  answer: () => void (current.sdp === undefined ? current.accept() : answer(current)),
  reject: () => current.reject(),
  hangup: () => current.hangup(),
  cancel: () => current.hangup(),
  transfer: to => current.transfer(to),
  press: tones => current.signal({ dtmf: tones }),
  say: content => current.signal({ message: { content, contentType: 'text/plain' } }),
  hold: () => current.hold(),
  unhold: () => current.hold(false),
})
tell({ event: 'registered', resumed: false })
