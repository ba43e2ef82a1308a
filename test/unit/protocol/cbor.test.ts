import assert from 'node:assert/strict'
import { decodeCbor } from '../../../protocol/cbor.ts'
import { type CellarError, decodeFrame } from '../../../protocol/index.ts'

/** An array of empty arrays: one byte each on the wire, some fifty in memory. */
function empties(count: number): Buffer {
  const bytes = Buffer.alloc(count + 5, 0x80)
  bytes[0] = 0x9a
  bytes.writeUInt32BE(count, 1)
  return bytes
}

describe('CBOR from others', () => {
  const words = { what: 'a test', bytesMax: 1024 * 1024 }

  it('is refused before it takes fifty times its bytes in memory', () => {
    assert.throws(() => decodeCbor(empties(70_000), { ...words, itemsMax: 70_000 }), /too many values/)
    assert.equal((decodeCbor(empties(70_000), { ...words, itemsMax: 70_001 }) as unknown[]).length, 70_000)
  })

  it('has fewer values in a message than in a listing', () => {
    const frame = Buffer.concat([Uint8Array.of(0), empties(8 * 1024 * 1024)])
    const began = performance.now()
    assert.throws(
      () => decodeFrame(frame),
      (error: CellarError) => error.code === 'PEER_PROTOCOL' && error.message.includes('too many values'),
    )
    assert.ok(performance.now() - began < 2000)
  })
})
