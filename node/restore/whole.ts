/** Which directories a snapshot has whole: only there may something be missing for certain; pure. */

import { compareBytes } from '../../protocol/index.ts'

const SLASH = 0x2f

/**
 * Says of a path whether it is one that was backed up, or below one. Directories above them are in a snapshot only as
 * the way to them: what else they had is not known. Nor is what is in a directory that stays (see {@link keepNames}).
 *
 * @param kept - paths that stay, with all below them
 */
export function wholeBelow(
  paths: readonly Uint8Array[],
  kept: readonly Uint8Array[],
): (path: Uint8Array) => boolean {
  const stays = new Set(kept.map(textOf))
  const isKept = (path: Uint8Array): boolean => {
    const text = textOf(path)
    for (let end = text.length; end > 0; end = text.lastIndexOf('/', end - 1))
      if (stays.has(text.slice(0, end))) return true
    return false
  }
  return (path) => paths.some((base) => isBelow(path, base)) && !(stays.size > 0 && isKept(path))
}

/** Whether a path is another one, or below it. */
export function isBelow(path: Uint8Array, base: Uint8Array): boolean {
  if (base.length === 1 && base[0] === SLASH) return true
  if (path.length < base.length || compareBytes(path.subarray(0, base.length), base) !== 0) return false
  return path.length === base.length || path[base.length] === SLASH
}

/** The names, in each directory, of what must stay although the snapshot lacks it: paths, and what leads to them. */
export function keepNames(kept: readonly Uint8Array[]): (path: Uint8Array) => readonly Uint8Array[] {
  const names = new Map<string, Map<string, Uint8Array>>()
  for (const path of kept) {
    for (let end = path.length, slash = path.lastIndexOf(SLASH); slash >= 0; ) {
      const parent = textOf(path.subarray(0, Math.max(1, slash)))
      const name = path.subarray(slash + 1, end)
      const known = names.get(parent)
      if (known?.has(textOf(name)) === true) break // and so what leads there
      if (known === undefined) names.set(parent, new Map([[textOf(name), name]]))
      else known.set(textOf(name), name)
      end = slash
      slash = slash === 0 ? -1 : path.lastIndexOf(SLASH, slash - 1)
    }
  }
  return (path) => [...(names.get(textOf(path))?.values() ?? [])]
}

function textOf(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('latin1')
}
