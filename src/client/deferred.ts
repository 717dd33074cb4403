// A promise whose outcome is decided elsewhere. It may go unheard: a rejection that nobody awaits is no fault.

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export const deferred = <T>(): Deferred<T> => {
  let settle: Omit<Deferred<T>, 'promise'> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(() => {})
  return { promise, ...(settle as unknown as Omit<Deferred<T>, 'promise'>) }
}
