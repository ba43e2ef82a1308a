import assert from 'node:assert/strict'
import {
  type ChunkId,
  chunkBytesMax,
  chunkHeader,
  chunkIdOf,
  chunkLinksMax,
  deriveVaultKeys,
  encodeCbor,
  isCellarError,
  type Payload,
  payloadBytesMax,
  sealChunk,
  verifyChunk,
} from '../../../protocol/index.ts'

const KEYS = deriveVaultKeys(new Uint8Array(32))
const raw = (bytes: number): Payload => ({
  kind: 'data',
  codec: 'raw',
  rawBytes: bytes,
  body: new Uint8Array(bytes),
})
const links = (count: number): ChunkId[] =>
  Array.from({ length: count }, (_, position) => position.toString(16).padStart(64, '0') as ChunkId)

describe('a chunk', () => {
  it('may be as large as payload and links may be, within the limit of chunks', () => {
    const chunk = sealChunk(KEYS, raw(payloadBytesMax), links(chunkLinksMax))
    assert.ok(chunk.byteLength <= chunkBytesMax)
    assert.equal(chunkHeader(chunk).links.length, chunkLinksMax)
  })

  it('is not made larger', () => {
    assert.throws(() => sealChunk(KEYS, raw(payloadBytesMax + 1), []), { code: 'CHUNK_TOO_LARGE' })
    assert.throws(() => sealChunk(KEYS, raw(1), links(chunkLinksMax + 1)), { code: 'CHUNK_TOO_LARGE' })
  })

  it('is not made from what no reader would take', () => {
    assert.throws(() => sealChunk(KEYS, { ...raw(5), rawBytes: 4 }, []), RangeError)
    assert.throws(() => sealChunk(KEYS, { ...raw(5), codec: 'zstd' }, []), RangeError)
    assert.throws(() => sealChunk(KEYS, raw(5), ['ab' as ChunkId]), RangeError)
    assert.throws(() => sealChunk(KEYS, raw(5), [...links(1), ...links(1)]), RangeError)
  })

  it('must be what its id names', () => {
    const chunk = sealChunk(KEYS, raw(10), [])
    const id = chunkIdOf(chunk)
    verifyChunk(id, chunk)
    chunk[30] = (chunk[30] as number) ^ 1
    assert.throws(
      () => {
        verifyChunk(id, chunk)
      },
      (error) => isCellarError(error, 'CHUNK_CORRUPT'),
    )
  })
})

describe('the writer of CBOR', () => {
  it('refuses what has no one form', () => {
    for (const value of [1.5, Number.NaN, 2 ** 60, '\ud800', undefined as never]) {
      assert.throws(() => encodeCbor([value]), RangeError)
    }
  })
})
