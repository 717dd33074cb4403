// A whole hub on a free port, with what its users bring: tokens, softphones of the SDK over real sockets, a voice
// application over real HTTP, an external system on the API. All of it is torn down with the test.

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { type Call, HubApi, Softphone, type SoftphoneOptions } from '../../src/client/index.js'
import { type Config, readConfig } from '../../src/config.js'
import { mintToken } from '../../src/gateway/token/index.js'
import { createHub, type Hub, type HubOptions, type Listening } from '../../src/hub.js'

export const secret = 'a secret of at least thirty-two bytes'

export interface TokenFacts {
  readonly tenant?: string
  readonly scopes?: readonly string[]
  readonly groups?: readonly string[]
  readonly capacity?: number
  readonly expiresInSeconds?: number
  readonly secret?: string
  readonly kid?: string
}

export const tokenOf = (account: string, { tenant = 'acme', ...facts }: TokenFacts = {}): Promise<string> =>
  mintToken({ alg: 'HS256', secret, tenant, account, clock: { wall: Date.now }, ...facts })

export interface World {
  readonly hub: Hub
  readonly listening: Listening
  /** A registered softphone; its token has a softphone's scopes unless others are named. */
  phone(account: string, device?: string, options?: Partial<SoftphoneOptions> & TokenFacts): Promise<Phone>
  /** Anyone on a socket without a device: a gateway, a wallboard. */
  visitor(account: string, scopes: readonly string[]): Promise<Softphone>
  /** An external system on the HTTP API. */
  api(account?: string, scopes?: readonly string[], tenant?: string): Promise<HubApi>
}

export interface Phone {
  readonly softphone: Softphone
  readonly account: string
  readonly device: string
  /** The next call that is offered to it. */
  invited(): Promise<Call>
  /** Every call that was ever offered to it. */
  readonly invites: Call[]
}

/** A configuration with the tenant `acme`, and `other` beside it with the same names. */
export const configOf = (tenant: object = {}, rest: object = {}): Config => {
  const keys = [{ alg: 'HS256', secret }]
  const read = readConfig(
    {
      listen: { port: 0 },
      fetch: { allowPrivate: true },
      tenants: { acme: { keys, ...tenant }, other: { keys, ...tenant } },
      ...rest,
    },
    { dir: '.', env: {} },
  )
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return read.value
}

export const phoneOf = (softphone: Softphone, account: string, device: string): Phone => {
  const invites: Call[] = []
  const waiting: ((call: Call) => void)[] = []
  let taken = 0
  softphone.on('invite', call => {
    invites.push(call)
    const wake = waiting.shift()
    if (wake !== undefined) {
      taken++
      wake(call)
    }
  })
  return {
    softphone,
    account,
    device,
    invites,
    invited() {
      const call = invites[taken]
      if (call !== undefined) {
        taken++
        return Promise.resolve(call)
      }
      return new Promise(resolve => waiting.push(resolve))
    },
  }
}

export const startHub = async (
  t: Test,
  config: Config = configOf(),
  options: HubOptions = {},
): Promise<World> => {
  const hub = await createHub(config, options)
  const listening = await hub.listen()
  const softphones: Softphone[] = []
  t.teardown(async () => {
    await Promise.all(softphones.map(softphone => softphone.close()))
    await hub.close()
  })
  const softphoneOf = (token: string, rest: Partial<SoftphoneOptions>): Softphone => {
    const softphone = new Softphone({ url: listening.url, token, WebSocket, ...rest } as SoftphoneOptions)
    softphone.on('error', () => {})
    softphones.push(softphone)
    return softphone
  }
  return {
    hub,
    listening,
    async phone(
      account,
      device = 'phone',
      { tenant, scopes, groups, capacity, expiresInSeconds, ...rest } = {},
    ) {
      const facts = { tenant, scopes, groups, capacity, expiresInSeconds }
      const given = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
      const softphone = softphoneOf(await tokenOf(account, given), { device, ...rest })
      const phone = phoneOf(softphone, account, device)
      await softphone.connect()
      return phone
    },
    async visitor(account, scopes) {
      const softphone = softphoneOf(await tokenOf(account, { scopes }), {})
      await softphone.connect()
      return softphone
    },
    async api(account = 'gateway', scopes = ['call:inbound', 'call:explain'], tenant = 'acme') {
      return new HubApi({ url: listening.url, token: await tokenOf(account, { scopes, tenant }) })
    },
  }
}

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

/** A voice application: answers each path with its document, and remembers what it was asked. */
export const startApplication = async (t: Test, documents: Readonly<Record<string, string>>) => {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    asked.push({ method, url, headers, form: new URLSearchParams(body) })
    const document = documents[new URL(url, 'http://x').pathname]
    if (document === undefined) response.writeHead(404).end('nothing here')
    else {
      const type = document.startsWith('{') ? 'application/json' : 'text/xml'
      response.writeHead(200, { 'content-type': type }).end(document)
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** The next value that satisfies `holds`, looked at now and at each event of `on`. */
export const until = <T>(
  look: () => T | undefined | false,
  on: (listener: () => void) => () => void,
): Promise<T> =>
  new Promise(resolve => {
    const stop = on(() => check())
    const check = () => {
      const value = look()
      if (value === undefined || value === false) return
      stop()
      resolve(value)
    }
    check()
  })
