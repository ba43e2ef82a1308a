/** Vectors of file nodes (snapshot.md §7). */

import {
  type CborValue,
  type ChunkId,
  type ContentChunk,
  encodeCbor,
  encodeFileNode,
} from '../../../protocol/index.ts'
import { toPlainJson, type Vector } from '../format.ts'

const ID = (pair: string): ChunkId => pair.repeat(32) as ChunkId
const LINKS = [ID('11'), ID('22')]

function good(name: string, level: number, items: readonly ContentChunk[], comment: string): Vector {
  const { raw, links } = encodeFileNode(level, items)
  const header = { spec: 'snapshot.md S7.1 S7.2 S7.3', expect: 'success', comment, links: links.join(' ') }
  return { name, header: { ...header, level: String(level), items: toPlainJson(items) }, body: raw }
}

function bad(name: string, rule: string, reason: string, node: CborValue, expect = 'FORMAT_INVALID'): Vector {
  return {
    name,
    header: { spec: `snapshot.md ${rule}`, expect, reason, links: LINKS.join(' ') },
    body: encodeCbor(node),
  }
}

/** All vectors of file nodes. */
export function fileVectors(): Vector[] {
  const many = Array.from({ length: 2 * 1025 }, (_, position) => (position % 2 === 0 ? 0 : 1))
  const items = [
    { id: ID('11'), length: 1_048_576 },
    { id: ID('22'), length: 70_000 },
    { id: ID('11'), length: 1_048_576 },
  ]
  return [
    good('chunks', 0, items, 'three chunks of data, one of them twice: two links'),
    good(
      'nodes',
      1,
      [
        { id: ID('22'), length: 2 ** 40 },
        { id: ID('33'), length: 5 },
      ],
      'two nodes of level 0',
    ),
    bad('version-unknown', 'S7.1', 'a version', [2, 0, [0, 1]], 'VERSION_UNKNOWN'),
    bad('level-too-high', 'S7.1', 'a number is out of range', [1, 8, [0, 1]]),
    bad('field-added', 'S7.1', 'too many fields', [1, 0, [0, 1], 0]),
    bad('no-items', 'S7.2', 'it has no items or too many', [1, 0, []]),
    bad('items-too-many', 'S7.2', 'it has no items or too many', [1, 0, many]),
    bad('length-missing', 'S7.2', 'a field is missing', [1, 0, [0]]),
    bad('position-beyond', 'S7.2', 'a position is out of range', [1, 0, [2, 1]]),
    bad('item-empty', 'S7.3', 'an item is empty', [1, 0, [0, 0]]),
    bad('chunk-too-long', 'S7.3', 'a number is out of range', [1, 0, [0, 4_194_305]]),
    bad('sum-too-large', 'S7.3', 'its lengths are too large', [1, 1, [0, Number.MAX_SAFE_INTEGER, 1, 1]]),
  ]
}
