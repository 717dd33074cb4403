// Which instructions a call gets by the number or name it asks for. A route's `to` is exact, a prefix that ends
// in `*`, or a pattern, and the most telling one wins: the exact one; else the longest prefix; else the pattern
// with the longest source (of equals the first); else `*` alone, which takes what nothing else does.
// Patterns are tried one by one, and may match anywhere unless they are anchored: their cost is their author's.
// A call that names one of the tenant's applications has that one's instead.

import type { Read, RouteConfig, TenantConfig } from '../config.js'
import type { Fault } from '../errors.js'
import { checkInline, type InstructionSource } from './instructions/index.js'

/** The route that a call takes. */
export interface Route {
  /** As the configuration has it; a pattern as its source. */
  readonly to: string
  readonly source: InstructionSource
}

export type MatchRoute = (to: string) => Route | undefined

/** Where a tenant's instructions are. */
export interface Routes {
  readonly route: MatchRoute
  /** By the names of its applications. */
  readonly applications: ReadonlyMap<string, InstructionSource>
}

/** Every address that a tenant at `path` has instructions from, each with its path; those that are no addresses are passed over. */
export const addressesOf = (
  { routes, applications }: Pick<TenantConfig, 'routes' | 'applications'>,
  path: string,
): { readonly path: string; readonly url: string }[] =>
  [
    ...routes.map(
      ({ instructions }, index) => [`${path}.routes[${index}].instructions`, instructions] as const,
    ),
    ...[...applications].map(
      ([name, instructions]) => [`${path}.applications.${name}`, instructions] as const,
    ),
  ].flatMap(([at, instructions]) => {
    const source = checkInline(instructions, at)
    if (!source.ok || source.value.kind !== 'url') return []
    const { url, fallbackUrl } = source.value
    return [
      { path: at, url },
      ...(fallbackUrl === undefined ? [] : [{ path: `${at}.fallbackUrl`, url: fallbackUrl }]),
    ]
  })

/**
 * Compiles a tenant's routes. Every fault comes at once, at a path below `path` (`tenants.acme.routes`); files are
 * looked for in `dir`. The patterns are valid regular expressions: the configuration is checked for that.
 */
export const compileRoutes = (
  routes: readonly RouteConfig[],
  path: string,
  dir: string,
): Read<MatchRoute> => {
  const faults: Fault[] = []
  const exact = new Map<string, Route>()
  const prefixes = new Map<string, Route>()
  const patterns: { readonly expression: RegExp; readonly route: Route }[] = []

  routes.forEach(({ to, instructions }, index) => {
    const at = `${path}[${index}]`
    const source = checkInline(instructions, `${at}.instructions`, dir)
    if (!source.ok) {
      faults.push(...source.faults)
    } else if (typeof to !== 'string') {
      patterns.push({
        expression: new RegExp(to.pattern),
        route: { to: to.pattern, source: source.value },
      })
    } else {
      const [among, key] = to.endsWith('*') ? [prefixes, to.slice(0, -1)] : [exact, to]
      if (among.has(key)) faults.push({ path: `${at}.to`, message: `${to} is there twice` })
      among.set(key, { to, source: source.value })
    }
  })
  if (faults.length > 0) return { ok: false, faults }

  patterns.sort((a, b) => b.route.to.length - a.route.to.length)
  const longestPrefix = (to: string): Route | undefined => {
    for (let length = to.length; length > 0; length--) {
      const route = prefixes.get(to.slice(0, length))
      if (route !== undefined) return route
    }
    return undefined
  }
  return {
    ok: true,
    value: to =>
      exact.get(to) ??
      longestPrefix(to) ??
      patterns.find(({ expression }) => expression.test(to))?.route ??
      prefixes.get(''),
  }
}

/** Reads a tenant's applications, as `compileRoutes` does its routes. */
export const compileApplications = (
  applications: TenantConfig['applications'],
  path: string,
  dir: string,
): Read<Routes['applications']> => {
  const sources = new Map<string, InstructionSource>()
  const faults: Fault[] = []
  for (const [name, instructions] of applications) {
    const source = checkInline(instructions, `${path}.${name}`, dir)
    if (source.ok) sources.set(name, source.value)
    else faults.push(...source.faults)
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: sources }
}
