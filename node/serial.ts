/** Does asynchronous steps one after another: for changes that must not overlap. */

/** A queue of one: each step starts when the one before has ended, well or badly. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs a step after all that were asked for before it. */
  run<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step, step)
    this.#last = result.catch(() => undefined) // the caller sees the error; the queue goes on
    return result
  }

  /** Resolves when all steps asked for so far have ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
