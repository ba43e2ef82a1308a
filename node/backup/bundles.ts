/** Decides which small files share a bundle, before any is read (node/spec/backup.md §4); pure. */

/** Files below this many bytes go to bundles. */
export const BUNDLE_FILE_BYTES_MAX = 512 * 1024

/** A bundle is never larger, unless a file grew while it was read. */
export const BUNDLE_BYTES_MAX = 2 * 1024 * 1024

/** Nor has it more files. */
const FILES_MAX = 8192

/**
 * How likely a bundle ends after a file, by its bytes so far: rarely at half a mebibyte, ever more often towards
 * two, so that sizes gather around one and ends depend on names wherever they can.
 */
const ENDS: readonly { readonly fromBytes: number; readonly oneIn: number }[] = [
  { fromBytes: 512 * 1024, oneIn: 128 },
  { fromBytes: 768 * 1024, oneIn: 32 },
  { fromBytes: 1024 * 1024, oneIn: 8 },
  { fromBytes: 1536 * 1024, oneIn: 2 },
]

/** A keyed hash of the names of a file and its directory, 0..2^32-1. */
export function nameHash(table: Uint32Array, directory: Uint8Array, name: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of directory) hash = Math.imul(hash ^ (table[byte] as number), 0x01000193)
  hash = Math.imul(hash ^ 0x2f, 0x01000193)
  for (const byte of name) hash = Math.imul(hash ^ (table[byte] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Gathers files until a bundle is full. */
export class BundleCutter<T> {
  #files: T[] = []
  #bytes = 0

  /**
   * Takes the next file, in walk order.
   *
   * @param bytes - its size, 1..`BUNDLE_FILE_BYTES_MAX`
   * @param hash - of its name, see {@link nameHash}
   * @returns the bundles that are now complete: none, one, or two
   */
  add(file: T, bytes: number, hash: number): T[][] {
    const done: T[][] = []
    if (this.#files.length > 0 && (this.#bytes + bytes > BUNDLE_BYTES_MAX || this.#files.length >= FILES_MAX))
      done.push(this.take())
    this.#files.push(file)
    this.#bytes += bytes
    const end = ENDS.findLast(({ fromBytes }) => this.#bytes >= fromBytes)
    if (end !== undefined && hash < 2 ** 32 / end.oneIn) done.push(this.take())
    return done
  }

  /** Ends the bundle begun; empty when there is none. */
  take(): T[] {
    const files = this.#files
    this.#files = []
    this.#bytes = 0
    return files
  }
}
