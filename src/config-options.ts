// The schema of the configuration, read as what it says of each option: fills in the defaults, and lists every option
// with its meaning and what holds. General: it knows objects, records, lists and defaults, and no option by its name.

import type { Static, TOptional, TSchema } from 'typebox'

type Evaluated<T> = { [K in keyof T]: T[K] } & {}

/** Whether a property is always there once the defaults are filled in. */
type Stays<S> = S extends { readonly default: unknown } ? true : S extends TOptional ? false : true

/** What a schema allows, with every default filled in. */
export type Filled<S> = S extends { readonly properties: infer P }
  ? Evaluated<
      { [K in keyof P as Stays<P[K]> extends true ? K : never]: Filled<P[K]> } & {
        [K in keyof P as Stays<P[K]> extends true ? never : K]?: Filled<P[K]>
      }
    >
  : S extends { readonly patternProperties: infer P }
    ? { [name: string]: Filled<P[keyof P]> }
    : S extends { readonly type: 'array'; readonly items: infer I }
      ? Filled<I>[]
      : S extends TSchema
        ? Static<S>
        : never

/** A schema as plain data. */
interface Node {
  readonly type?: string
  readonly description: string
  readonly default?: unknown
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly anyOf?: readonly Node[]
}

const nodeOf = (schema: TSchema): Node => schema as unknown as Node

/** The schemas of what is within an object: of its properties, or the one of all its entries. */
const innerNodes = (
  { properties, patternProperties }: Node,
  names: readonly string[],
): (readonly [string, Node])[] => [
  ...Object.entries(properties ?? {}),
  ...Object.values(patternProperties ?? {}).flatMap(inner => names.map(name => [name, inner] as const)),
]

type See = (node: Node, value: unknown) => unknown

const fillNode = (node: Node, given: unknown, see: See): unknown => {
  const value = given === undefined ? node.default : given
  if (node.items !== undefined && value !== undefined) {
    const { items } = node
    return (value as unknown[]).map(item => fillNode(items, item, see))
  }
  if (value === undefined || !(node.properties ?? node.patternProperties)) return see(node, value)
  const from = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    innerNodes(node, Object.keys(from))
      .map(([name, inner]) => [name, fillNode(inner, from[name], see)] as const)
      .filter(([, filled]) => filled !== undefined),
  )
}

/** A value that fits `schema`, with every default filled in. Alternatives (unions) are left as they are. */
export const fill = <S extends TSchema>(schema: S, given: Static<S>): Filled<S> =>
  fillNode(nodeOf(schema), given, (_, value) => value) as Filled<S>

const hidden = '(not shown)'

/** Addresses without their query, which may hold secrets. */
const withoutQueries = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replace(/^(https?:\/\/[^\s?#]*)\?.*$/is, `$1?${hidden}`)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutQueries)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutQueries(inner)]))
}

/** A text that is a secret is not shown; a reference to one is, as it says where to look. */
const conceal: See = (node, value) =>
  node.writeOnly && typeof value === 'string' ? hidden : withoutQueries(value)

/** As `fill`, to be shown: without secrets. */
export const fillShown = <S extends TSchema>(schema: S, given: Static<S>): unknown =>
  fillNode(nodeOf(schema), given, conceal)

/** One option, or a section of them, and what holds of it. */
export interface Option {
  /** `tenants.acme.keys[0].kid`; where no configuration is given, `tenants.NAME.keys[].kid`. */
  readonly path: string
  readonly description: string
  /** Whether a configuration must say it, where it says what is around it. */
  readonly required: boolean
  /** Whether the configuration says it. */
  readonly given: boolean
  /** What it says, else the default, without secrets; absent where there is neither, or where its parts are listed. */
  readonly value?: unknown
  /** Whether its parts are listed after it. */
  readonly section: boolean
}

interface Place {
  readonly node: Node
  readonly path: string
  readonly required: boolean
  readonly given: unknown
}

/** What a list may hold, where that has parts of its own. */
const partsOf = ({ items }: Node): Node | undefined =>
  items?.properties ? items : items?.anyOf?.find(({ properties }) => properties !== undefined)

/** What is within a value. Of what any entry of a record or a list may have, there is one example. */
const within = ({ node, path }: Place, value: unknown, example: boolean): Place[] => {
  const { items, properties, required = [] } = node
  if (items !== undefined) {
    const parts = example ? partsOf(node) : items
    const list = example ? [undefined] : (value as unknown[])
    if (parts?.properties === undefined) return []
    return list.map((given, index) => ({
      node: parts,
      path: `${path}[${example ? '' : index}]`,
      required: false,
      given,
    }))
  }
  if (!example && value === undefined) return []
  const from = (value ?? {}) as Readonly<Record<string, unknown>>
  const names = example ? ['NAME'] : Object.keys(from)
  return innerNodes(node, names).map(([name, inner]) => ({
    node: inner,
    path: path === '' ? name : `${path}.${name}`,
    required: required.includes(name),
    given: properties === undefined && example ? undefined : from[name],
  }))
}

const list = (place: Place, example: boolean): Option[] => {
  const { node, path, required, given } = place
  const value = given === undefined ? node.default : given
  const inner = within(place, value, example)
  const told = node.properties === undefined && (example || inner.length === 0)
  const self: Option = {
    path,
    description: node.description,
    required,
    given: given !== undefined,
    section: inner.length > 0,
    ...(told && value !== undefined && { value: conceal(node, value) }),
  }
  return [self, ...inner.flatMap(each => list(each, example))]
}

/**
 * Every option, each section before what is in it. With a configuration that fits, what holds there; without one, all
 * that it could say, `NAME` and `[]` standing for any entry.
 */
export const listOptions = (schema: TSchema, given?: unknown): Option[] =>
  list({ node: nodeOf(schema), path: '', required: false, given }, given === undefined).slice(1)
