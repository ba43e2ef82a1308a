import assert from 'node:assert/strict'
import {
  decodeFrame,
  encodeChunkFrame,
  encodeMessage,
  type ListingPart,
  ListingJoiner,
  splitListing,
} from '../../../../protocol/index.ts'

const MiB = 1024 * 1024

function join(parts: Iterable<ListingPart>): ReturnType<ListingJoiner['add']> {
  const joiner = new ListingJoiner()
  let joined: ReturnType<ListingJoiner['add']>
  for (const part of parts) {
    assert.equal(joined, undefined)
    const { kind, ...rest } = decodeFrame(encodeMessage(part))
    assert.ok(kind === 'message' && 'message' in rest && rest.message.type === 'listing')
    joined = joiner.add(rest.message)
  }
  return joined
}

describe('frames', () => {
  it('carry a chunk without copying it', () => {
    const chunk = new Uint8Array(1000).fill(7)
    const [, sent] = encodeChunkFrame(1, chunk)
    assert.equal(sent, chunk)
    const frame = Buffer.concat(encodeChunkFrame(0xffffffff, chunk))
    const decoded = decodeFrame(frame)
    assert.ok(decoded.kind === 'chunk')
    assert.equal(decoded.request, 0xffffffff)
    assert.equal(decoded.chunk.buffer, frame.buffer)
  })

  it('carry listings larger than a frame, in parts', () => {
    const heads = Array.from({ length: 10_000 }, (_, n) => new Uint8Array(260).fill(n))
    const body = new Uint8Array(12 * MiB).map((_, n) => n >> 12)
    const joined = join(splitListing(heads, body))
    assert.equal(joined?.heads.length, heads.length)
    assert.equal(Buffer.compare(joined.bodyBytes, body), 0)
  })

  it('carry an empty listing in one part', () => {
    const parts = [...splitListing([], new Uint8Array(0))]
    assert.equal(parts.length, 1)
    assert.deepEqual(join(parts)?.heads, [])
  })

  it('W4.1 refuse a listing that never ends, and one that is too large', () => {
    const part = (bytes: number, heads = 0): ListingPart => ({
      type: 'listing',
      heads: Array.from({ length: heads }, () => new Uint8Array(1)),
      body: new Uint8Array(bytes),
      isMore: true,
    })
    assert.throws(() => new ListingJoiner().add(part(0)), { code: 'PEER_PROTOCOL' })
    const joiner = new ListingJoiner()
    for (let count = 0; count < 4; count++) joiner.add(part(8 * MiB))
    assert.throws(() => joiner.add(part(1)), { code: 'PEER_PROTOCOL' })
    const long = new ListingJoiner()
    long.add(part(0, 65_536))
    assert.throws(() => long.add(part(0, 1)), { code: 'PEER_PROTOCOL' })
  })
})
