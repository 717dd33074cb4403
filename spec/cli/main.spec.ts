import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const main = fileURLToPath(new URL(`../../src/cli/main${extname(import.meta.url)}`, import.meta.url))

const start = (...args: string[]) => {
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

const textOf = async (stream: ChildProcess['stdout']): Promise<string> => {
  let text = ''
  for await (const chunk of stream!) text += chunk
  return text
}

t.test('the process ends with the exit code of its command, and no stack trace', async t => {
  const child = start('serve', '--config', 'missing.json')
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ])
  t.strictSame(
    { stdout, stderr, code },
    {
      stdout: '',
      stderr: 'switchhook: missing.json cannot be read (ENOENT)\n',
      code: 2,
    },
  )
})

t.test('[FC5] the process drains on SIGTERM, even if nobody reads what it says', async t => {
  const child = start('serve', '--dev', '--json', '--port', '0')
  const exit = once(child, 'exit')
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer]
  const { url, pid } = JSON.parse(String(chunk))
  t.equal(pid, child.pid)
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  child.stdout!.destroy()
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
})

t.test('[FC5] a reader that is gone before the first line is no fault', async t => {
  const child = start('config', '--print')
  child.stdout!.destroy()
  const [stderr, [code]] = await Promise.all([textOf(child.stderr), once(child, 'exit') as Promise<[number]>])
  t.strictSame({ stderr, code }, { stderr: '', code: 0 })
})
