// @twilio/voice-sdk, by its events and methods.

import { device, dial } from 'snippet'

let current

const follow = call => {
  current = call
  call.on('ringing', () => tell({ event: 'ringing-out' }))
  call.on('accept', () => tell({ event: 'connected' }))
  let over = false
  for (const why of ['cancel', 'disconnect', 'reject']) {
    call.on(why, () => {
      if (!over) tell({ event: 'ended', why })
      over = true
    })
  }
  call.on('error', ({ code }) => tell({ event: 'call-error', code }))
  for (const event of ['reconnecting', 'reconnected']) call.on(event, () => tell({ event }))
  call.on('messageReceived', ({ content }) => tell({ event: 'said', content }))
}
device.on('registered', () => tell({ event: 'registered' }))
device.on('unregistered', () => tell({ event: 'unregistered' }))
device.on('error', ({ code }) => tell({ event: 'error', code }))

become({
  ring(call) {
    follow(call)
    tell({ event: 'ringing-in', from: call.parameters.From.replace(/^client:/, '') })
  },
  register: () => device.register(),
  unregister: () => device.unregister(),
  call: async to => follow(await dial(to)),
  answer: () => current.accept(),
  reject: () => current.reject(),
  hangup: () => current.disconnect(),
  cancel: () => current.disconnect(),
  press: tones => current.sendDigits(tones),
  say: content => current.sendMessage({ content, messageType: 'user-defined-message' }),
})
tell({ event: device.state })
