// `switchhook watch`: the presence of destinations as it changes, until a signal ends it. On a terminal one picture
// that is drawn anew, in a pipe a line for each change, for programs the whole resource at each change.

import { Command, Option } from 'commander'
import type { Resource, View } from '../client/index.js'
import { blaming } from './failure.js'
import { type HubFlags, hubOf, withHub } from './flags.js'
import { connect, createLine, stateLines, tellConnection } from './line.js'
import { Live } from './live.js'
import { changeLine, picture } from './picture.js'
import type { Start } from './program.js'
import { aborted, type Job } from './shell.js'
import type { Line } from './text.js'

interface WatchOptions extends HubFlags {
  readonly view: View
  readonly json?: boolean
}

export const watchCommand = (start: Start): Command =>
  withHub(
    new Command('watch')
      .description('live presence of groups and accounts')
      .argument('<destination...>', 'groups and accounts'),
  )
    .addOption(
      new Option('--view <view>', 'summary: counts alone')
        .choices(['summary', 'full'])
        .default('full', 'full'),
    )
    .option('--json', 'one JSON object a line: the resource at each change')
    .action((destinations: string[], options: WatchOptions) =>
      start(options, (_, job) => watch(destinations, options, job)),
    )

const watch = async (
  destinations: readonly string[],
  options: WatchOptions,
  { shell, out, stop }: Job,
): Promise<number> => {
  const phone = createLine(hubOf(options, shell))
  const live = new Live(out)
  tellConnection(phone, out)
  await connect(phone)
  try {
    const watches = phone.subscribe([...new Set(destinations)], { view: options.view })
    const over = new Promise<never>((_, reject) => {
      phone.on('connection', connection => connection.state === 'closed' && reject(connection.error))
      for (const watch of watches) watch.on('refused', reject)
    })
    const drawn = (): Line[] => [
      ...stateLines(phone),
      ...watches.flatMap(({ resource }) => (resource ? picture(resource) : [])),
    ]
    const show = (resource: Resource): void =>
      live.show({ event: 'presence', ...resource }, changeLine(resource), drawn)
    // What is shown is no longer so, perhaps, while the hub is not there to tell.
    phone.on('connection', () => live.draw(drawn))
    for (const watch of watches) watch.on('change', show)
    await blaming(Promise.race([over, aborted(stop), out.gone]), { destinations: 'destination' })
    return 0
  } finally {
    live.end()
    await phone.close()
  }
}
