// The tables of docs/protocol.md, written from the published descriptions: a client's frames and the hub's, the calls of
// the API, the resources.

import { replies } from '../../src/protocol/index.js'

/** A schema in plain JSON. */
interface Schema {
  readonly $ref?: string
  readonly description?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: object
  readonly required?: readonly string[]
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

interface Operation {
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content & { readonly description: string }>>
  readonly security: readonly { readonly token: readonly string[] }[]
}

export interface ApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface FramesDescription {
  readonly $defs: Readonly<Record<string, Schema>>
}

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)
const linked = (name: string): string => `[${name}](#${name.toLowerCase()})`

const typeOf = (schema: Schema): string => {
  const { $ref, anyOf, enum: words, items, patternProperties, type } = schema
  if ($ref !== undefined) return linked(nameOf($ref))
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  if (words) return words.map(word => `\`${word}\``).join(' ')
  if (items) return `list of ${typeOf(items)}`
  if (patternProperties) return 'map'
  return type ?? 'any'
}

/** One line a field; those of objects without a name of their own under `object.field`. */
const rows = ({ properties = {}, required = [] }: Schema, before = ''): string[] =>
  Object.entries(properties).flatMap(([name, field]) => {
    const path = before + name
    const line = `| \`${path}${required.includes(name) ? '' : '?'}\` | ${typeOf(field)} | ${field.description ?? ''} |`
    const inner = field.items ?? field
    return [line, ...(inner.$ref === undefined ? rows(inner, `${path}${field.items ? '[].' : '.'}`) : [])]
  })

const table = (lines: readonly string[], head = 'field'): string[] =>
  lines.length === 0 ? [] : [`| ${head} | is | |`, '|---|---|---|', ...lines, '']

const without = ({ properties = {}, ...schema }: Schema, ...names: readonly string[]): Schema => ({
  ...schema,
  properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))),
})

const answerTo = (type: string): string => {
  const reply = replies[type as keyof typeof replies]
  if (type === 'leave') return 'No answer.'
  return reply === null ? 'No answer, unless it has a `ref`: then `ok`.' : `Answer: \`${reply}\`.`
}

const frameTables = ({ $defs }: FramesDescription, side: 'client' | 'hub'): string =>
  Object.entries($defs)
    .filter(([name]) => name.startsWith(`${side}.`))
    .flatMap(([name, schema]) => {
      const type = name.slice(side.length + 1)
      const numbered = schema.properties && 'seq' in schema.properties && side === 'hub' ? ' Numbered.' : ''
      const answer = side === 'client' ? ` ${answerTo(type)}` : numbered
      const fields =
        side === 'client' ? without(schema, 'type', 'ref') : without(schema, 'type', 'ref', 'seq')
      return [`#### \`${type}\``, '', `${schema.description}${answer}`, '', ...table(rows(fields))]
    })
    .join('\n')

const resourceTables = ({ components: { schemas } }: ApiDescription): string =>
  Object.entries(schemas)
    .sort(([a], [b]) => a.localeCompare(b))
    .flatMap(([name, schema]) => [`#### ${name}`, '', String(schema.description), '', ...table(rows(schema))])
    .join('\n')

const bodyOf = ({ content = {} }: Content): Schema | undefined => Object.values(content)[0]?.schema

/** What an answer is: the resource, its fields, or its media type. */
const answerText = (response: Content): string => {
  const body = bodyOf(response)
  if (body === undefined) return ''
  const fields = Object.entries(body.properties ?? {}).map(([name, field]) => `\`${name}\`: ${typeOf(field)}`)
  if (fields.length > 0) return ` (${fields.join(', ')})`
  const named = [body, ...(body.anyOf ?? [])].filter(({ $ref }) => $ref !== undefined).map(typeOf)
  const [type] = Object.keys(response.content ?? {})
  return named.length > 0 ? ` (${named.join(', ')})` : type === 'application/json' ? '' : ` (\`${type}\`)`
}

const operationText = (path: string, method: string, operation: Operation): string[] => {
  const { summary, parameters = [], requestBody, responses, security } = operation
  const scope = security[0]?.token[0]
  const given = parameters.map(
    ({ name, in: place, required, description = '', schema }) =>
      `| \`${name}${required ? '' : '?'}\` (${place}) | ${typeOf(schema)} | ${description} |`,
  )
  const body = requestBody && bodyOf(requestBody)
  const told = Object.entries(responses).filter(([status]) => status !== 'default')
  const answers = told.filter(([status]) => Number(status) < 400)
  const refusals = told.filter(([status]) => Number(status) >= 400)
  const named = body?.$ref === undefined ? [] : [`| (body) | ${typeOf(body)} | |`]
  return [
    `#### \`${method.toUpperCase()} ${path}\``,
    '',
    `${summary}${scope === undefined ? '' : ` Permission: \`${scope}\`.`}`,
    '',
    ...table([...given, ...named, ...(body ? rows(body) : [])]),
    ...answers.map(([status, told]) => `- ${status}${answerText(told)}: ${told.description}`),
    ...(refusals.length === 0
      ? []
      : [`- refused: ${refusals.map(([status, { description }]) => `${status} ${description}`).join('; ')}`]),
    '',
  ]
}

const apiTables = ({ paths }: ApiDescription, tag: string): string =>
  Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, operation]) =>
        operation.tags.includes(tag) ? operationText(path, method, operation) : [],
      ),
    )
    .join('\n')

/** The tables of docs/protocol.md, by the places that it has for them. */
export const protocolTables = (
  frames: FramesDescription,
  api: ApiDescription,
): Readonly<Record<string, string>> => {
  const operations: Operation[] = Object.values(api.paths).flatMap(Object.values)
  const tags = new Set(operations.flatMap(({ tags }) => tags))
  return {
    'frames of a client': frameTables(frames, 'client'),
    'frames of the hub': frameTables(frames, 'hub'),
    resources: resourceTables(api),
    ...Object.fromEntries([...tags].map(tag => [`http ${tag}`, apiTables(api, tag)])),
  }
}
