// One call of the demo, played and told: what the voice application is asked, what the timeline says, and what each
// phone is told, in the order in which it happened. Then what became of it.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Resource } from '../../client/index.js'
import { countsText, statusPiece } from '../picture.js'
import { bold, cyan, dim, green, line } from '../text.js'
import { type Actor, endText, partyText } from './actor.js'
import type { Narrator } from './narrator.js'
import type { Outcome, Scene, Tempo } from './scenes.js'
import type { Stage } from './stage.js'
import { notRungIn, offeredIn, rungIn, tellEntry } from './story.js'
import type { Asked } from './voice-application.js'

/** The presence status resource of a destination, as the router reads it too. */
const tellPresence = (narrator: Narrator, resource: Resource): void => {
  const { destination, kind, status, counts, accounts = [] } = resource
  const words = accounts.flatMap(({ account, status, devices = [] }) => [
    '; ',
    account,
    devices.length > 1 ? ` (${devices.map(({ device }) => device).join(', ')}) ` : ' ',
    statusPiece(status),
  ])
  narrator.step(
    'presence',
    { resource },
    'presence',
    `${kind} `,
    bold(destination),
    ' is ',
    statusPiece(status),
    dim(`: ${countsText(counts)}`),
    ...words,
  )
}

const tellAsked = (narrator: Narrator, { method, path, form, document }: Asked): void => {
  narrator.step(
    'instructions',
    { path, form, signature: 'verified' },
    'instructions',
    `${method} ${path} at the application, `,
    green('signature verified'),
    '; it answers',
  )
  const lines = document.split('\n').map(text => line(' '.repeat(18), cyan(text)))
  narrator.show('document', { path, document }, lines)
}

export const playScene = async (
  { from, to, destination, answering }: Scene,
  { api, audience }: Stage,
  actors: readonly Actor[],
  narrator: Narrator,
  { answerMs, talkMs }: Tempo,
): Promise<Outcome> => {
  const resource = await api.presence(destination)
  const asked: string[] = []
  let lines = 0
  /** Tells what the timeline has come to, by the time that it happened. */
  const follow = (id: string, until: number): void =>
    narrator.turn(async aside => {
      const { timeline = [] } = await api.call(id)
      for (const entry of timeline.slice(lines)) {
        if (Date.parse(entry.at) > until) break
        lines += 1
        tellEntry(aside, id, entry)
        if (entry.event === 'dial') tellPresence(aside, resource)
      }
    })
  audience.answerMs = name => (name === answering ? answerMs : undefined)
  audience.asked = question => {
    asked.push(question.path)
    follow(String(question.form.CallSid), Date.now())
    tellAsked(narrator, question)
  }
  audience.told = (device, { id }, end) => {
    const { reason, by } = end
    follow(id, Date.now())
    narrator.step('told', { device, reason, by }, 'told', `${device}: `, bold(endText(end)))
  }

  narrator.step('placed', { from, to }, 'call in', `${from} calls ${to}: POST /v1/calls`)
  const { call: id } = await api.place({ from, to })
  for await (const { type } of api.events(id)) {
    follow(id, Date.now())
    if (type !== 'answered') continue
    await sleep(talkMs)
    await api.hangup(id)
  }
  const view = await api.call(id)
  const offered = offeredIn(view)
  const told: Record<string, string> = {}
  for (const actor of actors) {
    if (offered.includes(actor.name)) told[actor.name] = endText(await actor.endOf(id))
  }
  follow(id, Number.POSITIVE_INFINITY)
  await narrator.done
  return {
    reason: String(view.reason),
    by: view.by && partyText(view.by),
    rung: rungIn(view),
    told,
    notRung: notRungIn(view),
    asked,
  }
}
