/** What is said again and again is said once a minute: a peer that is out of order must not fill a disk. */

/** Between two equal lines, milliseconds. */
const againMs = 60_000
/** Lines that are remembered; the oldest is forgotten. */
const keptMax = 200

/** Remembers what was said lately. */
export class Repeats {
  readonly #said = new Map<string, { atMs: number; times: number }>()

  /**
   * Takes note of a line.
   *
   * @param nowMs - by a clock that only goes forward
   * @returns how often it was left out since it was said; undefined: leave it out
   */
  take(text: string, nowMs: number): number | undefined {
    const said = this.#said.get(text)
    if (said !== undefined && nowMs - said.atMs < againMs) {
      said.times++
      return undefined
    }
    this.#said.delete(text)
    this.#said.set(text, { atMs: nowMs, times: 0 })
    const [oldest] = this.#said.keys()
    if (this.#said.size > keptMax && oldest !== undefined) this.#said.delete(oldest)
    return said?.times ?? 0
  }
}
