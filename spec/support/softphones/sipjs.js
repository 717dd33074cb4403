// SIP.js, by its delegates and states.

import { Publisher, Subscriber, UserAgent } from 'sip.js'
import { dial, registerer, userAgent } from 'snippet'

let current

const told = {
  onInfo(info) {
    info.accept()
    tell({ event: 'pressed', tones: /Signal=\s*(\S)/.exec(info.request.body)?.[1] })
  },
}

userAgent.delegate.onMessage = message => {
  message.accept()
  tell({ event: 'said', content: message.request.body })
}

const hold = on => {
  current.sessionDescriptionHandlerOptionsReInvite = { hold: on }
  return new Promise(onAccept => current.invite({ requestDelegate: { onAccept } }))
}

const follow = session => {
  current = session
  session.delegate = told
  session.stateChange.addListener(state => {
    if (state === 'Established') tell({ event: 'connected' })
    if (state === 'Terminated') tell({ event: 'ended', reason: session.data })
  })
}
/** Its states do not tell of a registration that is made anew. */
const watchRegistration = () => {
  const { register } = registerer
  const onAccept = () => tell({ event: 'registered' })
  registerer.register = options => register.call(registerer, { ...options, requestDelegate: { onAccept } })
  registerer.stateChange.addListener(state => state === 'Unregistered' && tell({ event: 'unregistered' }))
  if (registerer.state === 'Registered') onAccept()
  else registerer.stateChange.addListener(state => state === 'Registered' && onAccept(), { once: true })
}
userAgent.transport.stateChange.addListener(state =>
  tell({ event: 'connection', state: state.toLowerCase() }),
)

become({
  ring(invitation) {
    follow(invitation)
    invitation.delegate = {
      ...invitation.delegate,
      onCancel: ({ request }) => {
        invitation.data = request.getHeader('Reason')
      },
    }
    tell({ event: 'ringing-in', from: invitation.remoteIdentity.uri.user })
  },
  register: () => registerer.register(),
  unregister: async () => {
    const extraHeaders = [`Authorization: Bearer ${await fetchToken()}`]
    await registerer.unregister({ requestOptions: { extraHeaders } })
  },
  watch: name => {
    const uri = UserAgent.makeURI(`sip:${name}@${userAgent.configuration.uri.host}`)
    const subscriber = new Subscriber(userAgent, uri, 'presence')
    subscriber.delegate = {
      onNotify: notification => {
        notification.accept()
        tell({ event: 'presence', of: name, ...statusOf(notification.request.body) })
      },
    }
    subscriber.subscribe()
  },
  away: () => {
    const body = `<?xml version="1.0"?>
      <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
        xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="${userAgent.configuration.uri}">
        <tuple id="phone"><status><basic>open</basic></status></tuple>
        <dm:person id="person"><rpid:activities><rpid:away/></rpid:activities></dm:person>
      </presence>`
    return new Publisher(userAgent, userAgent.configuration.uri, 'presence').publish(body)
  },
  call: async to => {
    const requestDelegate = {
      onProgress: ({ message }) => message.statusCode > 100 && tell({ event: 'ringing-out' }),
      onReject: ({ message }) => {
        current.data = message.statusCode
      },
    }
    follow(await dial(to, { requestDelegate }))
  },
  // Cancelled meanwhile, it would notice only after the time that candidates have, 5 s.
  answer: () => void current.accept().catch(() => {}),
  reject: () => current.reject(),
  hangup: () => current.bye(),
  cancel: () => current.cancel(),
  transfer: to => current.refer(UserAgent.makeURI(`sip:${to}@${userAgent.configuration.uri.host}`)),
  press: tones => {
    const body = {
      contentDisposition: 'render',
      contentType: 'application/dtmf-relay',
      content: `Signal=${tones}\r\nDuration=100`,
    }
    return current.info({ requestOptions: { body } })
  },
  say: content =>
    current.message({
      requestOptions: { body: { contentDisposition: 'render', contentType: 'text/plain', content } },
    }),
  hold: () => hold(true),
  unhold: () => hold(false),
})
watchRegistration()
