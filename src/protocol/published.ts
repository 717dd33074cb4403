// Schemas as the world reads them: plain JSON Schema (2020-12), without what only the hub's own checks use. Those
// with a name of their own are told once, under their title, and referred to from everywhere else.

import type { TSchema } from 'typebox'
import { CallResource, DestinationExplained, Explanation, Refused, TimelineEntry } from './call-resource.js'
import { PartyName } from './names.js'
import { QueueResource } from './queue-resource.js'
import { AccountEntry, Counts, DeviceEntry, Resource, RoutingFacts } from './resource.js'
import { StatusChange } from './statuses.js'

const named: ReadonlyMap<string, TSchema> = new Map(
  [
    Resource,
    AccountEntry,
    DeviceEntry,
    RoutingFacts,
    Counts,
    PartyName,
    StatusChange,
    CallResource,
    TimelineEntry,
    QueueResource,
    Explanation,
    DestinationExplained,
    Refused,
  ].map(schema => [(schema as { title?: string }).title as string, schema]),
)

interface Node {
  readonly title?: unknown
  readonly description?: unknown
}

/** One document's schemas. */
export interface Publisher {
  /** A schema in plain JSON; what has a name in it is referred to. */
  publish(schema: TSchema): object
  /** What was referred to so far, by name. */
  readonly named: Readonly<Record<string, object>>
}

/** `at`: where the document keeps the schemas that have names, as `#/$defs/`. */
export const createPublisher = (at: string): Publisher => {
  const told: Record<string, object> = {}

  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner)
    if (typeof value !== 'object' || value === null) return value
    const { title, description } = value as Node
    const own = named.get(title as string) as Node | undefined
    if (own === undefined) return plain(value)
    told[title as string] ??= plain(own)
    return { $ref: at + title, ...(description !== own.description && { description }) }
  }

  const plain = (schema: object): object =>
    Object.fromEntries(
      Object.entries(schema).flatMap(([key, value]) =>
        key === 'expected' && typeof value === 'string' ? [] : [[key, inner(value)]],
      ),
    )

  return { publish: schema => inner(schema) as object, named: told }
}
