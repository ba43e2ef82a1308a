/** Reading packs again: everything that a disk can do to them is found, and nothing else is. */
import assert from 'node:assert/strict'
import type { ChunkId } from '../../../protocol/index.ts'
import type { ChunkStore, ScrubbedPack } from '../../../storage/index.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import { packHeaderBytes, packName, recordHeaderBytes } from '../../../storage/pack/format.ts'
import { replaceChunk, testChunk, type TestChunk } from '../../support/chunks.ts'

const signal = new AbortController().signal

/** A disk on which some sectors cannot be read. */
class BadSectors extends MemoryDisk {
  readonly bad: { readonly path: string; readonly at: number }[] = []

  override open(path: string, mode: 'read' | 'write' | 'create') {
    const file = super.open(path, mode)
    const read = file.read.bind(file)
    // As `node-disk.ts` does on EIO: what lies before the place is read, and no more.
    file.read = (into, position) => {
      const ends = this.bad.filter((one) => one.path === path && one.at >= position).map(({ at }) => at)
      const end = Math.min(position + into.byteLength, ...ends)
      return read(into.subarray(0, end - position), position)
    }
    return file
  }
}

describe('scrubbing a store', () => {
  let disk: BadSectors
  let store: ChunkStore
  /** Four to a pack. */
  const chunks = Array.from({ length: 12 }, (_, at) => testChunk(`chunk ${String(at)}`, [], 900))
  const recordBytes = recordHeaderBytes + chunks[0]!.bytes.byteLength

  beforeEach(async () => {
    disk = new BadSectors()
    const map = memoryKeyValue()
    store = await openStore({
      dir: '/store',
      disk,
      reserveBytes: 0,
      headroomBytes: 0,
      packBytes: 4 * recordBytes,
      openIndex: () => Promise.resolve(map),
    })
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    await store.commit()
  })
  afterEach(() => store.close())

  const path = (pack: number) => `/store/packs/${packName(pack)}`
  /** The place of a chunk: they were put one after another. */
  const placeOf = (at: number) => ({
    pack: Math.floor(at / 4) + 1,
    record: packHeaderBytes + (at % 4) * recordBytes,
  })
  const idOf = (at: number): ChunkId => (chunks[at] as TestChunk).id

  async function scrubbed(after = 0): Promise<ScrubbedPack[]> {
    const packs: ScrubbedPack[] = []
    for await (const pack of store.scrub({ after, signal })) packs.push(pack)
    return packs
  }
  const found = async () =>
    (await scrubbed())
      .flatMap(({ problems }) => problems.map(({ kind, id }) => `${kind} ${String(id)}`))
      .sort()

  it('reads every pack, in order, and finds nothing where nothing is', async () => {
    const packs = await scrubbed()
    assert.deepEqual(
      packs.map(({ pack, isLast, chunks: count, bytes, problems }) => [pack, isLast, count, bytes, problems]),
      [
        [1, false, 4, 4 * recordBytes, []],
        [2, false, 4, 4 * recordBytes, []],
        [3, true, 4, 4 * recordBytes, []],
      ],
    )
  })

  it('goes on behind a pack', async () => {
    assert.deepEqual(
      (await scrubbed(2)).map(({ pack }) => pack),
      [3],
    )
    assert.deepEqual(await scrubbed(3), [])
  })

  it('finds a flipped bit in any byte of a chunk', async () => {
    const { pack, record } = placeOf(5)
    disk.flip(path(pack), record + recordHeaderBytes + 500, 3)
    assert.deepEqual(await found(), [`chunk-corrupt ${idOf(5)}`])
  })

  it('finds the one chunk whose record header is damaged, and the others good', async () => {
    const { pack, record } = placeOf(6)
    disk.flip(path(pack), record + 2, 0)
    assert.deepEqual(await found(), [`chunk-corrupt ${idOf(6)}`])
  })

  it('is not fooled by what looks like a record behind a damaged header', async () => {
    // A chunk of a hostile peer, in which the record of a good chunk is written.
    const decoy = Buffer.concat([
      Buffer.from(testChunk('decoy', [], 900).bytes),
      disk
        .image()
        .get(path(1))!
        .subarray(packHeaderBytes, packHeaderBytes + recordBytes),
    ])
    const { chunkIdOf } = await import('../../../protocol/index.ts')
    const id = chunkIdOf(decoy)
    await store.put(id, decoy)
    await store.commit()
    const before = await scrubbed(3)
    assert.deepEqual(
      before.map(({ pack, problems }) => [pack, problems]),
      [[4, []]],
    )
    disk.flip(path(4), packHeaderBytes + 2, 0)
    assert.deepEqual(await found(), [`chunk-corrupt ${id}`])
  })

  it('O8.1 sets aside what is bad still, and not what came good since', async () => {
    const [flipped, headless, unreadable, gone, good] = [0, 1, 5, 9, 4]
    disk.flip(path(placeOf(flipped).pack), placeOf(flipped).record + recordHeaderBytes + 500, 3)
    disk.flip(path(placeOf(headless).pack), placeOf(headless).record + 2, 0)
    const { pack, record } = placeOf(unreadable)
    disk.bad.push({ path: path(pack), at: record + recordHeaderBytes + 100 })
    disk.remove(path(placeOf(gone).pack))
    const bad = [flipped, headless, unreadable, gone]
    for (const at of bad) assert.equal(await store.quarantineIfBad(idOf(at)), true, String(at))
    assert.equal(await store.quarantineIfBad(idOf(good)), false)
    assert.deepEqual(store.quarantined(), bad.map(idOf).sort())
    await store.put(idOf(flipped), (chunks[flipped] as TestChunk).bytes)
    assert.equal(await store.quarantineIfBad(idOf(flipped)), false, 'its new bytes wait for their commit')
    assert.equal(store.has(idOf(flipped)), true)
  })

  it('finds what cannot be read, and reads on behind it', async () => {
    const { pack, record } = placeOf(4)
    disk.bad.push({ path: path(pack), at: record + recordHeaderBytes + 100 })
    const kinds = await found()
    assert.ok(kinds.includes(`chunk-corrupt ${idOf(4)}`))
  })

  it('names every chunk of a pack that is gone', async () => {
    disk.remove(path(2))
    assert.deepEqual(
      await found(),
      [4, 5, 6, 7]
        .map((at) => `chunk-missing ${idOf(at)}`)
        .concat('pack-missing undefined')
        .sort(),
    )
  })

  it('tells again of nothing that is set aside, nor of bytes that no chunk needs', async () => {
    const { pack, record } = placeOf(5)
    disk.flip(path(pack), record + recordHeaderBytes + 500, 3)
    await store.quarantine(idOf(5))
    assert.deepEqual(await found(), [])
    await replaceChunk(store, idOf(5), (chunks[5] as TestChunk).bytes)
    assert.deepEqual(await found(), [])
  })

  it('is slowed down by whoever asks for it, and can be left and stopped', async () => {
    const large = Array.from({ length: 6 }, (_, at) => testChunk(`large ${String(at)}`, [], 200_000))
    for (const { id, bytes } of large) await store.put(id, bytes)
    await store.commit()
    const paces: number[] = []
    const pace = async (bytes: number) => {
      paces.push(bytes)
      await Promise.resolve()
    }
    let read = 0
    for await (const { pack, bytes } of store.scrub({ after: 2, signal, pace })) {
      read += bytes
      if (pack >= 4) break
    }
    assert.equal(
      paces.reduce((sum, bytes) => sum + bytes, 0),
      read,
    )
    assert.ok(paces.length > 1 && paces.every((bytes) => bytes < 256 * 1024 + 300_000))
    const end = new AbortController()
    const stopped = (async () => {
      const pacing = async () => {
        end.abort(new Error('enough'))
        await Promise.resolve()
      }
      for await (const _ of store.scrub({ after: 0, signal: end.signal, pace: pacing }));
    })()
    await assert.rejects(stopped, /enough/)
  })

  it('takes what is reclaimed meanwhile for no damage', async () => {
    const isGone = new Set(chunks.map(({ id }) => id))
    const problems: unknown[] = []
    for await (const { pack, problems: some } of store.scrub({ after: 0, signal })) {
      problems.push(...some)
      if (pack === 1) await store.reclaim({ mayReclaim: (id) => isGone.has(id), unfinished: true })
    }
    assert.deepEqual(problems, [])
  })
})
