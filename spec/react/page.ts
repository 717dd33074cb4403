// A page to render on, in Node: happy-dom's document, and React's roots on it. What happens on the page is awaited by
// `act`; what happens at the hub meanwhile is the test hub's.

import { Window } from 'happy-dom'
import { act, createElement, type ReactNode, StrictMode } from 'react'
import type { Root } from 'react-dom/client'
import type { Test } from 'tap'
import type { WebSocketConstructor } from '../../src/client/index.js'
import type { Line } from '../../src/testing/index.js'

const window = new Window()
const { document, navigator } = window
for (const [name, value] of Object.entries({ window, document, navigator, IS_REACT_ACT_ENVIRONMENT: true })) {
  Object.defineProperty(globalThis, name, { value, configurable: true })
}
const { createRoot, hydrateRoot } = await import('react-dom/client')

export interface Page {
  /** What is on it, as text. */
  readonly text: string
  /** Clicks the button that says so. */
  click(label: string): Promise<void>
  readonly root: Pick<Root, 'render' | 'unmount'>
  render(what: ReactNode): Promise<void>
  leave(): Promise<void>
}

/** An empty page, or one with `html` from a server that `what` is to take over; `strict` renders all twice, as development does. */
export const openPage = async (
  t: Test,
  { strict = false, html = '', what }: { strict?: boolean; html?: string; what?: ReactNode } = {},
): Promise<Page> => {
  const container = document.createElement('div')
  document.body.append(container)
  container.innerHTML = html
  const dressed = (content: ReactNode) => (strict ? createElement(StrictMode, null, content) : content)
  const root =
    what === undefined
      ? createRoot(container as never)
      : await act(async () => hydrateRoot(container as never, dressed(what)))
  let there = true
  const leave = async () => {
    if (there) await act(async () => root.unmount())
    there = false
  }
  t.teardown(leave)
  return {
    root,
    get text() {
      return String(container.textContent)
    },
    click: label =>
      act(async () => {
        const buttons = [...container.querySelectorAll('button')]
        buttons.find(({ textContent }) => textContent === label)?.click()
      }),
    render: content => act(async () => root.render(dressed(content))),
    leave,
  }
}

/** What React has complained of since it was last asked. */
export const complaints: string[] = []
console.error = (...words: unknown[]) => complaints.push(words.join(' '))

export interface Counted {
  readonly options: Line['options']
  /** How many sockets were opened. */
  opened: number
  /** The types of the frames that were sent, and the destinations they name. */
  readonly sent: string[]
}

/** The options of a line, with an eye on its sockets. */
export const counted = ({ options }: Line): Counted => {
  const sent: string[] = []
  const Socket = options.WebSocket as WebSocketConstructor
  const result: Counted = {
    sent,
    opened: 0,
    options: {
      ...options,
      WebSocket: class extends Socket {
        constructor(...args: ConstructorParameters<WebSocketConstructor>) {
          super(...args)
          result.opened++
        }

        override send(text: string): void {
          const { type, destinations } = JSON.parse(text)
          if (type !== 'ping') sent.push([type, ...(destinations ?? [])].join(' '))
          super.send(text)
        }
      },
    },
  }
  return result
}
