// The fold of the feed: what is held of a destination, and the next frame about it, make what is held then.
// Pure; whoever holds the resource asks for a fresh snapshot where this says that one is missing.

import type { AccountEntry, PresenceFrame, Resource } from './frames.js'

/** Accounts that changed take their former place, new ones come last. */
const merge = (
  held: readonly AccountEntry[],
  changed: readonly AccountEntry[],
  removed: readonly string[],
): AccountEntry[] => {
  const gone = new Set(removed)
  const fresh = new Map(changed.map(entry => [entry.account, entry]))
  const merged: AccountEntry[] = []
  for (const entry of held) {
    if (!gone.has(entry.account)) merged.push(fresh.get(entry.account) ?? entry)
    fresh.delete(entry.account)
  }
  return [...merged, ...fresh.values()]
}

/**
 * The resource after `frame`; `gap` if the frame builds on a version that is not held. A snapshot replaces all,
 * a diff that leads no further than what is held changes nothing, and a summary stays without accounts.
 */
export const fold = (held: Resource | undefined, frame: PresenceFrame): Resource | 'gap' => {
  const { destination, kind, version, status, since, counts } = frame
  const head = { destination, kind, version, status, since, counts }
  if (frame.snapshot) return frame.accounts === undefined ? head : { ...head, accounts: frame.accounts }
  if (held === undefined) return 'gap'
  if (version <= held.version) return held
  if (frame.prev !== held.version) return 'gap'
  if (held.accounts === undefined) return head
  return { ...head, accounts: merge(held.accounts, frame.accounts ?? [], frame.removed ?? []) }
}
