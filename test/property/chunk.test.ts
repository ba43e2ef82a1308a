import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type ChunkId,
  chunkHeader,
  chunkIdOf,
  deriveVaultKeys,
  isCellarError,
  openChunk,
  openVerifiedChunk,
  type Payload,
  portablePrimitives,
  sealChunk,
  toHex,
} from '../../protocol/index.ts'

const KEYS = deriveVaultKeys(new Uint8Array(32).fill(1))

const links = fc
  .uniqueArray(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 5, selector: toHex })
  .map((ids) => ids.map((id) => toHex(id) as ChunkId))

const payload = fc
  .record({
    kind: fc.constantFrom('data', 'bundle', 'tree', 'file', 'root'),
    codec: fc.constantFrom('raw', 'zstd'),
    body: fc.uint8Array({ maxLength: 500 }),
    saved: fc.integer({ min: 1, max: 4_000_000 }),
  })
  .map(({ saved, ...rest }): Payload => {
    return { ...rest, rawBytes: rest.codec === 'raw' ? rest.body.byteLength : rest.body.byteLength + saved }
  })

describe('chunks', () => {
  it('open to what was sealed, by either implementation, and are the same bytes every time', () => {
    fc.assert(
      fc.property(payload, links, (given, ids) => {
        const chunk = sealChunk(KEYS, given, ids)
        assert.equal(toHex(sealChunk(KEYS, given, ids, portablePrimitives)), toHex(chunk))
        for (const opened of [
          openChunk(KEYS, chunk),
          openVerifiedChunk(KEYS, chunk),
          openChunk(KEYS, chunk, portablePrimitives),
        ]) {
          assert.equal(toHex(opened.body), toHex(given.body))
          assert.deepEqual({ ...opened, body: 0 }, { ...given, body: 0, links: ids })
        }
        assert.deepEqual(chunkHeader(chunk), { vault: KEYS.vault, links: ids })
      }),
    )
  })

  it('do not open once any one bit is changed', () => {
    fc.assert(
      fc.property(payload, links, fc.nat(), (given, ids, place) => {
        const chunk = sealChunk(KEYS, given, ids)
        const id = chunkIdOf(chunk)
        const bit = place % (chunk.byteLength * 8)
        chunk[bit >> 3] = (chunk[bit >> 3] as number) ^ (1 << (bit & 7))
        assert.notEqual(chunkIdOf(chunk), id)
        assert.throws(() => openChunk(KEYS, chunk), isCellarError)
        assert.throws(() => openVerifiedChunk(KEYS, chunk), isCellarError)
      }),
    )
  })

  it('differ when the vault, the kind, the codec or a link differs', () => {
    const body = new Uint8Array(10)
    const base: Payload = { kind: 'data', codec: 'raw', rawBytes: 10, body }
    const link = 'ab'.repeat(32) as ChunkId
    const others = [
      sealChunk(KEYS, base, []),
      sealChunk(deriveVaultKeys(new Uint8Array(32)), base, []),
      sealChunk(KEYS, { ...base, kind: 'bundle' }, []),
      sealChunk(KEYS, { ...base, codec: 'zstd', rawBytes: 11 }, []),
      sealChunk(KEYS, base, [link]),
    ]
    const sivs = others.map((chunk) => toHex(chunk.subarray(chunk.byteLength - 16)))
    assert.equal(new Set(others.map((chunk) => chunkIdOf(chunk))).size, others.length)
    assert.equal(new Set(sivs).size, others.length)
  })
})
