import assert from 'node:assert/strict'
import {
  type ChunkId,
  type ContentChunk,
  decodeFileNode,
  decodeRoot,
  decodeTree,
  encodeFileNode,
  encodeRoot,
  encodeTree,
  type Entry,
  type SnapshotRoot,
  toHex,
} from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, fromPlainJson, readVectors, toPlainJson, type Vector, words } from './format.ts'

/** Runs the vectors of one folder: what is good reads as it should and is written again to the same bytes. */
function run(
  folder: string,
  keys: readonly string[],
  check: (vector: Vector, links: ChunkId[]) => void,
): void {
  describe(`vectors of ${folder}`, () => {
    for (const vector of readVectors(folder, ['links', ...keys])) {
      const links = words(vector, 'links') as ChunkId[]
      if (field(vector, 'expect') === 'success') {
        it(`reads ${vector.name} and writes it again to the same bytes`, () => {
          check(vector, links)
        })
      } else {
        it(`refuses ${vector.name}`, () => {
          assertRefuses(vector, () => {
            check(vector, links)
          })
        })
      }
    }
  })
}

/** Objects are compared as JSON with sorted keys: the order of fields means nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

function assertSame(found: unknown, expected: string): void {
  assert.deepEqual(sorted(JSON.parse(toPlainJson(found))), sorted(JSON.parse(expected)))
}

run('tree', ['digest', 'entries'], (vector, links) => {
  const view = decodeTree(vector.body, links)
  const entries = view.entries()
  const expected = field(vector, 'entries')
  assertSame(entries, expected)
  assert.equal(toHex(view.digest), field(vector, 'digest'))
  assert.equal(view.count, entries.length)
  const again = encodeTree(fromPlainJson(expected) as Entry[])
  assert.equal(toHex(again.raw), toHex(vector.body))
  assert.deepEqual(again.links, links)
})

run('file', ['level', 'items'], (vector, links) => {
  const node = decodeFileNode(vector.body, links)
  assertSame(node.items, field(vector, 'items'))
  assert.equal(String(node.level), field(vector, 'level'))
  const again = encodeFileNode(node.level, JSON.parse(field(vector, 'items')) as ContentChunk[])
  assert.equal(toHex(again.raw), toHex(vector.body))
  assert.deepEqual(again.links, links)
})

run('root', ['root'], (vector, links) => {
  const root = decodeRoot(vector.body, links)
  assertSame(root, field(vector, 'root'))
  const again = encodeRoot(fromPlainJson(field(vector, 'root')) as SnapshotRoot)
  assert.equal(toHex(again.raw), toHex(vector.body))
  assert.deepEqual(again.links, links)
})
