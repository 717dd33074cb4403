// What an option of a verb may hold, told once for both languages: the text of an attribute in TwiML, where durations
// are whole seconds, and a value in JSON, where they are milliseconds. Both give the same value under the same key.

import Type, { type TSchema } from 'typebox'
import { areSkills, skillsRule } from './content.js'
import { locateLater } from './location.js'
import { quoted } from './reading.js'
import { longestMs } from './steps.js'

export type Read<T> = { readonly value: T } | { readonly fault: string }

export interface Option<K extends string = string, T = unknown> {
  /** Its name in JSON and in the step. */
  readonly key: K
  readonly json: TSchema
  /** What is wrong with a value that has the shape, if anything. */
  readonly judge?: (value: unknown) => string | undefined
  /** Reads the text of an attribute; a fault completes "timeout …". */
  readonly twiml: (text: string) => Read<T>
}

/** The options of a verb, by the names that they have as attributes. */
export type Options = Readonly<Record<string, Option>>

export type Values<O extends Options> = {
  readonly [A in keyof O as O[A]['key']]?: O[A] extends Option<string, infer T> ? T : never
}

const unless = (text: string, fault: string): { readonly fault: string } => ({
  fault: `${fault}, not ${quoted(text)}`,
})

const wholeNumber = (text: string): number => (/^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN)

const longestSeconds = longestMs / 1000

export const Ms = (least: 0 | 1) =>
  Type.Integer({
    minimum: least,
    maximum: longestMs,
    expected: `whole milliseconds, ${least} to ${longestMs}`,
  })

export const duration = <const K extends string>(key: K, least: 0 | 1): Option<K, number> => ({
  key,
  json: Ms(least),
  twiml: text => {
    const seconds = wholeNumber(text)
    return seconds >= least && seconds <= longestSeconds
      ? { value: seconds * 1000 }
      : unless(text, `must be whole seconds, ${least} to ${longestSeconds}`)
  },
})

/** A duration, or `auto`: the gateway's own judgement. */
export const durationOrAuto = <const K extends string>(key: K): Option<K, number | 'auto'> => ({
  key,
  json: Type.Union([Ms(1), Type.Literal('auto')], {
    expected: `auto, or whole milliseconds, 1 to ${longestMs}`,
  }),
  twiml: text => {
    const read = duration(key, 1).twiml(text)
    if (text === 'auto') return { value: text }
    return 'value' in read ? read : unless(text, `must be auto, or whole seconds, 1 to ${longestSeconds}`)
  },
})

export const count = <const K extends string>(key: K, least: number, most: number): Option<K, number> => {
  const expected = `a whole number, ${least} to ${most}`
  return {
    key,
    json: Type.Integer({ minimum: least, maximum: most, expected }),
    twiml: text => {
      const value = wholeNumber(text)
      return value >= least && value <= most ? { value } : unless(text, `must be ${expected}`)
    },
  }
}

export const word = <const K extends string, W extends string>(
  key: K,
  among: readonly W[],
): Option<K, W> => ({
  key,
  json: Type.Enum([...among]),
  twiml: text => {
    const value = among.find(one => one === text)
    return value === undefined ? unless(text, `must be one of ${among.join(', ')}`) : { value }
  },
})

/** Several of some words: with spaces between them in TwiML, a list in JSON. */
export const words = <const K extends string, W extends string>(
  key: K,
  among: readonly W[],
): Option<K, readonly W[]> => {
  const expected = `one or more of ${among.join(', ')}`
  return {
    key,
    json: Type.Array(Type.Enum([...among]), { minItems: 1, maxItems: among.length, expected }),
    twiml: text => {
      const given = text.split(/\s+/).filter(part => part !== '')
      const value = among.filter(one => given.includes(one))
      return value.length > 0 && given.every(part => among.some(one => one === part))
        ? { value }
        : unless(text, `must be ${expected}`)
    },
  }
}

export const flag = <const K extends string>(key: K): Option<K, boolean> => ({
  key,
  json: Type.Boolean(),
  twiml: text => {
    if (text === 'true' || text === 'false') return { value: text === 'true' }
    return unless(text, 'must be one of true, false')
  },
})

/** A text that has a pattern; `expected` says which, to complete "must be …". */
export const line = <const K extends string>(
  key: K,
  pattern: string,
  expected: string,
): Option<K, string> => {
  const fits = new RegExp(pattern, 'u')
  return {
    key,
    json: Type.String({ pattern, expected }),
    twiml: text => (fits.test(text) ? { value: text } : unless(text, `must be ${expected}`)),
  }
}

/** Any short text in one line. */
export const label = <const K extends string>(key: K): Option<K, string> =>
  line(
    key,
    '^[^\\u0000-\\u001f\\u007f]{1,128}$',
    'text of 1 to 128 characters, none of them a control character',
  )

export const url = <const K extends string>(key: K): Option<K, string> => {
  const judge = (value: unknown): string | undefined => {
    if (typeof value !== 'string') return undefined
    const located = locateLater(value)
    return located.ok ? undefined : located.message
  }
  return {
    key,
    json: Type.String(),
    judge,
    twiml: text => {
      const fault = judge(text)
      return fault === undefined ? { value: text } : { fault }
    },
  }
}

/** Each once. */
export const distinct = (value: readonly string[]): readonly string[] => [...new Set(value)]

/** Names of skills, each once: with spaces or commas between them in TwiML, a list in JSON. */
export const skills: Option<'skills', readonly string[]> = {
  key: 'skills',
  json: Type.Array(Type.String()),
  judge: value => (!Array.isArray(value) || areSkills(distinct(value)) ? undefined : `must be ${skillsRule}`),
  twiml: text => {
    const value = distinct(text.split(/[\s,]+/).filter(part => part !== ''))
    return areSkills(value) ? { value } : unless(text, `must be ${skillsRule}`)
  },
}
