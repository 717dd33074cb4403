// The demo's voice application: a web server as anyone would write one, which answers with TwiML. It does not trust
// whoever asks: it checks the signature as the helper libraries of that language do, with nothing of the hub's.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One question with a good signature, and what was answered. */
export interface Asked {
  readonly method: string
  readonly path: string
  /** The form that came with it. */
  readonly form: Readonly<Record<string, string>>
  readonly document: string
}

export interface VoiceApplication {
  readonly url: string
  close(): Promise<void>
}

const signatureOf = (authToken: string, url: string, form: Readonly<Record<string, string>>): string =>
  createHmac('sha1', authToken)
    .update(
      url +
        Object.keys(form)
          .sort()
          .map(name => `${name}${form[name]}`)
          .join(''),
    )
    .digest('base64')

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

/** Serves `documents` by their paths, on a free port of the loopback address, and tells of each question that it answers. */
export const openVoiceApplication = async (
  documents: Readonly<Record<string, string>>,
  authToken: string,
  tell: (asked: Asked) => void,
): Promise<VoiceApplication> => {
  const server = createServer(async (request, response) => {
    const [method, path] = [String(request.method), String(request.url)]
    const { host, 'x-twilio-signature': signature } = request.headers
    const form = Object.fromEntries(new URLSearchParams(await bodyOf(request)))
    const expected = signatureOf(authToken, `http://${host}${path}`, form)
    const verified = same(expected, String(signature))
    const document = documents[path]
    if (!verified || document === undefined) {
      response.writeHead(verified ? 404 : 403).end()
      return
    }
    tell({ method, path, form, document })
    response.writeHead(200, { 'content-type': 'text/xml' }).end(document)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
