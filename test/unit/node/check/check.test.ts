import assert from 'node:assert/strict'
import {
  check,
  type CheckProblem,
  type CheckRequest,
  type CheckTotals,
} from '../../../../node/check/check.ts'
import { inSubset, parseSubset } from '../../../../node/check/subset.ts'
import { storeSource } from '../../../../node/chunk-source.ts'
import type { ChunkId, RootId } from '../../../../protocol/index.ts'
import { isCellarError } from '../../../../protocol/index.ts'
import { SnapshotMaker } from '../../../tools/make-snapshot.ts'

describe('checking snapshots', () => {
  let maker: SnapshotMaker
  let root: RootId
  let bundle: ChunkId
  let data: ChunkId
  beforeEach(async () => {
    maker = await SnapshotMaker.open()
    root = await maker.snapshot({
      d: { in: { f: { bytes: 'content' }, g: { bytes: 'z'.repeat(30_000), chunkBytes: 1000 } } },
    })
    bundle = maker.vault.seal('bundle', Buffer.from('beforecontentbehind'), []).id
    data = maker.vault.seal('data', Buffer.from('z'.repeat(1000)), []).id
  })
  afterEach(() => maker.store.close())

  async function run(
    options: Partial<CheckRequest> = {},
    hasChunks = true,
  ): Promise<{ problems: CheckProblem[]; totals: CheckTotals }> {
    const problems: CheckProblem[] = []
    const { store, vault } = maker
    const parts = {
      source: storeSource(store),
      vault,
      ...(hasChunks ? { has: (id: ChunkId) => store.has(id) } : {}),
    }
    const iteration = check(parts, { roots: [root], ...options }, { signal: new AbortController().signal })
    for (;;) {
      const step = await iteration.next()
      if (step.done === true) return { problems, totals: step.value }
      problems.push(step.value)
    }
  }

  it('finds nothing wrong with what is right, each chunk once', async () => {
    const { problems, totals } = await run({ roots: [root, root], readData: 'all' })
    assert.deepEqual(problems, [])
    // root, two trees, a node of the file, its one chunk, the bundle
    assert.deepEqual([totals.chunksDone, totals.chunksTotal, totals.snapshots], [6, 6, 2])
  })

  it('names what is missing, and a path that needs it, without reading data', async () => {
    await maker.store.quarantine(bundle)
    await maker.store.quarantine(data)
    for (const hasChunks of [true, false]) {
      const { problems } = await run({}, hasChunks)
      assert.deepEqual(
        problems.map(({ chunk, path }) => [chunk, Buffer.from(path ?? []).toString()]),
        [
          [bundle, '/d/f'],
          [data, '/d/g'],
        ],
      )
    }
  })

  it('goes on beside a directory that is missing, and tells of a missing root', async () => {
    const { links } = maker.vault.open(maker.store.get(root))
    await maker.store.quarantine(links[0] as ChunkId)
    const { problems } = await run({ readData: 'all' })
    assert.deepEqual(
      problems.map(({ chunk }) => chunk),
      [links[0]],
    )
    await maker.store.quarantine(root)
    assert.deepEqual(
      (await run()).problems.map(({ chunk }) => chunk),
      [root],
    )
  })

  it('tells a chunk that is not what the snapshot says', async () => {
    const other = await maker.put('tree', Buffer.from('not a tree'))
    const made = { size: 4, content: { kind: 'bundle', chunk: other, offset: 0, length: 4 } }
    root = await maker.snapshot({ f: made })
    assert.deepEqual((await run()).problems, [])
    assert.deepEqual(
      (await run({ readData: 'all' })).problems.map(({ code }) => code),
      ['CHUNK_MALFORMED'],
    )
  })

  it('stops when told to', async () => {
    const controller = new AbortController()
    controller.abort()
    const iteration = check(
      { source: storeSource(maker.store), vault: maker.vault },
      { roots: [root] },
      { signal: controller.signal },
    )
    await assert.rejects(iteration.next(), (error) => isCellarError(error, 'ABORTED'))
  })

  it('takes each chunk in exactly one of t parts', () => {
    for (let i = 0; i < 200; i++) {
      const id = (i * 7919).toString(16).padStart(6, '0').repeat(11).slice(0, 64) as ChunkId
      const parts = [1, 2, 3, 4, 5].filter((n) => inSubset(id, parseSubset(`${String(n)}/5`, 0, 0)))
      assert.equal(parts.length, 1)
    }
    const high = 'f'.repeat(64) as ChunkId
    const low = '0'.repeat(64) as ChunkId
    const around = parseSubset('10%', 0.95, 0)
    assert.deepEqual([inSubset(high, around), inSubset(low, around)], [true, true])
    assert.deepEqual(parseSubset('1K', 0.5, 512), { from: 0, to: 1 })
    for (const wrong of ['0/5', '6/5', '0%', '101%', 'x', ''])
      assert.throws(
        () => parseSubset(wrong, 0, 1),
        (error) => isCellarError(error, 'USAGE'),
      )
  })
})
