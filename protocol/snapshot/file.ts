/** File nodes: the lists of the chunks of a long file, in as many levels as it takes (snapshot.md §7). */

import { type CborValue, decodeCbor, encodeCbor } from '../cbor.ts'
import { CellarError } from '../errors.ts'
import { Fields } from '../fields.ts'
import type { ChunkId } from '../ids.ts'
import { entryChunksMax, fileNodeItemsMax, fileNodeLevelsMax, payloadBytesMax } from '../limits.ts'
import type { Content, ContentChunk } from './entry.ts'
import type { EncodedBody } from './tree.ts'

const VERSION = 1
const NODE = { what: 'a file node' }

/** A node has at least this many items, unless the file ends. */
const ITEMS_MIN = 64
/** With the least count before it, a cut comes about every 256 items. */
const CUT_BELOW = Math.floor(2 ** 32 / 192)

/** One node: on level 0 its items are chunks of data, above that nodes of the level below. */
export interface FileNode {
  readonly level: number
  /** In order; `length` is the bytes of content that the item and all below it give. */
  readonly items: readonly ContentChunk[]
  /** All lengths together. */
  readonly bytes: number
}

/**
 * Makes the content of a file from its chunks: named by the entry itself when there are few, in nodes when there are
 * more. Nodes are cut by content, so that a chunk inserted rewrites about one node of each level.
 *
 * @param chunks - in order, at least one
 * @param seal - seals and keeps the body of a chunk of kind `file`
 */
export function buildFileNodes(
  chunks: readonly ContentChunk[],
  seal: (raw: Uint8Array, links: readonly ChunkId[]) => ChunkId,
): Content {
  if (chunks.length === 0) throw new RangeError('a file without data has no content')
  if (chunks.length <= entryChunksMax) return { kind: 'chunks', chunks }
  let items = chunks
  for (let level = 0; level === 0 || items.length > 1; level++) {
    items = cutItems(items).map((part) => {
      const { raw, links } = encodeFileNode(level, part)
      return { id: seal(raw, links), length: sumOf(part) }
    })
  }
  const [top] = items
  return { kind: 'file', chunk: (top as ContentChunk).id }
}

/**
 * Cuts before an item whose id, read as a number, is small: the next place to cut does not depend on what is before.
 */
function cutItems(items: readonly ContentChunk[]): ContentChunk[][] {
  const parts: ContentChunk[][] = []
  let start = 0
  for (const [position, { id }] of items.entries()) {
    const count = position - start
    if (
      count >= fileNodeItemsMax ||
      (count >= ITEMS_MIN && Number.parseInt(id.slice(0, 8), 16) < CUT_BELOW)
    ) {
      parts.push(items.slice(start, position))
      start = position
    }
  }
  parts.push(items.slice(start))
  return parts
}

function sumOf(items: readonly ContentChunk[]): number {
  let bytes = 0
  for (const { length } of items) bytes += length
  return bytes
}

/** Encodes one node; {@link buildFileNodes} decides which. */
export function encodeFileNode(level: number, items: readonly ContentChunk[]): EncodedBody {
  const links: ChunkId[] = []
  const positions = new Map<ChunkId, number>()
  const flat: CborValue[] = []
  for (const { id, length } of items) {
    let position = positions.get(id)
    if (position === undefined) {
      position = links.push(id) - 1
      positions.set(id, position)
    }
    flat.push(position, length)
  }
  return { raw: encodeCbor([VERSION, level, flat]), links }
}

/**
 * Reads one node.
 *
 * @param raw - the body of a chunk of kind `file`, decompressed; borrowed
 * @param links - the links of that chunk
 * @throws {CellarError} `FORMAT_INVALID`, `VERSION_UNKNOWN`
 */
export function decodeFileNode(raw: Uint8Array, links: readonly ChunkId[]): FileNode {
  const fields = new Fields(decodeCbor(raw, { ...NODE, bytesMax: payloadBytesMax, depthMax: 2 }), NODE)
  if (fields.uint() !== VERSION)
    throw new CellarError('VERSION_UNKNOWN', 'a file node is of a version that this program does not know')
  const level = fields.uint(fileNodeLevelsMax - 1)
  const flat = fields.nested()
  fields.end()
  if (flat.left === 0 || flat.left > 2 * fileNodeItemsMax) fields.fail('it has no items or too many')
  const lengthMax = level === 0 ? payloadBytesMax : Number.MAX_SAFE_INTEGER
  const items: ContentChunk[] = []
  while (flat.left > 0) {
    const id = links[flat.uint()] ?? fields.fail('a position is out of range')
    const length = flat.uint(lengthMax)
    if (length === 0) fields.fail('an item is empty')
    items.push({ id, length })
  }
  const bytes = sumOf(items)
  if (!Number.isSafeInteger(bytes)) fields.fail('its lengths are too large')
  return { level, items, bytes }
}

/**
 * Reads the chunks of a long file in order, one node of each level in memory.
 *
 * @param top - the topmost node
 * @param bytes - bytes of content that the entry promises: its size without holes
 * @param load - gives a node
 * @throws {CellarError} `FORMAT_INVALID` when a node is not of the level or length that the one above says
 */
export async function* fileChunks(
  top: ChunkId,
  bytes: number,
  load: (id: ChunkId) => Promise<FileNode>,
): AsyncIterable<ContentChunk> {
  const node = await load(top)
  yield* chunksBelow(node, { level: node.level, bytes }, load)
}

async function* chunksBelow(
  node: FileNode,
  expected: { readonly level: number; readonly bytes: number },
  load: (id: ChunkId) => Promise<FileNode>,
): AsyncIterable<ContentChunk> {
  if (node.level !== expected.level || node.bytes !== expected.bytes) {
    throw new CellarError('FORMAT_INVALID', 'a file node is not what the one above it says', {
      level: node.level,
    })
  }
  if (node.level === 0) {
    yield* node.items
    return
  }
  for (const { id, length } of node.items)
    yield* chunksBelow(await load(id), { level: node.level - 1, bytes: length }, load)
}
