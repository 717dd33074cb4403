// docs/errors.md, written from the error guide: a section for each error code, a table for every other kind of entry.

import {
  closeAdvice,
  closeCodes,
  type GuideEntry,
  type GuideKind,
  guide,
  mayReturn,
} from '../../src/error-guide.js'

const of = (kind: GuideKind): GuideEntry[] => guide.filter(entry => entry.kind === kind)

const section = ({ name, see, why, remedy }: GuideEntry): string =>
  `### \`${name}\`\n\n${see}\n\n**Why.** ${why}\n\n**What to do.** ${remedy}`

const table = (kind: GuideKind, head: string): string =>
  [
    `| ${head} | what you see | why | what to do |\n|---|---|---|---|`,
    ...of(kind).map(({ name, see, why, remedy }) => `| \`${name}\` | ${see} | ${why} | ${remedy} |`),
  ].join('\n')

const closing = ([code, errors]: readonly [number, readonly string[]]): string => {
  const own = (closeAdvice as Readonly<Record<number, { why: string; remedy: string }>>)[code]
  const meaning = own
    ? `${own.why} **What to do.** ${own.remedy}`
    : errors.map(name => `[\`${name}\`](#${name})`).join(', ')
  return `| ${code} | ${mayReturn(code) ? 'yes' : 'no'} | ${meaning} |`
}

export const errorsPage = `# Errors

Every refusal has a code, the same on the socket, over HTTP and on the command line. Over HTTP it comes as
\`{"error": {"code", "message", "details?"}}\`, on the socket as an \`error\` frame with \`code\`, \`message\`, \`retry\` and at
times \`retryAfterMs\`; where it ends the session, the socket is closed right after it. Programs go by the code; the
message is for people, and names the field at fault.

This page is written from \`src/error-guide.ts\`; a spec fails when the two differ.

## Codes

${of('error code').map(section).join('\n\n')}

## Close codes

What a WebSocket closes with (RFC 6455, section 7.4), and whether a client may come back by itself. After 1000, and
from 4500 up, it may not: the same would happen again. With 4401 it fetches a fresh token first.

| code | come back | meaning |
|---|---|---|
${[...closeCodes].map(closing).join('\n')}

## How calls end

${table('end of a call', 'reason')}

## Why a device stops ringing

${table('cancel reason', 'reason')}

## Why someone is not rung

${table('reason not to ring', 'reason')}

## Errors of the SDK

Besides the codes above, which it passes on:

${table('SDK error', 'code')}
`
