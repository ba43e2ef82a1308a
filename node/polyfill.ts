/**
 * Gives Node 20 what libp2p 3 asks of newer ones. The first import of every entry point and worker
 * that loads libp2p.
 */

interface WithResolvers {
  withResolvers?: <T>() => PromiseWithResolvers<T>
}

const constructor = Promise as unknown as WithResolvers
constructor.withResolvers ??= <T>(): PromiseWithResolvers<T> => {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (reason?: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
