/** What was found, in order, for one who waits for it; each device and address once. */

import type { FoundDevice } from '../network.ts'

/** Anyone on the local network can send findings: so many wait, later ones are dropped. */
const waitingMax = 64
const seenMax = 1024

/** A queue of findings that ends with a signal. */
export class FoundQueue implements AsyncIterable<FoundDevice> {
  readonly #signal: AbortSignal
  readonly #waiting: FoundDevice[] = []
  readonly #seen = new Set<string>()
  #wake: (() => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
  }

  /** Hands a finding on, unless all its addresses were given already. */
  push(found: FoundDevice): void {
    const addresses = found.addresses.filter((address) => !this.#seen.has(`${found.device} ${address}`))
    if (addresses.length === 0 || this.#waiting.length >= waitingMax || this.#seen.size >= seenMax) return
    for (const address of addresses) this.#seen.add(`${found.device} ${address}`)
    this.#waiting.push({ device: found.device, addresses })
    this.#wake?.()
  }

  /** Gives what is found until the signal is aborted; that is the end, not an error. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FoundDevice> {
    while (!this.#signal.aborted) {
      const found = this.#waiting.shift()
      if (found !== undefined) yield found
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
