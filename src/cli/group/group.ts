// `switchhook group`: the directory of a hub at run time, read and changed over its API by an administrator. This is what
// can be typed; the work is in work.ts.

import { Command, Option } from 'commander'
import { strategies } from '../../config.js'
import { duration, type HubFlags, whole, withHub, words } from '../flags.js'
import type { Start } from '../program.js'
import type { Job } from '../shell.js'
import {
  add,
  create,
  type GroupFlags,
  list,
  type MemberFlags,
  pause,
  remove,
  removeMember,
  reset,
  resume,
  set,
  show,
} from './work.js'

/** What every command of these is given. */
export type Common = HubFlags & { readonly json?: boolean }

const one = (name: string, description: string): Command =>
  withHub(new Command(name).description(description)).option('--json', 'one JSON object a line')

const ofGroup = (name: string, description: string): Command =>
  one(name, description).argument('<group>', 'the name of the group')

const ofMember = (name: string, description: string): Command =>
  ofGroup(name, description).argument('<account>', 'the account in it')

const withSettings = (command: Command): Command =>
  command
    .addOption(new Option('--strategy <name>', 'whom to ring, in which order').choices(strategies))
    .option('--open', "a token's groups claim may join it")
    .option('--no-open', 'only those who are listed are in it')
    .option('--ring-timeout <duration>', 'how long each person is rung, such as 12s', duration)
    .option('--tier-delay <duration>', 'when the next tier is rung too', duration)
    .option('--wrapup <duration>', 'how long a person stays busy after a call', duration)

export const groupCommand = (start: Start): Command => {
  const group = new Command('group').description('read and change the groups of a running hub')
  const withGroup =
    <O extends Common>(work: (group: string, options: O, job: Job) => Promise<void>) =>
    (name: string, options: O): Promise<void> =>
      start(options, async (_, job) => {
        await work(name, options, job)
        return 0
      })
  const withMember =
    <O extends Common>(work: (group: string, account: string, options: O, job: Job) => Promise<void>) =>
    (name: string, account: string, options: O): Promise<void> =>
      withGroup<O>((group, given, job) => work(group, account, given, job))(name, options)

  return group
    .addCommand(
      one('list', 'all groups').action((options: Common) =>
        withGroup((_, given, job) => list(given, job))('', options),
      ),
    )
    .addCommand(ofGroup('show', 'a group, and whom it lists').action(withGroup(show)))
    .addCommand(
      withSettings(ofGroup('create', 'make a group that is not there')).action(
        withGroup<Common & GroupFlags>(create),
      ),
    )
    .addCommand(
      withSettings(ofGroup('set', 'change a group; its members stay')).action(
        withGroup<Common & GroupFlags>(set),
      ),
    )
    .addCommand(ofGroup('delete', 'remove a group, one of the configuration too').action(withGroup(remove)))
    .addCommand(
      ofGroup('reset', 'take back all that was said of it: as the configuration has it').action(
        withGroup(reset),
      ),
    )
    .addCommand(
      ofMember('add', 'put an account into a group, or change its place there')
        .option('--tier <number>', 'lower ones are rung first', whole(1, 100))
        .option('--weight <number>', 'its share, with the strategy weighted', whole(1, 1000))
        .option('--skill <names>', 'what the person can do, with commas between them', words)
        .action(withMember<Common & MemberFlags>(add)),
    )
    .addCommand(ofMember('remove', 'take an account out of a group').action(withMember(removeMember)))
    .addCommand(
      ofMember('pause', 'have an account not rung as one of this group')
        .requiredOption('--reason <text>', 'why; it stands in the timeline of calls')
        .action(withMember<Common & { readonly reason: string }>(pause)),
    )
    .addCommand(ofMember('resume', 'have it rung again').action(withMember(resume)))
}
