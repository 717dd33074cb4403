// What a voice application is told when it is asked for instructions: the form fields that applications written for
// that language expect. How they are signed is the egress room's.

import type { CallId, Params, TenantId } from '../../protocol/index.js'

/** The call that instructions are asked for. */
export interface InstructionRequest {
  readonly call: CallId
  readonly tenant: TenantId
  readonly from: string
  readonly to: string
  readonly direction: 'inbound' | 'outbound-dial'
  readonly params: Params
  /** The tenant's; absent: requests are not signed. */
  readonly authToken?: string
  /** The address of the document that a relative URL was found in. */
  readonly base?: string
}

/** The fields of a request: the call's own params, and over them what no param may change. */
export const formOf = (
  request: InstructionRequest,
  more: Readonly<Record<string, string>> = {},
): URLSearchParams =>
  new URLSearchParams([
    ...new Map([
      ...Object.entries(request.params),
      ...Object.entries({
        CallSid: request.call,
        AccountSid: request.tenant,
        From: request.from,
        To: request.to,
        CallStatus: 'ringing',
        ApiVersion: '2010-04-01',
        Direction: request.direction,
        ...more,
      }),
    ]),
  ])
