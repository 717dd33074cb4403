// The door of the react room: `switchhook/react`, hooks over the softphone SDK. React is the application's own, 18 or
// later; nothing here needs a browser before it is on a page.
'use client'

export {
  type GivenSoftphone,
  type PresenceOptions,
  SoftphoneProvider,
  type SoftphoneProviderProps,
  useCall,
  usePresence,
  useSoftphone,
} from './hooks.js'
export type { SoftphoneValue } from './phone-store.js'
