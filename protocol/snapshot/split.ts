/** Cuts the entries of a directory into parts by content, so that a change rewrites one of them (snapshot.md §6). */

import { compareBytes } from '../bytes.ts'
import { chunkLinksMax, payloadBytesMax, treeEntriesMax } from '../limits.ts'
import type { Entry } from './entry.ts'

/** A part has at least this many entries, unless its bytes or links end it, or the directory. */
const ENTRIES_MIN = 512
/** With the least count before it, a cut comes about every 2048 entries. */
const CUT_BELOW = Math.floor(2 ** 32 / 1536)
/** Bytes and links of a part are kept to half of what fits, by an estimate that is never too low. */
const WEIGHT_MAX = payloadBytesMax / 2
const LINKS_MAX = chunkLinksMax / 2
/** What the numbers of a row, or an extent, take at most. */
const ROW_BYTES = 128
const PAIR_BYTES = 18

/**
 * Cuts entries into parts, each of which makes one tree chunk.
 *
 * @param entries - in any order; the array is borrowed
 * @returns at least one part, maybe empty; entries sorted by the bytes of their names
 */
export function splitEntries(entries: readonly Entry[]): Entry[][] {
  const sorted = isSorted(entries) ? entries : entries.toSorted((a, b) => compareBytes(a.name, b.name))
  const parts: Entry[][] = []
  let start = 0
  let weight = 0
  let links = 0
  for (const [position, entry] of sorted.entries()) {
    const entryWeight = weightOf(entry)
    const entryLinks = linksOf(entry)
    const count = position - start
    const isFull =
      count >= treeEntriesMax || weight + entryWeight > WEIGHT_MAX || links + entryLinks > LINKS_MAX
    if (count > 0 && (isFull || (count >= ENTRIES_MIN && hashName(entry.name) < CUT_BELOW))) {
      parts.push(sorted.slice(start, position))
      start = position
      weight = 0
      links = 0
    }
    weight += entryWeight
    links += entryLinks
  }
  parts.push(sorted.slice(start))
  return parts
}

function isSorted(entries: readonly Entry[]): boolean {
  let previous: Uint8Array | undefined
  for (const { name } of entries) {
    if (previous !== undefined && compareBytes(previous, name) > 0) return false
    previous = name
  }
  return true
}

/** FNV-1a of the name, then mixed as MurmurHash3 ends, so that the high bits depend on all of it. */
function hashName(name: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Bytes of an entry in a tree, never too few. */
function weightOf(entry: Entry): number {
  // A directory's name stands twice, and owners may be the first of their name.
  let bytes =
    ROW_BYTES + 2 * entry.name.byteLength + 3 * ((entry.user?.length ?? 0) + (entry.group?.length ?? 0))
  bytes +=
    linksOf(entry) * PAIR_BYTES + (entry.holes?.length ?? 0) * PAIR_BYTES + (entry.target?.byteLength ?? 0)
  if (entry.xattrs !== undefined) {
    for (const { name, value } of entry.xattrs) bytes += name.byteLength + value.byteLength + PAIR_BYTES
  }
  return bytes
}

function linksOf({ content, trees }: Entry): number {
  if (content === undefined) return trees?.length ?? 0
  return content.kind === 'chunks' ? content.chunks.length : 1
}
