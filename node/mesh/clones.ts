/** Sees when one device key runs twice: a program that is gone never says hello again (mesh.md §2). Pure. */

import type { DeviceId } from '../../protocol/index.ts'

/** Starts of one device that are remembered. */
const startsMax = 8
/** A hello of a dead program may have been under way once; two that live take each other's place again and again. */
const returnsMin = 2

interface Starts {
  current: string
  /** Those whose place was taken, the newest last. */
  past: string[]
  returns: number
}

/** The instances that devices have said hello with. */
export class Clones {
  readonly #starts = new Map<DeviceId, Starts>()

  /**
   * Notes a hello.
   *
   * @param device - a member, so that strangers fill nothing
   * @param instance - drawn anew at each start of the program
   * @returns whether two programs are running with the key of this device
   */
  note(device: DeviceId, instance: string): boolean {
    const starts = this.#starts.get(device)
    if (starts === undefined) {
      this.#starts.set(device, { current: instance, past: [], returns: 0 })
      return false
    }
    if (starts.current === instance) return false
    if (starts.past.includes(instance)) starts.returns += 1
    starts.past = [...starts.past.filter((one) => one !== instance), starts.current].slice(-startsMax)
    starts.current = instance
    return starts.returns >= returnsMin && starts.past.length > 0
  }
}
