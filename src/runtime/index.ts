// The door of the runtime room: time, logs, addresses, the check of shapes and XML, for every other room.

export { plainAddress, readBlock, subscriberOf, withinBlocks } from './addresses.js'
export { type Check, check, faultText } from './check.js'
export { atWall, type Clock, LOOK_MS, systemClock } from './clock.js'
export { type Log, silentLog } from './log.js'
export { cut, plain } from './plain.js'
export { heapShare, Pressure, type PressureOptions } from './pressure.js'
export type { Timer } from './timer-wheel.js'
export { TurnEnd } from './turn-end.js'
export { VirtualClock } from './virtual-clock.js'
export { type Element, readXml, xmlBounds } from './xml.js'
