// One simulated phone, and the person at it: a softphone of the SDK over a real socket that does with each offer what
// the script says, and loses its connection when the script says so. How it comes back is the SDK's.

import { WebSocket } from 'ws'
import type { Call, Connection, Softphone, WebSocketConstructor, Welcome } from '../../client/index.js'
import { connect, createLine } from '../line.js'
import { codeOf, numberOf, type Play } from './play.js'
import { count, type PhoneTally } from './tally.js'

export interface AgentOptions {
  readonly url: string
  readonly token: () => Promise<string>
  readonly account: string
  readonly device: string
  /** Which phone of the script it is. */
  readonly number: number
}

export class Agent {
  readonly name: string
  readonly #play: Play
  readonly #number: number
  readonly #tally: PhoneTally
  readonly #softphone: Softphone
  readonly #connections: Iterator<number, void>
  #socket: WebSocket | undefined
  #lossTimer: unknown
  #known = false

  constructor(play: Play, { url, token, account, device, number }: AgentOptions) {
    this.name = `${account}/${device}`
    this.#play = play
    this.#number = number
    this.#tally = play.tally.phone(this.name)
    this.#connections = play.scenario.connections(number)
    // Its capacity makes the rule "one call at a time" hold whatever the hub's directory says.
    this.#softphone = createLine({
      url,
      token,
      device,
      capacity: 1,
      timers: play.timers,
      WebSocket: this.#cable(),
    })
    this.#softphone.on('connection', connection => this.#changed(connection))
    this.#softphone.on('invite', call => this.#ring(call))
    this.#softphone.on('error', error => this.#failed(error))
  }

  /** Comes online. Rejects with SwitchhookError if the first attempt fails. */
  connect(): Promise<Welcome> {
    return connect(this.#softphone)
  }

  /** The calls that it has not heard the end of. */
  get calls(): readonly Call[] {
    return this.#softphone.calls
  }

  close(): Promise<void> {
    return this.#softphone.close()
  }

  /** Sockets that the script can cut. */
  #cable(): WebSocketConstructor {
    const agent = this
    return class extends WebSocket {
      constructor(url: string, protocols: string[], options: object) {
        super(url, protocols, options)
        agent.#socket = this
      }
    } as unknown as WebSocketConstructor
  }

  #changed(connection: Connection): void {
    const { tally, timers } = this.#play
    const { connections } = tally
    timers.clearTimeout(this.#lossTimer)
    if (connection.state === 'online') {
      connections.online += 1
      if (this.#known) connections[connection.welcome.resumed ? 'resumed' : 'renewed'] += 1
      this.#known = true
      const { value: forMs } = this.#connections.next()
      if (forMs !== undefined) this.#lossTimer = timers.setTimeout(() => this.#lose(), forMs)
    } else if (connection.state === 'reconnecting') connections.online -= 1
    else if (connection.state === 'closed' && connection.error.code !== 'closed')
      this.#failed(connection.error)
  }

  #lose(): void {
    this.#play.tally.connections.lost += 1
    this.#socket?.terminate()
  }

  #ring(call: Call): void {
    const { scenario, timers, tally, live } = this.#play
    const { act, afterMs } = scenario.reaction(this.#number, this.#tally.offered)
    this.#tally.offered += 1
    if (this.calls.length > 1) tally.fault(`${this.name} was offered call ${call.id} beside another`)
    const known = live.get(numberOf(call))
    if (known !== undefined && known.rungAt === undefined) {
      known.rungAt = timers.now()
      tally.dispatch.add(known.rungAt - known.placedAt)
    }
    call.connected.then(answered => {
      if (!answered) return
      this.#tally.answered += 1
      if (known !== undefined) known.callee = call
    })
    if (act === 'ignore') return
    const timer = timers.setTimeout(() => {
      this.#react(call, act).catch(error => this.#failed(error))
    }, afterMs)
    call.over.then(() => timers.clearTimeout(timer))
  }

  async #react(call: Call, act: 'accept' | 'reject'): Promise<void> {
    if (act === 'accept') return call.accept()
    await call.reject()
    this.#tally.rejected += 1
  }

  #failed(error: unknown): void {
    const code = codeOf(error)
    if (code === 'call-gone') this.#tally.late += 1
    else count(this.#play.tally.errors, code)
  }
}
