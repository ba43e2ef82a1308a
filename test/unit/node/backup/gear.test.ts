import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  COARSE,
  type CutSizes,
  type Cutter,
  FINE,
  gearTable,
  jsCutter,
  loadGear,
  wasmCutter,
} from '../../../../node/backup/gear.ts'

const table = gearTable(new Uint8Array(32).fill(3))
const SMALL: CutSizes = { min: 64, normal: 256, max: 1024 }

/** Bytes from a seed: some random, some repeated, some zero. */
function makeBytes(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = (i >> 12) % 5 === 0 ? 0 : (i >> 12) % 5 === 1 ? i & 3 : state >>> 24
  }
  return bytes
}

/** Lengths of the chunks of some bytes. */
function cutAll(cutter: Cutter, bytes: Buffer, sizes: CutSizes): number[] {
  bytes.copy(cutter.window)
  const lengths: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = cutter.cut(at, bytes.length - at, sizes)
    lengths.push(length)
    at += length
  }
  return lengths
}

describe('chunker', () => {
  const windowBytes = 8 * 1024 * 1024
  const js = jsCutter(table, windowBytes)
  const module = loadGear()

  it('exists as WebAssembly', () => {
    assert.ok(module !== undefined)
  })

  it('has twins that cut alike', () => {
    assert.ok(module !== undefined)
    const wasm = wasmCutter(module, table, windowBytes)
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 300_000 }),
        fc.constantFrom(SMALL, FINE, COARSE),
        (seed, length, sizes) => {
          const bytes = makeBytes(seed, length)
          assert.deepEqual(cutAll(js, bytes, sizes), cutAll(wasm, bytes, sizes))
        },
      ),
      { numRuns: 60 },
    )
    const long = makeBytes(11, windowBytes)
    assert.deepEqual(cutAll(js, long, COARSE), cutAll(wasm, long, COARSE))
  })

  it('keeps every length within its bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 100_000 }), (seed, length) => {
        const lengths = cutAll(js, makeBytes(seed, length), SMALL)
        assert.equal(
          lengths.reduce((sum, one) => sum + one, 0),
          length,
        )
        assert.ok(lengths.every((one) => one <= SMALL.max))
        assert.ok(lengths.slice(0, -1).every((one) => one > SMALL.min))
      }),
    )
  })

  it('shifts little when something is inserted', () => {
    const random = Buffer.alloc(400_000)
    let state = 1
    for (let i = 0; i < random.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      random[i] = state >>> 24
    }
    const chunksOf = (bytes: Buffer): Set<string> => {
      let at = 0
      return new Set(cutAll(js, bytes, SMALL).map((length) => bytes.toString('latin1', at, (at += length))))
    }
    const before = chunksOf(random)
    const after = chunksOf(
      Buffer.concat([random.subarray(0, 200_000), Buffer.from('inserted'), random.subarray(200_000)]),
    )
    const fresh = [...after].filter((chunk) => !before.has(chunk))
    assert.ok(before.size > 1000)
    assert.ok(fresh.length <= 5, `${String(fresh.length)} of ${String(after.size)} chunks are new`)
  })

  it('cuts otherwise in another vault', () => {
    const other = jsCutter(gearTable(new Uint8Array(32).fill(4)), windowBytes)
    const bytes = makeBytes(5, 200_000)
    assert.notDeepEqual(cutAll(js, bytes, SMALL), cutAll(other, bytes, SMALL))
  })

  it('makes chunks of about the size asked for', () => {
    const bytes = Buffer.alloc(windowBytes)
    let state = 9
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      bytes[i] = state >>> 24
    }
    const average = bytes.length / cutAll(js, bytes, FINE).length
    assert.ok(average > FINE.normal * 0.7 && average < FINE.normal * 1.6, String(average))
  })
})
