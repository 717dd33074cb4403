// `switchhook call --explain`: who would be rung if the call came now, in which order, and why each other would not.
// No call is placed and nobody rings.

import type { Explanation, HubApi } from '../client/index.js'
import type { Output } from './output.js'
import { bold, dim, green, type Line, line, table, yellow } from './text.js'

type Dial = Explanation['dials'][number]

const destinationLines = ({
  destination,
  kind,
  status,
  strategy,
  order,
  skipped,
}: Dial['destinations'][number]): Line[] => [
  line(
    '  ',
    bold(destination),
    ` is ${kind === 'group' ? 'a group' : 'an account'}, and ${status}; rung: ${strategy}`,
  ),
  ...table(
    [
      ...order.map(({ account, devices }, index) => [green(`${index + 1}.`), account, devices.join(', ')]),
      ...skipped.map(({ account, reason, note }) => [
        yellow('not'),
        account,
        note === undefined ? reason : `${reason}: ${note}`,
      ]),
    ],
    4,
  ),
]

const dialLines = ({ sequential, destinations }: Dial): Line[] => [
  ...(destinations.length > 1 ? [line(dim(sequential ? '  one after the other:' : '  side by side:'))] : []),
  ...destinations.flatMap(destinationLines),
]

const queueLines = ({ queue, position, destination }: Explanation['queues'][number]): Line[] => [
  line(dim(`  waits for ${queue}, at place ${position}:`)),
  ...destinationLines(destination),
]

const lines = ({ to, route, instructions, asked, verbs, dials, queues, warnings }: Explanation): Line[] => [
  line(
    bold(to),
    route === undefined ? ' takes no route' : ` takes the route ${route}`,
    `; instructions: ${instructions}`,
  ),
  ...(asked
    ? [line(dim(`  verbs: ${verbs.join(', ') || 'none'}`))]
    : [line(dim('  not asked: the application could take the question for a call (--fetch asks it)'))]),
  ...warnings.map(warning => line(yellow('  warning'), ` ${warning}`)),
  ...dials.flatMap(dialLines),
  ...queues.flatMap(queueLines),
]

/** Shows the explanation. Rejects with what the hub refuses. */
export const showExplanation = async (
  api: HubApi,
  question: { readonly to: string; readonly from: string; readonly fetch: boolean },
  out: Output,
): Promise<number> => {
  const explanation = await api.explain(question)
  out.tell({ event: 'explanation', ...explanation }, ...lines(explanation))
  return 0
}
