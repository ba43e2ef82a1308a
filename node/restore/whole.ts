/** Which directories a snapshot has whole: only there may something be missing for certain; pure. */

import { compareBytes } from '../../protocol/index.ts'

const SLASH = 0x2f

/**
 * Says of a path whether it is one that was backed up, or below one. Directories above them are in a snapshot only as
 * the way to them: what else they had is not known.
 */
export function wholeBelow(paths: readonly Uint8Array[]): (path: Uint8Array) => boolean {
  return (path) =>
    paths.some((base) => {
      if (base.length === 1 && base[0] === SLASH) return true
      if (path.length < base.length || compareBytes(path.subarray(0, base.length), base) !== 0) return false
      return path.length === base.length || path[base.length] === SLASH
    })
}

/** The names, in each directory, of what could not be read when it was backed up. */
export function keepNames(unread: readonly Uint8Array[]): (path: Uint8Array) => readonly Uint8Array[] {
  const names = new Map<string, Uint8Array[]>()
  for (const path of unread) {
    const slash = path.lastIndexOf(SLASH)
    const parent = Buffer.from(path.subarray(0, Math.max(1, slash))).toString('latin1')
    const known = names.get(parent)
    const name = path.subarray(slash + 1)
    if (known === undefined) names.set(parent, [name])
    else known.push(name)
  }
  return (path) => names.get(Buffer.from(path).toString('latin1')) ?? []
}
