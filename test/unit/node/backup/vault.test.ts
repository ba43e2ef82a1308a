import assert from 'node:assert/strict'
import { frameContentSize, loadZstd, sampleDigest, type Zstd } from '../../../../node/adapters/zstd.ts'
import { openVault, vaultOf } from '../../../../node/vault.ts'
import { deriveVaultKeys, isCellarError, sealChunk } from '../../../../protocol/index.ts'

const text = Buffer.from('the same words again and again, '.repeat(2000))

describe('zstd', () => {
  const names = ['zstd-napi', 'node:zlib', 'zstd-wasm'] as const
  for (const name of names) {
    it(`${name} makes the same frames as all others, and refuses to expand beyond what was said`, async function () {
      let zstd: Zstd
      try {
        zstd = await loadZstd(name)
      } catch {
        this.skip()
      }
      assert.equal(sampleDigest(zstd), sampleDigest(await loadZstd()))
      const frame = Uint8Array.from(zstd.compress(text))
      assert.equal(frameContentSize(frame), text.length)
      assert.ok(Buffer.from(zstd.decompress(frame, text.length)).equals(text))
      for (const [body, bytes] of [
        [frame, text.length - 1],
        [frame, text.length + 1],
        [frame.subarray(0, -3), text.length],
        [text, 5],
        [new Uint8Array(0), 0],
      ] as const) {
        assert.throws(
          () => zstd.decompress(body, bytes),
          (error) => isCellarError(error, 'FORMAT_INVALID'),
        )
      }
    })
  }
})

describe('vault', () => {
  it('compresses what gets smaller, leaves the rest, and gives both back', async () => {
    const vault = await openVault(new Uint8Array(32).fill(9))
    const random = Buffer.from(
      Array.from({ length: 5000 }, (_, i) => (Math.imul(i * i + 7, 2_654_435_761) >>> 24) & 255),
    )
    for (const raw of [text, random, Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(4 << 20)]) {
      const { id, bytes } = vault.seal('data', raw, [])
      assert.equal(vault.seal('data', raw, []).id, id)
      assert.ok(bytes.length <= raw.length + 200)
      const opened = vault.open(bytes)
      assert.equal(opened.kind, 'data')
      assert.ok(Buffer.from(opened.raw).equals(raw))
    }
    assert.ok(vault.seal('data', text, []).bytes.length < 1000)
  })

  it('keeps links, and refuses a frame that is not of its size', async () => {
    const keys = deriveVaultKeys(new Uint8Array(32).fill(9))
    const zstd = await loadZstd()
    const vault = vaultOf(keys, zstd)
    const { id } = vault.seal('data', text, [])
    assert.deepEqual(vault.open(vault.seal('tree', text, [id]).bytes).links, [id])
    const forged = sealChunk(
      keys,
      { kind: 'data', codec: 'zstd', rawBytes: 4_000_000, body: Uint8Array.from(zstd.compress(text)) },
      [],
    )
    assert.throws(
      () => vault.open(forged),
      (error) => isCellarError(error, 'FORMAT_INVALID'),
    )
  })
})
