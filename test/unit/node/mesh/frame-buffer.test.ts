import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FrameBuffer, frameHead } from '../../../../node/adapters/frame-buffer.ts'
import { type CellarError, frameBytesMax } from '../../../../protocol/index.ts'

describe('cutting bytes into frames', () => {
  it('gives what was put in, however it is cut on the way', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 })
    const cuts = fc.infiniteStream(
      fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4000 })),
    )
    fc.assert(
      fc.property(bodies, cuts, fc.boolean(), (frames, sizes, isEager) => {
        const bytes = Buffer.concat(frames.flatMap((frame) => [frameHead(frame.byteLength), frame]))
        const buffer = new FrameBuffer()
        const got: Uint8Array[] = []
        const drain = () => {
          for (let frame = buffer.next(); frame !== undefined; frame = buffer.next()) got.push(frame)
        }
        for (let at = 0; at < bytes.byteLength; ) {
          const size = Number(sizes.next().value ?? 1)
          buffer.push(Uint8Array.from(bytes.subarray(at, at + size)))
          at += size
          if (isEager) drain()
        }
        drain()
        assert.deepEqual(
          got.map((frame) => Buffer.from(frame).toString('hex')),
          frames.map((frame) => Buffer.from(frame).toString('hex')),
        )
        assert.equal(buffer.heldBytes, 0)
        assert.equal(buffer.isInsideFrame, false)
      }),
    )
  })

  it('knows whether a frame has begun', () => {
    const buffer = new FrameBuffer()
    assert.equal(buffer.isInsideFrame, false)
    buffer.push(Uint8Array.of(0, 0))
    assert.equal(buffer.next(), undefined)
    assert.equal(buffer.isInsideFrame, true)
    buffer.push(Uint8Array.of(0, 1))
    assert.equal(buffer.next(), undefined)
    assert.equal(buffer.isInsideFrame, true)
    buffer.push(Uint8Array.of(9))
    assert.deepEqual([...(buffer.next() ?? [])], [9])
    assert.equal(buffer.isInsideFrame, false)
  })

  it('refuses a length beyond the limit', () => {
    const buffer = new FrameBuffer()
    buffer.push(frameHead(frameBytesMax + 1))
    assert.throws(
      () => buffer.next(),
      (error: CellarError) => error.code === 'FRAME_TOO_LONG',
    )
  })

  it('holds a million single bytes as a million bytes, not as a million pieces', () => {
    const buffer = new FrameBuffer()
    // Each is a view of something large, as they come from the connection.
    const block = new Uint8Array(1024 * 1024)
    const use = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    const before = use()
    for (let i = 0; i < 1_000_000; i += 1) buffer.push(block.subarray(i, i + 1))
    assert.equal(buffer.heldBytes, 1_000_000)
    assert.ok(use() - before < 64 * 1024 * 1024)
    for (let i = 0; i < 250_000; i += 1) assert.equal(buffer.next()?.byteLength, 0)
    assert.equal(buffer.next(), undefined)
  })
})
