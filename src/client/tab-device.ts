// A device's name for a browser tab: a reload keeps it, and a duplicated tab, which begins with a copy of the first
// one's session storage, gets one of its own. The name is in the storage; that it is taken is a Web Lock, which the
// browser gives back when the page is gone, however it went. Where either is missing each page has a new name.

import { platformTimers, type Timers } from './timers.js'

interface Locks {
  request(name: string, options: { signal: AbortSignal }, held: () => Promise<void>): Promise<unknown>
}

/** The little of a browser's global object that is needed. Reading `sessionStorage` may throw, as may its methods. */
export interface TabPage {
  readonly crypto: { getRandomValues(bytes: Uint8Array): Uint8Array }
  readonly sessionStorage?: { getItem(key: string): string | null; setItem(key: string, value: string): void }
  readonly navigator?: { readonly locks?: Locks }
  addEventListener?(type: 'pagehide', listener: () => void, options: { once: true }): void
}

const KEY = 'switchhook.device'
const NAME = /^tab-[0-9a-f]{16}$/
/**
 * A name that stays taken for so long is another tab's. The page that a reload replaces gives its own back sooner,
 * though perhaps after the new one has asked for it.
 */
export const TAKEN_MS = 1000

const unlessThrown = <T>(task: () => T): T | undefined => {
  try {
    return task()
  } catch {
    return undefined
  }
}

/** Makes `tabDevice` for a page. */
export const createTabDevice = (page: TabPage, timers: Timers = platformTimers): (() => Promise<string>) => {
  /** The name, from when it is asked for until the page is hidden. */
  let chosen: Promise<string> | undefined

  const newName = (): string => {
    const bytes = page.crypto.getRandomValues(new Uint8Array(8))
    return `tab-${Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')}`
  }

  /** Whether the name can be had; then it is this page's until `hidden`. */
  const take = (locks: Locks, name: string, hidden: AbortSignal): Promise<boolean> =>
    new Promise(resolve => {
      const given = new AbortController()
      const giveUp = () => given.abort()
      const timer = timers.setTimeout(giveUp, TAKEN_MS)
      const settle = (taken: boolean) => {
        timers.clearTimeout(timer)
        resolve(taken)
      }
      const hold = () => {
        settle(true)
        return new Promise<void>(giveBack => given.signal.addEventListener('abort', () => giveBack()))
      }
      hidden.addEventListener('abort', giveUp)
      locks.request(`${KEY}.${name}`, { signal: given.signal }, hold).catch(() => settle(false))
    })

  const choose = async (): Promise<string> => {
    const fresh = newName()
    const locks = page.navigator?.locks
    const storage = unlessThrown(() => page.sessionStorage)
    if (locks === undefined || storage === undefined) return fresh
    const hidden = new AbortController()
    const hide = () => {
      chosen = undefined
      hidden.abort()
    }
    page.addEventListener?.('pagehide', hide, { once: true })
    const known = unlessThrown(() => storage.getItem(KEY))
    if (typeof known === 'string' && NAME.test(known) && (await take(locks, known, hidden.signal)))
      return known
    if (hidden.signal.aborted) throw new Error('the page was put away')
    if (await take(locks, fresh, hidden.signal)) unlessThrown(() => storage.setItem(KEY, fresh))
    return fresh
  }

  return () => {
    chosen ??= choose()
    return chosen
  }
}

/**
 * The device of this browser tab, for `device`: kept over a reload, never shared with a duplicated tab, the same for
 * all softphones of a page. Without Web Locks or session storage (an insecure origin, a sandboxed frame, Node) it is
 * a new name for each page, so that a reload leaves its former device behind, until that has lingered.
 */
export const tabDevice: () => Promise<string> = createTabDevice(globalThis as TabPage)
