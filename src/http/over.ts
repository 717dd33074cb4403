// When an answer is over: it has gone out, or its connection has ended. Node tells of the second only that answer which
// is going out, and none of those that wait behind it on the same connection.

import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What is to be done when a connection ends, with one listener however many requests came over it. */
const ends = new WeakMap<Socket, Set<() => void>>()

const endOf = (socket: Socket): Set<() => void> => {
  const known = ends.get(socket)
  if (known !== undefined) return known
  const tasks = new Set<() => void>()
  ends.set(socket, tasks)
  socket.once('close', () => {
    for (const task of tasks) task()
  })
  return tasks
}

/** Calls `done` once, when the answer is over, or as soon as the function that it returns is called. */
export const whenOver = (request: FastifyRequest, { raw }: FastifyReply, done: () => void): (() => void) => {
  const tasks = endOf(request.raw.socket)
  const over = (): void => {
    raw.off('close', over)
    if (tasks.delete(over)) done()
  }
  tasks.add(over)
  raw.once('close', over)
  return over
}
