// The door of the choice: whom to ring, in which order, and why each other member is not rung.

export { devicesPerPerson, type Member, membersOf, obstacle, unlisted } from './eligible.js'
export { peopleAtOnce, widths } from './orders.js'
export { type Candidate, type Picked, type Policy, pick, type Skipped } from './pick.js'
