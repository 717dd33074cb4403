// A promise that is kept from outside, by whoever learns of what was promised.

export interface Promised<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
}

export const promised = <T>(): Promised<T> => {
  let settle: unknown
  const promise = new Promise<T>(resolve => {
    settle = resolve
  })
  return { promise, resolve: settle as (value: T) => void }
}
