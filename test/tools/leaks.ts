/** Looks for plain names and contents where only sealed bytes should be. */

import { Buffer } from 'node:buffer'
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** Something that was found where it should not be. */
export interface Leak {
  readonly file: string
  readonly found: string
}

const blockBytes = 4 * 1024 * 1024

/**
 * Searches all files below a directory, and their names, for byte strings.
 *
 * @param needles - each at least 6 bytes, or chance would find them
 * @returns what was searched through and what was found
 */
export function searchLeaks(
  directory: string,
  needles: readonly Buffer[],
): { readonly files: number; readonly bytes: number; readonly leaks: readonly Leak[] } {
  const leaks: Leak[] = []
  let files = 0
  let bytes = 0
  const longest = Math.max(...needles.map((needle) => needle.length))
  const block = Buffer.alloc(blockBytes + longest)

  const search = (file: string, haystack: Buffer): void => {
    for (const needle of needles) {
      if (haystack.includes(needle)) leaks.push({ file, found: needle.toString('latin1') })
    }
  }
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    search(entry.name, Buffer.from(entry.name))
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const fd = openSync(path, 'r')
    files++
    let kept = 0
    for (;;) {
      const read = readSync(fd, block, kept, blockBytes, null)
      if (read === 0) break
      bytes += read
      search(path, block.subarray(0, kept + read))
      // What may be the head of a needle goes before the next block.
      const tail = Math.min(longest - 1, kept + read)
      block.copyWithin(0, kept + read - tail, kept + read)
      kept = tail
    }
    closeSync(fd)
  }
  return { files, bytes, leaks }
}
