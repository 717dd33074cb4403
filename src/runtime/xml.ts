// XML text as a small tree of elements that know their place, for the languages that are written in it.
// Bounded in size, depth, elements, attributes and references; no DTD, so no entity but the five of XML 1.0.
// The first thing that is not well formed refuses the whole: what follows it can only be guessed at.
//
// A byte order mark is accepted. Comments and processing instructions are as if they were not there, CDATA is
// text. A name in a namespace is written `{uri}local`, so it is never one of a language without namespaces;
// attributes in a namespace, and the declarations of namespaces, are left out.

import { SaxesParser } from 'saxes'
import type { Read } from '../config.js'
import { plain } from './plain.js'

export interface Element {
  readonly name: string
  /** Where its tag begins: `line:column`, from 1 on, the column in UTF-16 units. */
  readonly place: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  /** Its own text, without that of its children and without white space around it. */
  readonly text: string
  /** The same with that of everything in it, in the order of the document. */
  readonly whole: string
}

/** The bounds of one document: `bytes` of UTF-8 text, `depth` of nesting, and how many there may be of the rest. */
export const xmlBounds = {
  bytes: 64 * 1024,
  depth: 16,
  elements: 1000,
  attributes: 64,
  references: 1000,
} as const

/** An element that is being read. */
interface Open extends Element {
  name: string
  readonly attributes: Map<string, string>
  readonly children: Element[]
  text: string
  whole: string
}

/** Says where offsets are that only grow, in one pass over the text. Line ends are those of XML 1.0. */
const placer = (text: string): ((offset: number) => string) => {
  let line = 1
  let lineStart = 0
  let seen = 0
  return offset => {
    for (const end of text.slice(seen, offset).matchAll(/\r\n?|\n/g)) {
      line += 1
      lineStart = seen + end.index + end[0].length
    }
    seen = offset
    return `${line}:${offset - lineStart + 1}`
  }
}

/** What a parser cannot refuse, or only after it has done the work: how much text there is, and of what kind. */
const excess = (text: string): { offset: number; message: string } | undefined => {
  if (Buffer.byteLength(text) > xmlBounds.bytes) {
    return { offset: 0, message: `is larger than ${xmlBounds.bytes} bytes` }
  }
  const lone = text.search(/\p{Surrogate}/u)
  if (lone >= 0) return { offset: lone, message: 'has half of a surrogate pair' }
  const references = [...text.matchAll(/&/g)]
  const last = references[xmlBounds.references]
  return last && { offset: last.index, message: `has more than ${xmlBounds.references} references` }
}

const blank = (part: string): string => ' '.repeat(part.length)

/** An `&` that begins no reference, the commonest fault of all. A parser finds it far behind, or not by name. */
const bareAmpersand = (text: string): number =>
  text
    .replace(/<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>/gs, blank)
    .search(/&(?!(?:#\d+|#x[\da-f]+|[a-z_][\w.-]*);)/i)

/** Reads a document into its root element; refused with one fault, whose path is `line:column`. */
export const readXml = (document: string): Read<Element> => {
  const text = document.replace(/^\uFEFF/, '')
  const placeOf = placer(text)
  const tooMuch = excess(text)
  if (tooMuch !== undefined) {
    return { ok: false, faults: [{ path: placeOf(tooMuch.offset), message: tooMuch.message }] }
  }
  const parser = new SaxesParser({
    xmlns: true,
    position: false,
    forceXMLVersion: true,
    defaultXMLVersion: '1.0',
  })
  const outside: Open = { name: '', place: '', attributes: new Map(), children: [], text: '', whole: '' }
  const open = [outside]
  const top = () => open.at(-1) as Open
  let elements = 0
  let attributes = 0
  const addText = (more: string) => {
    top().text += more
    top().whole += more
  }

  parser.on('doctype', () => parser.fail('a DOCTYPE is not allowed'))
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('opentagstart', ({ name }) => {
    elements += 1
    attributes = 0
    if (elements > xmlBounds.elements) parser.fail(`more than ${xmlBounds.elements} elements`)
    if (open.length > xmlBounds.depth) parser.fail(`elements more than ${xmlBounds.depth} deep`)
    const place = placeOf(text.lastIndexOf('<', parser.position - 1))
    const element: Open = { name, place, attributes: new Map(), children: [], text: '', whole: '' }
    top().children.push(element)
    open.push(element)
  })
  parser.on('attribute', () => {
    attributes += 1
    if (attributes > xmlBounds.attributes) parser.fail(`more than ${xmlBounds.attributes} attributes`)
  })
  parser.on('opentag', tag => {
    const element = top()
    if (tag.uri !== '') element.name = `{${tag.uri}}${tag.local}`
    for (const { name, uri, value } of Object.values(tag.attributes)) {
      if (uri === '') element.attributes.set(name, value)
    }
  })
  parser.on('closetag', () => {
    const element = top()
    element.text = element.text.trim()
    open.pop()
    top().whole += element.whole
    element.whole = element.whole.trim()
  })

  try {
    parser.write(text).close()
  } catch (error) {
    const bare = bareAmpersand(text)
    if (bare >= 0 && bare < parser.position) {
      const path = placer(text)(bare)
      return { ok: false, faults: [{ path, message: 'an & that begins no reference: write &amp;' }] }
    }
    const message = plain((error as Error).message.replace(/\.$/, ''))
    return { ok: false, faults: [{ path: `${parser.line}:${parser.column}`, message }] }
  }
  return { ok: true, value: outside.children[0] as Element }
}
