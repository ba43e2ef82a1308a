/** Making chunks again from the files they came from (spec/thin.md §5). */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { remakeChunks } from '../../../../node/thin/remake.ts'
import { KeptTrees } from '../../../../node/thin/kept-trees.ts'
import type { ChunkId, RootId } from '../../../../protocol/index.ts'
import { memoryStore } from '../../../../storage/index.ts'
import { makeDirectory, makeSetting, noise, readEntries, run, type Setting } from '../backup/helper.ts'

const signal = new AbortController().signal

describe('chunks made again', () => {
  let directory: string
  let setting: Setting
  let root: RootId

  beforeEach(async () => {
    directory = makeDirectory()
    setting = await makeSetting()
    mkdirSync(join(directory, 'deep', 'empty'), { recursive: true })
    for (let n = 0; n < 5; n++)
      writeFileSync(join(directory, 'deep', `small ${String(n)}`), noise(3000 + n, n))
    writeFileSync(join(directory, 'large'), noise(9_000_000, 8))
    writeFileSync(join(directory, 'holes'), noise(100_000, 9))
    truncateSync(join(directory, 'holes'), 3_000_000)
    appendFileSync(join(directory, 'holes'), noise(200_000, 10))
    root = (await run(setting, [directory])).root as RootId
  })
  afterEach(async () => {
    rmSync(directory, { recursive: true })
    await setting.store.close()
  })

  /** What has no links: the contents of files, and trees without any. */
  function contents(): ChunkId[] {
    const found: ChunkId[] = []
    for (const { content } of readEntries(setting, root).values()) {
      if (content?.kind === 'bundle') found.push(content.chunk)
      if (content?.kind === 'chunks') found.push(...content.chunks.map(({ id }) => id))
    }
    return [...new Set(found)]
  }

  /** Another store, with what is no content of a file. */
  async function treesOnly(): Promise<Setting> {
    const kept = await new KeptTrees(setting.store, () => setting.vault).of(new Set([root]))
    const store = memoryStore()
    const open: ChunkId[] = [root]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (!kept.has(id)) continue
      await store.put(id, setting.store.get(id))
      open.push(...setting.store.links(id))
    }
    await store.commit()
    return { ...setting, store }
  }

  it('keep trees and lists, those without links too, and no content', async () => {
    const { store } = await treesOnly()
    const lacking = new Set(store.missingBelow(root))
    assert.deepEqual([...lacking].sort(), contents().sort())
    assert.equal(readEntries({ ...setting, store }, root).size, readEntries(setting, root).size)
    await store.close()
  })

  it('are those that were lost, of small files, large ones and ones with holes', async () => {
    const thin = await treesOnly()
    const wanted = new Set(contents())
    assert.ok(wanted.size > 5)
    const made = await remakeChunks(thin, [root], wanted, signal)
    assert.deepEqual([...made].sort(), [...wanted].sort())
    await thin.store.hold(root)
    await thin.store.close()
  })

  it('are those asked for only', async () => {
    const thin = await treesOnly()
    const [one] = contents() as [ChunkId]
    assert.deepEqual([...(await remakeChunks(thin, [root], new Set([one]), signal))], [one])
    assert.deepEqual(
      contents().filter((id) => thin.store.has(id)),
      [one],
    )
    await thin.store.close()
  })

  it('are none of files that have changed or are gone', async () => {
    const thin = await treesOnly()
    for (let n = 0; n < 5; n++)
      writeFileSync(join(directory, 'deep', `small ${String(n)}`), noise(3000 + n, 99))
    rmSync(join(directory, 'large'))
    const made = await remakeChunks(thin, [root], new Set(contents()), signal)
    const holes = readEntries(setting, root).get(`${directory.slice(1)}/holes`)?.content
    if (holes?.kind !== 'chunks') assert.fail('a sparse file has chunks of its own')
    assert.deepEqual([...made].sort(), [...new Set(holes.chunks.map(({ id }) => id))].sort())
    await thin.store.close()
  })

  it('are looked for as far as the trees are here', async () => {
    const store = memoryStore()
    await store.put(root, setting.store.get(root))
    await store.commit()
    assert.equal((await remakeChunks({ ...setting, store }, [root], new Set(contents()), signal)).size, 0)
    await store.close()
  })
})
