import t from 'tap'
import Type from 'typebox'
import { check, faultText } from '../../src/runtime/index.js'

const Name = Type.String({ pattern: '^[a-z]+$', expected: 'small letters' })
const shape = check(
  Type.Object(
    {
      name: Name,
      size: Type.Optional(Type.Integer({ minimum: 1 })),
      color: Type.Optional(Type.Enum(['red', 'green'])),
      either: Type.Optional(
        Type.Union([Type.String(), Type.Object({ 'a/b~c': Type.Integer() })], {
          expected: 'text, or { a/b~c }',
        }),
      ),
      parts: Type.Optional(Type.Record(Type.String(), Type.Array(Type.Object({ id: Type.Integer() })))),
      open: Type.Optional(Type.Object({ 'a/b~c': Name })),
    },
    { additionalProperties: false },
  ),
)

const told = (value: unknown): string[] => {
  const checked = shape(value)
  return checked.ok ? [] : checked.faults.map(faultText)
}

t.test('what fits is given back as it is', async t => {
  const value = { name: 'a', size: 2, color: 'red', either: 'x', parts: { p: [{ id: 1 }] } }
  t.same(shape(value), { ok: true, value })
})

t.test('every fault is told at once, each with its path and what must be', async t => {
  t.same(
    new Set(
      told({ name: 'A', size: 0, color: 'blue', either: 5, more: true, parts: { p: [{ id: 1 }, {}] } }),
    ),
    new Set([
      'name must be small letters',
      'size must be >= 1',
      'color must be one of red, green',
      'either must be text, or { a/b~c }',
      'more is not known here',
      'parts.p[1].id is missing',
    ]),
  )
  t.same(told({}), ['name is missing'])
  t.same(told({ name: 'a', parts: { 'x.y': 1 } }), ['parts.x.y must be array'])
  t.same(
    told({ name: 'a', open: { 'a/b~c': 'A' } }),
    ['open.a/b~c must be small letters'],
    'whatever its name',
  )
})

t.test('a fault of the whole has no path', async t => t.same(told(5), ['must be object']))

t.test('of a key that is anyone’s text no more is told than of a name', async t => {
  t.same(told({ name: 'a', parts: { ['k'.repeat(5_000)]: 1 } }), [`parts.${'k'.repeat(64)}… must be array`])
})
