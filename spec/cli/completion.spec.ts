import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTerminal } from '../support/terminal.js'

const scriptFor = async (t: Test, shell: string): Promise<string> => {
  const terminal = createTerminal()
  t.equal(await terminal.run('completion', shell), 0)
  return terminal.stdout.text
}

/** What a real bash offers after this line; its last word is the one that is being typed. */
const offered = (file: string, typed: string, cwd: string): string[] => {
  const words = typed.split(' ')
  const script = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _switchhook; printf '%s\\n' "\${COMPREPLY[@]}"`
  const said = execFileSync('bash', ['--norc', '-c', script, file, ...words], { cwd, encoding: 'utf8' })
  return said.split('\n').filter(word => word !== '')
}

t.test('a real bash completes commands, their options and what these take', async t => {
  const dir = t.testdir({ switchhook: await scriptFor(t, 'bash'), 'hub one.json': '', 'hub.json': '' })
  const offers = (typed: string) => offered(join(dir, 'switchhook'), typed, dir)
  t.match(
    execFileSync('bash', ['--norc', '-c', 'source "$0"; complete -p switchhook', join(dir, 'switchhook')], {
      encoding: 'utf8',
    }),
    /-F _switchhook switchhook/,
  )
  const all = offers('switchhook ')
  for (const name of [
    'serve',
    'token',
    'phone',
    'call',
    'watch',
    'simulate',
    'demo',
    'config',
    'explain',
    'completion',
    'group',
    'help',
    '--version',
  ]) {
    t.ok(all.includes(name), name)
  }
  t.same(offers('switchhook s').sort(), ['serve', 'simulate'])
  t.same(offers('switchhook serve --lo'), ['--log-level'])
  t.same(offers('switchhook serve --log-level de'), ['debug'])
  t.same(offers('switchhook serve --json --config hub').sort(), ['hub one.json', 'hub.json'])
  t.same(offers('switchhook serve --port '), [], 'nobody can guess a port')
  // Bash takes `--log-level=de` for three words.
  t.same(offers('switchhook serve --log-level = de'), ['debug'])
  t.same(offers('switchhook phone --status =').sort(), ['available', 'away', 'busy', 'dnd'])
  t.same(offers('switchhook token --check --sec').sort(), ['--secret', '--secret-file'])
  t.same(offers('switchhook token --alg ES'), ['ES256'])
  t.same(offers('switchhook completion z'), ['zsh'])
  t.same(offers('switchhook help dem'), ['demo'])
  t.same(offers('switchhook group re').sort(), ['remove', 'reset', 'resume'])
  t.same(offers('switchhook group pause support alice --rea'), ['--reason'])
  t.same(offers('switchhook group set support --strategy long'), ['longest-idle'])
  t.same(offers('switchhook nonsense '), [])
})

t.test('the scripts for zsh and fish have every command and option, and are well-formed', async t => {
  const program = createTerminal()
  await program.run('completion', 'bash', '--json')
  t.match(program.stdout.events, [{ event: 'completion', shell: 'bash', script: /^# Completion/ }])
  for (const shell of ['zsh', 'fish']) {
    const script = await scriptFor(t, shell)
    t.match(script, /'?serve/)
    t.match(script, /log-level/)
    t.match(script, /trace debug info/)
    t.notMatch(script, '\\u{', 'nothing in it was escaped for the screen')
    // `-n` reads a script and does nothing; where the shell is not there, its quotes are counted instead.
    const file = join(t.testdir({ [shell]: script }), shell)
    const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
    if (error === undefined) t.equal(status, 0, stderr)
    else
      t.equal((script.replace(/\\'|'\\''/g, '').match(/'/g) ?? []).length % 2, 0, `${shell}: quotes in pairs`)
  }
})

t.test('an unknown shell is refused', async t => {
  const terminal = createTerminal()
  t.equal(await terminal.run('completion', 'tcsh'), 2)
  t.match(terminal.stderr.text, /'tcsh' is invalid.*Allowed choices are bash, zsh, fish/)
})
