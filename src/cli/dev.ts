// The throw-away tenant of `serve --dev`: a random secret, open groups, and a few numbers to call. And the lines
// that a developer copies into the next terminals.

import { randomBytes } from 'node:crypto'
import type { ConfigInput } from '../config.js'
import { dim, type Line, line, table, whole } from './text.js'

/** What it takes to mint tokens for the tenant. */
export interface Dev {
  readonly tenant: string
  readonly kid: string
  readonly secret: string
}

export const createDev = (): Dev => ({
  tenant: 'dev',
  kid: 'dev',
  secret: randomBytes(24).toString('base64url'),
})

const numbers = [
  {
    to: '+15550100',
    says: 'rings the group support: whoever has been idle for longest, then the next',
    instructions: { steps: [{ dial: { to: ['support'] } }] },
  },
  {
    to: '+15550101',
    says: 'rings alice on all her devices, then the group sales, one after the other',
    instructions: { steps: [{ dial: { to: ['alice', 'sales'], sequential: true } }] },
  },
  {
    to: '+15550102',
    says: 'the same number with instructions in TwiML: support, and if nobody answers, sales',
    instructions: {
      twiml:
        '<Response><Dial timeout="10"><Client>support</Client></Dial><Dial><Client>sales</Client></Dial></Response>',
    },
  },
] as const

type TenantInput = NonNullable<ConfigInput['tenants']>[string]

/** The tenant as a configuration has it. */
export const devTenant = ({ kid, secret }: Dev) =>
  ({
    keys: [{ kid, alg: 'HS256', secret }],
    groups: { support: { open: true }, sales: { open: true } },
    routes: numbers.map(({ to, instructions }) => ({ to: to as string, instructions })),
  }) satisfies TenantInput

/** What to type in the next terminals: each command makes its own token, so that none is out of date. */
export const devLines = ({ tenant, kid, secret }: Dev, url: string): Line[] => {
  const using = (flags: string, command: string): Line[] => [
    whole(`  SWITCHHOOK_URL=${url} \\`),
    whole('  SWITCHHOOK_TOKEN=$(npx switchhook token \\'),
    whole(`    --tenant ${tenant} --kid ${kid} --secret ${secret} \\`),
    whole(`    ${flags}) \\`),
    whole(`  npx switchhook ${command}`),
  ]
  return [
    line(''),
    line(`A throw-away tenant: ${tenant}, key ${kid}, secret ${secret}`),
    line(''),
    line(dim('# a phone, in another terminal')),
    ...using('--account alice --group support', 'phone'),
    line(''),
    line(dim('# a call for it, in a third')),
    ...using(
      '--account carrier --scope call:inbound,call:explain',
      `call --to ${numbers[0].to} --from +15550199`,
    ),
    line(''),
    line(dim('# who is there')),
    ...using('--account wallboard --scope presence:read', 'watch support sales'),
    line(''),
    line(dim('# numbers to call')),
    ...table(
      numbers.map(({ to, says }) => [to, says]),
      2,
    ),
  ]
}
