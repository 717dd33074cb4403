// Many devices of the voice SDK in a process of their own: all register, the first half calls the second, and then
// they are left to themselves, through whatever becomes of the hub. Says how far they are in JSON lines.
// Arguments: the hub's port, and how many.

import { tokenOf } from './hub.js'
import { type SdkCall, type SdkDevice, sdkDevice, sockets } from './voice-sdk.js'

const [port = '', size = '0'] = process.argv.slice(2)
const count = Number(size)

const say = (event: string, facts: object = {}): void =>
  void process.stdout.write(`${JSON.stringify({ event, attempts: sockets.length, ...facts })}\n`)

/** Settles when it was called so many times. */
const times = (wanted: number): { one: () => void; all: Promise<void> } => {
  let left = wanted
  let done = (): void => {}
  const all = new Promise<void>(resolve => {
    done = resolve
  })
  return {
    all,
    one() {
      if (--left === 0) done()
    },
  }
}

const refused: Record<number, number> = {}
const devices: SdkDevice[] = []
for (let index = 0; index < count; index++) {
  const device = sdkDevice(await tokenOf(`a${index}`), port)
  device.on('error', ({ code }: { code: number }) => {
    refused[code] = (refused[code] ?? 0) + 1
  })
  devices.push(device)
}
await Promise.all(devices.map(device => device.register()))
say('registered', { refused })

const accepted = times(count)
const over = times(count)
const watch = (call: SdkCall): void => {
  call.on('error', () => {})
  call.once('accept', accepted.one)
  call.once('disconnect', over.one)
}
for (const device of devices.slice(count / 2)) {
  device.on('incoming', (call: SdkCall) => {
    watch(call)
    call.accept()
  })
}
for (let index = 0; index < count / 2; index++) {
  const call = await devices[index]!.connect({ params: { To: `a${index + count / 2}` } })
  watch(call)
}
await accepted.all
const again = times(count)
for (const device of devices) device.once('registered', again.one)
say('talking', { refused })

await again.all
say('again', { refused })
await over.all
say('over')
