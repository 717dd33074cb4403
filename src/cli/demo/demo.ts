// `switchhook demo`: a hub, a voice application, five phones and three inbound calls in one process, told as they
// happen. Done only if every call ended as it should: who was rung and who was not, who answered, and what every
// other device was told.

import { isDeepStrictEqual } from 'node:util'
import { Command } from 'commander'
import { devLines } from '../dev.js'
import { failureOf, reportTo } from '../failure.js'
import { connect, createLine } from '../line.js'
import { statusPiece } from '../picture.js'
import type { Start } from '../program.js'
import { aborted, type Job } from '../shell.js'
import { bold, green, line, red, table, yellow } from '../text.js'
import type { Actor } from './actor.js'
import { Narrator } from './narrator.js'
import { playScene } from './play-scene.js'
import { fast, type Outcome, readable, roles, type Scene, scenes, type Tempo } from './scenes.js'
import { openStage, type Stage } from './stage.js'

interface DemoOptions {
  readonly fast?: boolean
  readonly keep?: boolean
  readonly json?: boolean
}

export const demoCommand = (start: Start): Command =>
  new Command('demo')
    .description('hub, phones and inbound calls in one process, explained as they happen')
    .option('--fast', 'without pauses to read in')
    .option('--keep', 'keep hub and phones running afterwards, to be called by hand')
    .option('--json', 'one JSON object a line')
    .action((options: DemoOptions) => start(options, demo))

interface Played {
  readonly scene: Scene
  readonly outcome: Outcome
  readonly ok: boolean
}

/** `played`: the scenes, for whoever wants to see others. */
export const demo = async (
  options: DemoOptions,
  { out, stop }: Job,
  played: readonly Scene[] = scenes,
): Promise<number> => {
  const tempo = options.fast ? fast : readable
  const stage = await openStage(tempo, reportTo(out))
  try {
    const over = Promise.race([aborted(stop), out.gone])
    const ok = await Promise.race([play(stage, new Narrator(out, tempo.lineMs), tempo, played), over])
    if (options.keep && ok !== undefined) {
      stage.quiet()
      out.tell(
        { event: 'kept', url: stage.url, dev: stage.dev },
        line(''),
        line('All of it keeps running; a signal ends it.'),
        ...devLines(stage.dev, stage.url),
      )
      await over
    }
    return ok ? 0 : 1
  } finally {
    await stage.close()
  }
}

const play = async (
  stage: Stage,
  narrator: Narrator,
  tempo: Tempo,
  played: readonly Scene[],
): Promise<boolean> => {
  narrator.chapter('The hub and a voice application')
  narrator.step(
    'hub',
    { url: stage.url },
    'hub',
    stage.url,
    ', with the groups ',
    bold('support'),
    ' and ',
    bold('sales'),
  )
  narrator.step(
    'voice',
    { url: stage.voice },
    'application',
    stage.voice,
    ', which says what to do with a call',
  )

  narrator.chapter('Phones: a token is shown, verified, and only then there is presence')
  const actors: Actor[] = []
  for (const role of roles) {
    const actor = await stage.enter(role)
    const { scopes, canReceive } = await actor.connect()
    actors.push(actor)
    const { account, device, status } = role
    narrator.step(
      'registered',
      { account, device, status, scopes, canReceive },
      actor.name,
      green('token verified'),
      ', so it is registered, and ',
      statusPiece(status),
    )
  }
  const refused = await refuseStranger(stage, narrator)

  const results: Played[] = []
  for (const [index, scene] of played.entries()) {
    narrator.chapter(`Call ${index + 1}: ${scene.title}`)
    const outcome = await playScene(scene, stage, actors, narrator, tempo)
    const ok = isDeepStrictEqual(outcome, scene.expected)
    results.push({ scene, outcome, ok })
    const { to, expected } = scene
    narrator.step(
      'outcome',
      { to, ok, outcome, expected },
      ok ? '✓' : '✗',
      ok ? green('as it should be') : red(`not as it should be: ${JSON.stringify({ outcome, expected })}`),
    )
  }
  summarise(narrator, results)
  await narrator.done
  return refused && results.every(({ ok }) => ok)
}

/** [C2] A token that is not good leaves no trace. */
const refuseStranger = async (stage: Stage, narrator: Narrator): Promise<boolean> => {
  const token = await stage.mint('mallory', { secret: 'a secret of someone else, 32 bytes long' })
  const stranger = createLine({ url: stage.url, token, device: 'web' })
  const refusal = await connect(stranger).then(String, failureOf)
  const { status } = await stage.api.presence('mallory')
  narrator.step(
    'refused',
    { account: 'mallory', message: String(refusal), status },
    'mallory/web',
    yellow('token refused'),
    ': signed with another key; no trace in presence: ',
    statusPiece(status),
  )
  return status === 'offline'
}

const summarise = (narrator: Narrator, results: readonly Played[]): void => {
  const ok = results.every(result => result.ok)
  const rows = results.map(({ scene, outcome, ok }) => [
    ok ? green('✓') : red('✗'),
    scene.to,
    scene.destination,
    outcome.reason,
    outcome.by === undefined ? 'nobody was there' : `answered by ${outcome.by}`,
  ])
  narrator.show(
    'summary',
    { ok, calls: results.map(({ scene, outcome, ok }) => ({ to: scene.to, ok, ...outcome })) },
    [
      line(''),
      line(bold('Summary')),
      ...table(rows, 2),
      line(''),
      line('Go on by hand: npx switchhook serve --dev says how, with phone, call and watch.'),
    ],
  )
}
