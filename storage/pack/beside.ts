/** What a disk does beside other work: giving much back takes a file system long, and nobody has to wait for it. */

/** Work under way that nobody waits for yet. */
export class Beside {
  readonly #work = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  /** Goes on without waiting. */
  run(work: Promise<void>): void {
    const noted: Promise<void> = work
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#work.delete(noted))
    this.#work.add(noted)
  }

  /** Resolves when all of it is over. @throws the first failure, once */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure.error
  }
}
