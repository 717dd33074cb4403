// JsSIP, by its events and methods.

import { dial, ua } from 'snippet'

let current

const follow = session => {
  current = session
  const end = ({ cause, message }) =>
    tell({ event: 'ended', why: cause, reason: message?.getHeader?.('Reason') })
  session.on('progress', ({ originator }) => originator === 'remote' && tell({ event: 'ringing-out' }))
  session.on('confirmed', () => tell({ event: 'connected' }))
  session.on('ended', end)
  session.on('failed', end)
  session.on('newDTMF', ({ dtmf, originator }) => {
    if (originator === 'remote') tell({ event: 'pressed', tones: dtmf.tone })
  })
  session.on('hold', ({ originator }) => originator === 'remote' && tell({ event: 'held' }))
  session.on('unhold', ({ originator }) => originator === 'remote' && tell({ event: 'resumed' }))
}
ua.on('registered', () => tell({ event: 'registered' }))
ua.on('unregistered', () => tell({ event: 'unregistered' }))
ua.on(
  'newMessage',
  ({ originator, request }) => originator === 'remote' && tell({ event: 'said', content: request.body }),
)
ua.on('registrationFailed', ({ cause }) => tell({ event: 'error', code: cause }))
ua.on('disconnected', () => tell({ event: 'connection', state: 'disconnected' }))

become({
  ring(session) {
    follow(session)
    tell({ event: 'ringing-in', from: session.remote_identity.uri.user })
  },
  register: () => ua.register(),
  unregister: () => ua.unregister(),
  watch: name => {
    const subscriber = ua.subscribe(
      `sip:${name}@${ua.configuration.uri.host}`,
      'presence',
      'application/pidf+xml',
      {
        expires: 600,
      },
    )
    subscriber.on('notify', (_final, _request, body) =>
      tell({ event: 'presence', of: name, ...statusOf(body) }),
    )
    subscriber.on('terminated', code => tell({ event: 'unwatched', of: name, code }))
    subscriber.subscribe()
  },
  call: to => follow(dial(to)),
  answer: () => current.answer({ mediaConstraints: { audio: true, video: false } }),
  reject: () => current.terminate(),
  hangup: () => current.terminate(),
  cancel: () => current.terminate(),
  transfer: to => current.refer(`sip:${to}@${ua.configuration.uri.host}`),
  press: tones => current.sendDTMF(tones),
  say: content => ua.sendMessage(current.remote_identity.uri, content),
  hold: () => new Promise(done => current.hold({}, done)),
  unhold: () => new Promise(done => current.unhold({}, done)),
})
if (ua.isRegistered()) tell({ event: 'registered' })
