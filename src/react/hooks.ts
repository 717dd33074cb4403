// The hooks: thin readers of a phone store, and the provider that hands one down. They render nothing that is not
// so: what they return is one immutable value at a time, and components that read the same thing see the same object.

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react'
import {
  type Call,
  type CallSnapshot,
  type Resource,
  Softphone,
  type SoftphoneOptions,
  type View,
} from '../client/index.js'
import { PhoneStore, type SoftphoneValue } from './phone-store.js'

/**
 * A softphone of yours, which is yours to connect and close; or what to make one with, which is then connected for as
 * long as it is used. Options are read once, but for the function that gives tokens: the latest is asked. Another hub
 * or another person is another component: give it another `key`.
 */
export type GivenSoftphone = Softphone | SoftphoneOptions

const PhoneContext = createContext<PhoneStore | undefined>(undefined)

/** One store for each softphone that was given, however many components it was given to. */
const stores = new WeakMap<Softphone, PhoneStore>()

const storeOf = (softphone: Softphone): PhoneStore => {
  const store = stores.get(softphone) ?? new PhoneStore(softphone)
  stores.set(softphone, store)
  return store
}

const usePhoneStore = (given: GivenSoftphone | undefined): PhoneStore => {
  const handedDown = useContext(PhoneContext)
  const options = given instanceof Softphone ? undefined : given
  const [own] = useState(() => options && new PhoneStore(options))
  const store = given instanceof Softphone ? storeOf(given) : (own ?? handedDown)
  if (store === undefined)
    throw new Error('there is no softphone here: give one, or render a SoftphoneProvider above')
  useEffect(() => {
    if (own !== undefined) own.options = options
  }, [own, options])
  useEffect(() => store.hold(), [store])
  return store
}

export interface SoftphoneProviderProps {
  readonly softphone: GivenSoftphone
  readonly children?: ReactNode
}

/** Hands a softphone down to `useSoftphone` and `usePresence` below, and keeps it connected while it is there. */
export const SoftphoneProvider = ({ softphone, children }: SoftphoneProviderProps): ReactElement => {
  const store = usePhoneStore(softphone)
  return createElement(PhoneContext.Provider, { value: store }, children)
}

/** A softphone as it stands, and what can be done with it: the one given, or the provider's. */
export const useSoftphone = (softphone?: GivenSoftphone): SoftphoneValue => {
  const store = usePhoneStore(softphone)
  return useSyncExternalStore(store.subscribe, store.read, store.readInitial)
}

export interface PresenceOptions {
  /** Default `full`. */
  readonly view?: View | undefined
  /** Default: the provider's. */
  readonly softphone?: Softphone | undefined
}

/** What there is of nothing, and how to stop hearing of it. */
const nothingYet = (): undefined => undefined

/**
 * The presence of a destination: undefined until it is known, as last seen while the connection is lost. Components
 * that watch the same share one subscription, given up when the last of them goes. Throws SwitchhookError, for an
 * error boundary, where the hub does not let it be watched.
 */
export const usePresence = (
  destination: string,
  { view = 'full', softphone }: PresenceOptions = {},
): Resource | undefined => {
  const store = usePhoneStore(softphone)
  const subscribe = useCallback(
    (listener: () => void) => store.watch(destination, view, listener),
    [store, destination, view],
  )
  const read = useCallback(() => store.presence(destination, view), [store, destination, view])
  const seen = useSyncExternalStore(subscribe, read, nothingYet)
  if (seen instanceof Error) throw seen
  return seen
}

/** How a call stands, or undefined where there is none. */
export function useCall(call: Call): CallSnapshot
export function useCall(call: Call | undefined): CallSnapshot | undefined
export function useCall(call: Call | undefined): CallSnapshot | undefined {
  const subscribe = useCallback((listener: () => void) => call?.on('change', listener) ?? nothingYet, [call])
  const read = () => call?.snapshot
  return useSyncExternalStore(subscribe, read, read)
}
