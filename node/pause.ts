/** Lets others have the thread: for long work that is made of sync calls. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
