// docs/machines.md is drawn from the machines. `UPDATE_DOCS=1 npx tap spec/machines.spec.ts` draws it anew.

import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { accountMachine } from '../src/presence/account.machine.js'
import { deviceMachine } from '../src/presence/device.machine.js'
import { attemptMachine } from '../src/router/attempt.machine.js'
import { callMachine } from '../src/router/call.machine.js'
import { draw } from './support/machine-drawing.js'

const drawn = [
  `# Machines

Drawn from the definitions in \`src/\`; a spec fails when the two differ. Each definition says at its head what its
states and events mean. \`any_REGION\` stands for every state of that region.`,
  ...Object.entries({
    'A device: `presence/device.machine.ts`': deviceMachine,
    'An account: `presence/account.machine.ts`': accountMachine,
    'A call: `router/call.machine.ts`': callMachine,
    'An attempt, one device of a call: `router/attempt.machine.ts`': attemptMachine,
  }).map(([title, machine]) => `## ${title}\n\n${draw(machine)}`),
].join('\n\n')

t.test('the drawings in docs/machines.md are those of the machines', async t => {
  if (process.env.UPDATE_DOCS) writeFileSync('docs/machines.md', `${drawn}\n`)
  t.equal(readFileSync('docs/machines.md', 'utf8'), `${drawn}\n`)
  t.match(drawn, /attached --> lingering: lose/)
  t.match(drawn, /any_declared --> dnd: declare\.dnd/)
})
