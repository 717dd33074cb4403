// Via and CSeq (RFC 3261, sections 20.42 and 20.16): the path of a request and its place in a dialog. By the branch and
// the method of these a response finds its request (section 17.1.3).

import { formatParams, type Params, readParams } from './words.js'

export interface Via {
  /** In upper case: `WS`, `WSS`, `UDP`… */
  readonly transport: string
  readonly host: string
  readonly port?: number
  readonly params: Params
}

export interface Cseq {
  /** Below 2^31 (section 8.1.1.5). */
  readonly seq: number
  readonly method: string
}

const via =
  /^[\w\-.!%*+`'~]+[ \t]*\/[ \t]*[\w\-.!%*+`'~]+[ \t]*\/[ \t]*([\w\-.!%*+`'~]+)[ \t]+(\[[\da-f:.]+\]|[\w\-.]+)(?:[ \t]*:[ \t]*(\d{1,5}))?/i

/** One element of a Via; undefined if it is not well formed. */
export const parseVia = (value: string): Via | undefined => {
  const found = via.exec(value)
  if (found === null) return undefined
  const [whole, transport = '', host = '', port] = found
  const params = readParams(value, whole.length)
  if (params === undefined) return undefined
  return {
    transport: transport.toUpperCase(),
    host,
    ...(port !== undefined && { port: Number(port) }),
    params,
  }
}

export const formatVia = ({ transport, host, port, params }: Via): string =>
  `SIP/2.0/${transport} ${host}${port === undefined ? '' : `:${port}`}${formatParams(params)}`

const cseq = /^0*(\d{1,10})[ \t]+([\w\-.!%*+`'~]+)$/

export const parseCseq = (value: string): Cseq | undefined => {
  const [, digits = '', method = ''] = cseq.exec(value) ?? []
  const seq = Number(digits)
  return method !== '' && seq < 2 ** 31 ? { seq, method } : undefined
}

export const formatCseq = ({ seq, method }: Cseq): string => `${seq} ${method}`
