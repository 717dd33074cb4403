// The structure, held by reading the sources: which room may import which, that rooms are entered by their doors,
// and what the pure ones leave to others.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import t from 'tap'

const root = 'src'

interface Import {
  readonly from: string
  /** Relative to src, or a package's name. */
  readonly to: string
  readonly typeOnly: boolean
}

const files = readdirSync(root, { recursive: true })
  .map(String)
  .filter(name => /\.tsx?$/.test(name))
  .sort()

const text = (file: string): string => readFileSync(join(root, file), 'utf8')

const importsOf = (file: string): Import[] =>
  [
    ...text(file).matchAll(
      /^(?:import|export)\s+(type\s)?[^'"]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map(([, typeOnly, named, bare, dynamic]) => {
    const to = named ?? bare ?? dynamic ?? ''
    const target = to.startsWith('.')
      ? relative(root, normalize(join(root, dirname(file), to))).replace(/\.js$/, '.ts')
      : to
    return { from: file, to: target, typeOnly: typeOnly !== undefined }
  })

const roomOf = (file: string): string => file.split('/')[0] as string
const imports = files.flatMap(importsOf)
const inner = imports.filter(({ to }) => to.endsWith('.ts'))
const crossing = inner.filter(({ from, to }) => roomOf(from) !== roomOf(to))

const everywhere = ['errors.ts', 'config.ts', 'runtime']
/** Room -> the rooms it may enter, besides those open to all. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'config.ts': [
    'config-schema.ts',
    'config-limits.ts',
    'config-options.ts',
    'config-reading.ts',
    'config-keys.ts',
    'config-sip.ts',
    'protocol',
  ],
  'config-schema.ts': ['config-forms.ts', 'config-limits.ts'],
  'config-limits.ts': ['config-forms.ts'],
  'config-forms.ts': [],
  'config-options.ts': [],
  'config-reading.ts': ['config-schema.ts', 'protocol'],
  'config-keys.ts': ['config-schema.ts', 'config-reading.ts'],
  'config-sip.ts': ['config-schema.ts', 'config-reading.ts'],
  'error-guide.ts': ['protocol', 'router', 'client'],
  'inspection.ts': ['egress', 'gateway/token', 'limits', 'router', 'store'],
  'index.ts': ['hub.ts', 'gateway/token', 'protocol'],
  'hub.ts': [
    'directory',
    'gateway',
    'gateway/token',
    'http',
    'presence',
    'router',
    'store',
    'protocol',
    'egress',
    'limits',
    'webhooks',
  ],
  'core.ts': ['presence', 'router', 'limits', 'protocol'],
  runtime: [],
  limits: [],
  protocol: [],
  store: ['protocol'],
  directory: ['protocol', 'store', 'limits'],
  presence: ['protocol', 'store', 'limits'],
  egress: ['limits'],
  router: ['presence', 'protocol', 'egress', 'limits', 'store'],
  webhooks: ['presence', 'protocol', 'egress', 'limits', 'store'],
  gateway: ['router', 'presence', 'protocol', 'egress', 'limits'],
  http: ['router', 'presence', 'directory', 'protocol', 'limits', 'gateway/token', 'store'],
  client: ['protocol'],
  cli: ['hub.ts', 'core.ts', 'inspection.ts', 'error-guide.ts', 'client', 'gateway/token'],
  react: ['client'],
  testing: ['hub.ts', 'client', 'gateway/token'],
}

/** `gateway/token/index.ts` is the door of `gateway/token`; a file at the top is its own. */
const doorOf = (to: string): string | undefined => {
  if (!to.includes('/')) return to
  return to.endsWith('/index.ts') ? dirname(to) : undefined
}

t.test('every room is known', async t => {
  t.same(new Set(files.map(roomOf)), new Set(Object.keys(arrows)))
})

t.test('rooms are entered by their doors', async t => {
  t.same(
    crossing.filter(({ to }) => doorOf(to) === undefined),
    [],
  )
})

t.test('arrows run only as drawn', async t => {
  const allowed = ({ from, to }: Import): boolean => {
    const door = doorOf(to) as string
    return everywhere.includes(door) || (arrows[roomOf(from)] ?? []).includes(door)
  }
  t.same(
    crossing.filter(each => !allowed(each)),
    [],
  )
})

t.test('the client takes nothing but types from outside its room, and no package at all', async t => {
  t.same(
    imports.filter(
      ({ from, to, typeOnly }) =>
        roomOf(from) === 'client' &&
        roomOf(to) !== 'client' &&
        !typeOnly &&
        to !== '' &&
        !to.startsWith('client/'),
    ),
    [],
  )
})

/** Which packages a room may use. */
const packages: Readonly<Record<string, RegExp>> = {
  'config.ts': /^node:(fs|path)$/,
  'config-schema.ts': /^typebox$/,
  'config-forms.ts': /^typebox$/,
  'config-options.ts': /^typebox$/,
  'config-reading.ts': /^(typebox|node:(fs|path))$/,
  'config-keys.ts': /^typebox$/,
  'config-sip.ts': /^typebox$/,
  'hub.ts': /^node:(crypto|stream|util)$/,
  runtime: /^(typebox(\/.*)?|saxes|node:(net|v8))$/,
  limits: /^(lru-cache|node:(fs|http|net))$/,
  egress: /^(undici|lru-cache|node:(crypto|dns|net|stream))$/,
  protocol: /^typebox$/,
  store: /^(typebox|node:(crypto|fs\/promises|path|zlib))$/,
  presence: /^xstate$/,
  router: /^(xstate|typebox|lru-cache|node:(crypto|fs|path))$/,
  gateway: /^(ws|jose|lru-cache|typebox|node:(crypto|http|stream|net))$/,
  http: /^(fastify|typebox|lru-cache|prom-client|node:(http|https|stream|net|crypto|events))$/,
  cli: /^(commander|pino|ws|node:.*)$/,
  react: /^react$/,
  testing: /^(ws|undici|node:(http|net|stream))$/,
}

t.test('each room keeps to its own packages: presence has neither sockets nor HTTP', async t => {
  t.same(
    imports.filter(({ from, to }) => !to.endsWith('.ts') && !packages[roomOf(from)]?.test(to)),
    [],
  )
})

t.test(
  'time and chance are injected: no timer, clock or dice of the platform in the rooms that decide',
  async t => {
    const platform = /\b(setTimeout|setInterval|Date\.now|performance\.now|Math\.random|new Date\(\))/
    const deciding = [
      'presence',
      'directory',
      'router',
      'gateway',
      'protocol',
      'http',
      'store',
      'egress',
      'webhooks',
    ]
    t.same(
      files.filter(
        file =>
          deciding.includes(roomOf(file)) && platform.test(text(file).replace(/^\s*(\/\/|\*).*$/gm, '')),
      ),
      [],
    )
  },
)

t.test("the environment is read in config.ts, and by the command line's entry", async t => {
  t.same(
    files.filter(file => /process\.(env|argv)/.test(text(file))),
    ['cli/main.ts', 'config.ts'],
  )
})

t.test('every file says in its head what it owns', async t => {
  t.same(
    files.filter(file => !text(file).startsWith('// ') && !text(file).startsWith('#!')),
    [],
  )
})

t.test('no default exports, and no file that is about nothing', async t => {
  t.same(
    files.filter(
      file =>
        /^export default/m.test(text(file)) || /(^|\/)(utils?|helpers?|types|misc|common)\.ts$/.test(file),
    ),
    [],
  )
})
