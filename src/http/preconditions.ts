// Conditional requests (RFC 9110, section 13): a tag for what was read, and whether a change still builds on it. A tag is
// a digest of what is read, so that the same content has the same one, over a new start of the hub too.

import { hash } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { HubError } from '../errors.js'

/** The headers of a request that changes something. */
export const Guards = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description:
        'The ETag of what was read: the change is made only while it is still so. `*`: only if it is there.',
    }),
  ),
  'if-none-match': Type.Optional(
    Type.String({ description: '`*`: the change is made only if there is nothing yet.' }),
  ),
})

/** The ETag of what is answered. */
export const tagOf = (content: object): string =>
  `"${hash('sha256', JSON.stringify(content), 'base64url').slice(0, 22)}"`

const names = (tags: string, current: string | undefined): boolean =>
  current !== undefined && (tags.trim() === '*' || tags.split(',').some(tag => tag.trim() === current))

/** Throws `conflict` where a request is not meant for what there is: `current` is its tag, undefined if there is none. */
export const guard = (headers: Static<typeof Guards>, current: string | undefined): void => {
  const { 'if-match': match, 'if-none-match': none } = headers
  if (match !== undefined && !names(match, current)) {
    throw new HubError('conflict', 'If-Match names what is not so any more: read it again')
  }
  // Here a weak tag is as good as a strong one.
  if (none !== undefined && names(none.replaceAll('W/"', '"'), current)) {
    throw new HubError('conflict', 'If-None-Match names what is there already')
  }
}
