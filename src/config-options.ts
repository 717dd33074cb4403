// The schema of the configuration, read as what it says of each option: fills in the defaults. General: it knows
// objects, records, lists and defaults, and no option by its name.

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
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly patternProperties?: Readonly<Record<string, Node>>
  readonly items?: Node
}

/** The schemas of what is within an object: of its properties, or the one of all its entries. */
const innerNodes = ({ properties, patternProperties }: Node, value: object): (readonly [string, Node])[] => [
  ...Object.entries(properties ?? {}),
  ...Object.values(patternProperties ?? {}).flatMap(inner =>
    Object.keys(value).map(name => [name, inner] as const),
  ),
]

const fillNode = (node: Node, given: unknown): unknown => {
  const value = given === undefined ? node.default : given
  if (node.items !== undefined && value !== undefined) {
    const { items } = node
    return (value as unknown[]).map(item => fillNode(items, item))
  }
  if (value === undefined || !(node.properties ?? node.patternProperties)) return value
  const from = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    innerNodes(node, from)
      .map(([name, inner]) => [name, fillNode(inner, from[name])] as const)
      .filter(([, filled]) => filled !== undefined),
  )
}

/** A value that fits `schema`, with every default filled in. Alternatives (unions) are left as they are. */
export const fill = <S extends TSchema>(schema: S, given: Static<S>): Filled<S> =>
  fillNode(schema as Node, given) as Filled<S>
