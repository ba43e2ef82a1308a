/** Lets one task through at a time, in the order they came. */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs a task when all before it are over; its failure is its caller's alone. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task)
    this.#last = result.catch(() => undefined)
    return result
  }
}
