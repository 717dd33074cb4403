// The hub's directory at run time, for administrators: groups and their members. What was read comes with its ETag; a
// change that names one is refused (`conflict`) where somebody else was faster.

import type { GroupConfig, GroupInput, MemberConfig, MemberInput } from '../config.js'
import type { Plain } from './frames.js'

/** A group, every value filled in, and whether it is so because that was said at run time. */
export type GroupView = Plain<GroupConfig> & { readonly group: string; readonly changed: boolean }
export type MemberView = Plain<MemberConfig>
/** All of a group: what is absent has its default. */
export type GroupChange = GroupInput
/** All that is said of a member: what is absent has its default. */
export type MemberChange = Omit<MemberInput, 'account'>

export interface GroupSummary {
  readonly group: string
  readonly strategy: string
  readonly open: boolean
  /** How many accounts it lists, and how many of those are paused. */
  readonly members: number
  readonly paused: number
  readonly changed: boolean
}

/** What was read, and by what a change may name it. */
export interface Tagged<T> {
  readonly value: T
  readonly etag: string
}

/** The change is made only if it is so: `ifMatch` is the ETag of what was read, or `*`; `ifNoneMatch: '*'` is that there is none. */
export interface Guards {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

interface Request {
  readonly method?: string
  readonly query?: object
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string | undefined>>
}

const pathOf = (group: string, ...rest: readonly string[]): string =>
  ['/v1/groups', group, ...rest].map((part, at) => (at === 0 ? part : encodeURIComponent(part))).join('/')

const headersOf = ({ ifMatch, ifNoneMatch }: Guards) => ({
  'if-match': ifMatch,
  'if-none-match': ifNoneMatch,
})

const tagged = async <T>(response: Response): Promise<Tagged<T>> => ({
  value: (await response.json()) as T,
  etag: String(response.headers.get('etag')),
})

/** `/v1/groups` of one hub; the token must have `admin`. */
export class Groups {
  readonly #send: (path: string, request: Request) => Promise<Response>

  constructor(send: (path: string, request: Request) => Promise<Response>) {
    this.#send = send
  }

  /** By name, a page at a time. */
  async list(
    query: { readonly limit?: number | undefined; readonly cursor?: string | undefined } = {},
  ): Promise<{ groups: GroupSummary[]; cursor?: string }> {
    const response = await this.#send('/v1/groups', { query })
    return (await response.json()) as { groups: GroupSummary[]; cursor?: string }
  }

  async read(group: string): Promise<Tagged<GroupView>> {
    return tagged(await this.#send(pathOf(group), {}))
  }

  /** Makes a group, or all of it anew. */
  async put(group: string, body: GroupChange, guards: Guards = {}): Promise<Tagged<GroupView>> {
    return tagged(await this.#send(pathOf(group), { method: 'PUT', body, headers: headersOf(guards) }))
  }

  /** Removes a group, one of the configuration too. */
  async remove(group: string, guards: Guards = {}): Promise<void> {
    await this.#send(pathOf(group), { method: 'DELETE', headers: headersOf(guards) })
  }

  /** Takes back what was said of a group at run time: it is as the configuration has it. */
  async reset(group: string, guards: Guards = {}): Promise<Tagged<GroupView>> {
    return tagged(
      await this.#send(pathOf(group, 'changes'), { method: 'DELETE', headers: headersOf(guards) }),
    )
  }

  async member(group: string, account: string): Promise<Tagged<MemberView>> {
    return tagged(await this.#send(pathOf(group, 'members', account), {}))
  }

  /** Puts an account into a group, or says anew what it is there. */
  async putMember(
    group: string,
    account: string,
    body: MemberChange = {},
    guards: Guards = {},
  ): Promise<Tagged<MemberView>> {
    const path = pathOf(group, 'members', account)
    return tagged(await this.#send(path, { method: 'PUT', body, headers: headersOf(guards) }))
  }

  async removeMember(group: string, account: string, guards: Guards = {}): Promise<void> {
    await this.#send(pathOf(group, 'members', account), { method: 'DELETE', headers: headersOf(guards) })
  }
}
