// The sources and the specs as JavaScript in `.built`, folder by folder as they are: each file by itself and without its
// types, which `npm run check` looks at. Only what has changed since the last time is written, and what has no source any
// more goes. Beside them is what a process looks for near its sources, so that `bin` there is the command line.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { root } from '../support/root.js'
import { built } from './built.js'

const filesIn = (folder: string, pattern: RegExp): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .map(String)
        .filter(name => pattern.test(name))
    : []

const changed = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Whole or not at all, since another spec may be reading it. */
const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, text)
  renameSync(`${path}.${process.pid}`, path)
}

const link = (name: string, to: string): void => {
  if (!existsSync(join(built, name))) symlinkSync(to, join(built, name))
}

/** Brings `.built` up to date. */
export const compile = (): void => {
  const config = join(root, 'tsconfig.json')
  const { compilerOptions: told } = ts.readConfigFile(config, ts.sys.readFile).config
  const { options } = ts.convertCompilerOptionsFromJson(told, root)
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, declaration: false }
  const since = Math.max(changed(config), changed(fileURLToPath(import.meta.url)))
  for (const folder of ['src', 'spec']) {
    const wanted = new Set<string>()
    for (const name of filesIn(join(root, folder), /\.tsx?$/)) {
      const from = join(root, folder, name)
      const to = join(built, folder, name.replace(/\.tsx?$/, '.js'))
      wanted.add(to)
      if (changed(to) > Math.max(changed(from), since)) continue
      const { outputText, sourceMapText = '{}' } = ts.transpileModule(readFileSync(from, 'utf8'), {
        compilerOptions,
        fileName: from,
      })
      write(`${to}.map`, JSON.stringify({ ...JSON.parse(sourceMapText), sources: [from] }))
      write(to, outputText)
    }
    for (const name of filesIn(join(built, folder), /\.js$/)) {
      const to = join(built, folder, name)
      if (!wanted.has(to)) for (const path of [to, `${to}.map`]) rmSync(path, { force: true })
    }
  }
  write(join(built, 'bin/switchhook.js'), readFileSync(join(root, 'bin/switchhook.js'), 'utf8'))
  link('dist', 'src')
  link('docs', '../docs')
  link('package.json', '../package.json')
}
