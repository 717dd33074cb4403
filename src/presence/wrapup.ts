// Wrap-up: the set time after a call in which its person is not free yet. Each takes one place of the account until it
// is over, which is when its time has passed, or sooner or later by the person's own word. Several run side by side
// where an account takes several calls at once; the person's word is for all of them.

import { ok, type Result, refuse } from '../errors.js'
import type { Graph } from './graph.js'
import type { AccountRecord, WrapupRecord } from './records.js'

/** Begins one. The change is not yet visible: the caller commits. */
export const beginWrapup = (graph: Graph, account: AccountRecord, ms: number): void => {
  const wrapup: WrapupRecord = {
    timer: graph.clock.after(ms, () => {
      account.wrapups = account.wrapups.filter(other => other !== wrapup)
      graph.commit(account)
      graph.forget(account)
    }),
  }
  account.wrapups = [...account.wrapups, wrapup]
}

/**
 * Has every wrap-up of an account end `endMs` from now, 0 at once. Where there is none, to end it is nothing to do, and
 * to extend it comes too late: `conflict`.
 */
export const endWrapup = (
  graph: Graph,
  account: AccountRecord | undefined,
  endMs: number,
): Result<undefined> => {
  if (account === undefined || account.wrapups.length === 0) {
    return endMs === 0 ? ok(undefined) : refuse('conflict', 'there is no wrap-up to extend: it is over')
  }
  const running = account.wrapups
  account.wrapups = []
  for (const { timer } of running) {
    timer.cancel()
    if (endMs > 0) beginWrapup(graph, account, endMs)
  }
  graph.commit(account)
  graph.forget(account)
  return ok(undefined)
}
