// The descriptions in docs/reference: the socket in AsyncAPI 3.0, its frames and the configuration file in JSON Schema.
// (The HTTP API describes itself.) All from the schemas that the hub checks by.

import type { TSchema } from 'typebox'
import { File } from '../../src/config-schema.js'
import { closeCodes, lookUp, mayReturn } from '../../src/error-guide.js'
import {
  type ClientFrameType,
  clientFrames,
  createPublisher,
  hubFrames,
  replies,
} from '../../src/protocol/index.js'

const draft = 'https://json-schema.org/draft/2020-12/schema'

type Schemas = Readonly<Record<string, TSchema>>

const summaryOf = (schema: TSchema): string => (schema as { description?: string }).description ?? ''

const refs = (schemas: Schemas, at: string) => Object.keys(schemas).map(type => ({ $ref: at + type }))

/** Every frame both ways. */
export const framesSchema = (): object => {
  const publisher = createPublisher('#/$defs/')
  const published = (schemas: Schemas, side: string) =>
    Object.entries(schemas).map(([type, schema]) => [`${side}.${type}`, publisher.publish(schema)])
  const frames = Object.fromEntries([...published(clientFrames, 'client'), ...published(hubFrames, 'hub')])
  return {
    $schema: draft,
    title: 'Frames of switchhook.v1',
    description:
      'One text message on the socket: `client` is what a client may say, `hub` what the hub says.',
    anyOf: [{ $ref: '#/$defs/client' }, { $ref: '#/$defs/hub' }],
    $defs: {
      client: { oneOf: refs(clientFrames, '#/$defs/client.') },
      hub: { oneOf: refs(hubFrames, '#/$defs/hub.') },
      ...frames,
      ...publisher.named,
    },
  }
}

/** The configuration file. */
export const configSchema = (): object => ({
  $schema: draft,
  title: 'switchhook.json',
  ...createPublisher('#/$defs/').publish(File),
})

const channel = { $ref: '#/channels/socket' }
const message = (side: 'client' | 'hub', type: string) => ({
  $ref: `#/channels/socket/messages/${side}.${type}`,
})

const closeCode = ([code, errors]: readonly [number, readonly string[]]): object => ({
  code,
  mayReturn: mayReturn(code),
  ...(errors.length > 0 && { errors }),
  meaning: lookUp(String(code))
    .map(({ why }) => why)
    .join(' '),
})

const received = (type: ClientFrameType) => {
  const reply = replies[type] ?? 'ok'
  return {
    action: 'receive',
    channel,
    summary: summaryOf(clientFrames[type]),
    messages: [message('client', type)],
    ...(type !== 'leave' && {
      reply: { channel, messages: [message('hub', reply), message('hub', 'error')] },
    }),
  }
}

const answers: ReadonlySet<string> = new Set(Object.values(replies).map(reply => reply ?? 'ok'))

const sent = (type: string, schema: TSchema) => ({
  action: 'send',
  channel,
  summary: summaryOf(schema),
  messages: [message('hub', type)],
})

/** The socket, as the hub sees it: it receives what clients say, and sends what the hub says. */
export const asyncApi = (): object => {
  const publisher = createPublisher('#/components/schemas/')
  const messages = Object.fromEntries(
    [['client', clientFrames] as const, ['hub', hubFrames] as const].flatMap(([side, schemas]) =>
      Object.entries(schemas as Schemas).map(([type, schema]) => [
        `${side}.${type}`,
        {
          name: type,
          title: `${type}, from ${side === 'hub' ? 'the hub' : 'a client'}`,
          summary: summaryOf(schema),
          contentType: 'application/json',
          payload: publisher.publish(schema),
        },
      ]),
    ),
  )
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Switchhook',
      version: '1',
      description:
        'The socket that softphones, wallboards and gateways hold. Text messages, one JSON object each, at most 64 KiB from a client. See docs/protocol.md.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      hub: {
        host: '127.0.0.1:8080',
        protocol: 'ws',
        description: 'A hub on this machine; `wss` behind TLS.',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      socket: {
        address: '/v1/socket',
        title: 'The socket',
        description:
          'Opened with the subprotocol `switchhook.v1`. The token comes in the `Authorization` header of the upgrade, or in `hello`.',
        messages: Object.fromEntries(
          Object.keys(messages).map(name => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              properties: {
                'Sec-WebSocket-Protocol': { type: 'string', enum: ['switchhook.v1'] },
                Authorization: { type: 'string', pattern: '^Bearer ' },
              },
            },
          },
        },
        'x-close-codes': [...closeCodes].map(closeCode),
      },
    },
    operations: Object.fromEntries([
      ...(Object.keys(clientFrames) as ClientFrameType[]).map(type => [`receive.${type}`, received(type)]),
      ...Object.entries(hubFrames as Schemas).flatMap(([type, schema]) =>
        answers.has(type) ? [] : [[`send.${type}`, sent(type, schema)]],
      ),
    ]),
    components: {
      messages,
      schemas: publisher.named,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'See docs/tokens.md.' },
      },
    },
  }
}

/** A document as it is kept. */
export const textOf = (document: object): string => `${JSON.stringify(document, null, 2)}\n`
