/** What every chunk store must do; run against the real one and its twin. */
import assert from 'node:assert/strict'
import { CellarError, type ChunkId, type ErrorCode } from '../../protocol/index.ts'
import { openAppender, type ChunkStore, type Problem, type ScrubbedPack } from '../../storage/index.ts'
import { assertSameBytes, replaceChunk, testChunk, testTree } from '../support/chunks.ts'
import { aloneRules } from './chunk-store-alone.ts'
import { dropRules } from './chunk-store-drop.ts'

/** How the suite gets what it tests. */
export interface ChunkStoreSetup {
  readonly name: string
  /** An empty store; the suite closes it. */
  readonly open: (options?: { readonly quotaBytes?: number }) => Promise<ChunkStore>
}

const withCode = (code: ErrorCode) => (error: unknown) => error instanceof CellarError && error.code === code

/** Defines the suite. */
export function chunkStoreContract(setup: ChunkStoreSetup): void {
  describe(`chunk store: ${setup.name}`, () => {
    let store: ChunkStore
    beforeEach(async () => {
      store = await setup.open()
    })
    afterEach(async () => {
      await store.close()
    })
    const putAll = async (chunks: readonly { id: ChunkId; bytes: Uint8Array }[]): Promise<void> => {
      for (const { id, bytes } of chunks) await store.put(id, bytes)
    }
    stagingRules(() => store, putAll)
    closureRules(() => store, putAll)
    reclaimRules(() => store, putAll)
    aloneRules(() => store, putAll)
    repairRules(() => store, putAll)
    loanRules(() => store)
    dropRules(() => store)

    it('refuses what goes beyond the quota and keeps what it has', async () => {
      const small = await setup.open({ quotaBytes: 5000 })
      const first = testChunk('fits', [], 3000)
      await small.put(first.id, first.bytes)
      const second = testChunk('does not', [], 3000)
      await assert.rejects(small.put(second.id, second.bytes), withCode('QUOTA_EXCEEDED'))
      assert.equal(small.has(second.id), false)
      assertSameBytes(small.get(first.id), first.bytes)
      await small.close()
    })

    it('closes twice, and then refuses everything', async () => {
      const { id, bytes } = testChunk('late')
      await store.close()
      await store.close()
      assert.throws(() => store.has(id), withCode('STORE_CLOSED'))
      assert.throws(() => store.get(id), withCode('STORE_CLOSED'))
      await assert.rejects(store.put(id, bytes), withCode('STORE_CLOSED'))
      await assert.rejects(store.commit(), withCode('STORE_CLOSED'))
      await assert.rejects(store.hold(id), withCode('STORE_CLOSED'))
    })
  })
}

type Get = () => ChunkStore
type PutAll = (chunks: readonly { id: ChunkId; bytes: Uint8Array }[]) => Promise<void>

function stagingRules(get: Get, putAll: PutAll): void {
  it('gives back what was put, before and after a commit', async () => {
    const { id, bytes } = testChunk('one')
    assert.equal(get().has(id), false)
    assert.equal(await get().put(id, bytes), true)
    assert.equal(get().has(id), true)
    assertSameBytes(get().get(id), bytes)
    await get().commit()
    assertSameBytes(get().get(id), bytes)
    assertSameBytes(get().read(id), bytes)
    assert.equal(get().stats().chunks, 1)
  })

  it('refuses bytes whose hash is not the id', async () => {
    const { id } = testChunk('one')
    await assert.rejects(get().put(id, testChunk('another').bytes), withCode('CHUNK_CORRUPT'))
    assert.equal(get().has(id), false)
  })

  it('refuses bytes that are no chunk, though their hash is right', async () => {
    const bytes = Buffer.alloc(200, 7)
    const { chunkIdOf } = await import('../../protocol/index.ts')
    await assert.rejects(get().put(chunkIdOf(bytes), bytes), withCode('CHUNK_MALFORMED'))
  })

  it('leaves a chunk alone that is there', async () => {
    const { id, bytes } = testChunk('one')
    await get().put(id, bytes)
    assert.equal(await get().put(id, bytes), false)
    await get().commit()
    assert.equal(await get().put(id, bytes), false)
    assert.equal(get().stats().chunks, 1)
  })

  it('says which of many are missing, in order and each once', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((seed) => testChunk(seed))
    assert.ok(a && b && c)
    await putAll([b])
    assert.deepEqual(get().missing([c.id, b.id, a.id, c.id]), [c.id, a.id])
  })

  it('tells the links of a chunk, and fails for one that is not there', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    assert.deepEqual(get().links(root.id), root.links)
    const absent = testChunk('absent').id
    assert.throws(() => get().links(absent), withCode('CHUNK_NOT_FOUND'))
    assert.throws(() => get().get(absent), withCode('CHUNK_NOT_FOUND'))
  })

  it('commits many at once from many callers', async () => {
    const chunks = Array.from({ length: 50 }, (_, at) => testChunk(`many ${String(at)}`))
    await Promise.all(
      chunks.map(async ({ id, bytes }) => {
        await get().put(id, bytes)
        await get().commit()
        assert.ok(get().has(id))
      }),
    )
    assert.equal(get().stats().chunks, 50)
    assert.equal(get().stats().pending, 0)
  })
}

function closureRules(get: Get, putAll: PutAll): void {
  it('finds a closure complete once all of it is committed', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().commit()
    assert.equal(get().isComplete(root.id), true)
    assert.deepEqual([...get().missingBelow(root.id)], [])
  })

  it('refuses to hold a root of which something lacks, and says what', async () => {
    const { root, chunks } = testTree('t', 3)
    const [lacking, ...rest] = chunks
    assert.ok(lacking)
    await putAll(rest)
    await assert.rejects(get().hold(root.id), withCode('CLOSURE_INCOMPLETE'))
    assert.deepEqual([...get().missingBelow(root.id)], [lacking.id])
    assert.equal(get().isHeld(root.id), false)
    await putAll([lacking])
    await get().hold(root.id)
    assert.equal(get().isHeld(root.id), true)
    assert.deepEqual(get().holds(), [root.id])
  })

  it('completes a closure that came from the root down', async () => {
    const { root, chunks } = testTree('t', 3)
    const top = testChunk('top', [root.id])
    for (const chunk of [top, ...[...chunks].reverse()]) {
      await putAll([chunk])
      await get().commit()
    }
    await get().hold(top.id)
    assert.equal(get().isComplete(top.id), true)
    assert.equal(get().isComplete(root.id), true)
  })

  it('holds and releases any number of times', async () => {
    const { root, chunks } = testTree('t', 2)
    await putAll(chunks)
    await get().hold(root.id)
    await get().hold(root.id)
    await get().release(root.id)
    await get().release(root.id)
    assert.deepEqual(get().holds(), [])
    await get().release(testChunk('never held').id)
  })
}

function reclaimRules(get: Get, putAll: PutAll): void {
  const reclaimAll = () => get().reclaim({ mayReclaim: () => true, unfinished: true })

  it('reclaims nothing of a held root', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().hold(root.id)
    assert.equal((await reclaimAll()).chunks, 0)
    assert.deepEqual(get().missing(chunks.map((chunk) => chunk.id)), [])
  })

  it('reclaims a released root with all below it', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().hold(root.id)
    await get().release(root.id)
    const result = await reclaimAll()
    assert.equal(result.chunks, 4)
    assert.equal(get().has(root.id), false)
    assert.throws(() => get().get(root.id), withCode('CHUNK_NOT_FOUND'))
    assert.equal(get().stats().chunks, 0)
  })

  it('keeps what another held root shares', async () => {
    const { root, chunks } = testTree('t', 3)
    const shared = chunks[0]
    assert.ok(shared)
    const other = testChunk('other', [shared.id])
    await putAll([...chunks, other])
    await get().hold(root.id)
    await get().hold(other.id)
    await get().release(root.id)
    assert.equal((await reclaimAll()).chunks, 3)
    assertSameBytes(get().get(shared.id), shared.bytes)
    await get().release(other.id)
    assert.equal((await reclaimAll()).chunks, 2)
  })

  it('asks before it removes, and keeps what is refused with all below it', async () => {
    const { root, chunks } = testTree('t', 3)
    const asked: ChunkId[] = []
    await putAll(chunks)
    await get().commit()
    const result = await get().reclaim({
      unfinished: true,
      mayReclaim: (id) => {
        asked.push(id)
        return false
      },
    })
    assert.deepEqual([result.chunks, asked], [0, [root.id]])
    assert.deepEqual(get().missing(chunks.map((chunk) => chunk.id)), [])
  })

  it('takes a reclaimed chunk anew', async () => {
    const { id, bytes } = testChunk('again')
    await putAll([{ id, bytes }])
    await reclaimAll()
    assert.equal(await get().put(id, bytes), true)
    await get().commit()
    assertSameBytes(get().get(id), bytes)
  })
}

function repairRules(get: Get, putAll: PutAll): void {
  const problems = async (): Promise<Problem[]> => {
    const found: Problem[] = []
    for await (const problem of get().verify({ readData: true, signal: new AbortController().signal }))
      found.push(problem)
    return found
  }

  it('finds nothing wrong where nothing is', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().hold(root.id)
    assert.deepEqual(await problems(), [])
  })

  it('sets a bad chunk aside until it is replaced', async () => {
    const { root, chunks } = testTree('t', 3)
    const bad = chunks[1]
    assert.ok(bad)
    await putAll(chunks)
    await get().hold(root.id)
    await get().quarantine(bad.id)
    assert.equal(get().has(bad.id), false)
    assert.throws(() => get().get(bad.id), withCode('CHUNK_CORRUPT'))
    assert.equal(get().isComplete(root.id), false, 'what is above it is not whole')
    assert.deepEqual([...get().missingBelow(root.id)], [bad.id])
    assert.deepEqual(get().quarantined(), [bad.id])
    assert.deepEqual(
      (await problems()).map(({ kind, id }) => [kind, id]),
      [['chunk-corrupt', bad.id]],
    )
    await replaceChunk(get(), bad.id, bad.bytes)
    assert.equal(get().isComplete(root.id), true)
    assertSameBytes(get().get(bad.id), bad.bytes)
    assert.deepEqual(get().quarantined(), [])
    assert.deepEqual(await problems(), [])
  })

  it('reads everything again, pack by pack, and goes on behind any of them', async () => {
    const { signal } = new AbortController()
    assert.deepEqual(await scrubbed(0), [])
    const { chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().commit()
    const packs = await scrubbed(0)
    assert.equal(packs.at(-1)?.isLast, true)
    assert.equal(
      packs.reduce((sum, pack) => sum + pack.chunks, 0),
      chunks.length,
    )
    assert.ok(packs.every(({ bytes, problems: none }) => bytes > 0 && none.length === 0))
    assert.deepEqual(await scrubbed(packs.at(-1)?.pack ?? 0), [])

    async function scrubbed(after: number): Promise<ScrubbedPack[]> {
      const found: ScrubbedPack[] = []
      for await (const pack of get().scrub({ after, signal })) found.push(pack)
      return found
    }
  })

  it('keeps a hold through quarantine, and reclaims nothing below it', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().hold(root.id)
    await get().quarantine(root.id)
    assert.deepEqual(
      (await problems()).map(({ kind, id }) => [kind, id]),
      [['chunk-corrupt', root.id]],
      'what a bad chunk refers to is not said to be wrong',
    )
    assert.equal((await get().reclaim({ mayReclaim: () => true })).chunks, 0)
    await get().put(root.id, root.bytes)
    await get().commit()
    assert.equal(get().isComplete(root.id), true)
    assert.equal(get().isHeld(root.id), true)
  })

  it('O8.1 sets aside no chunk that is good', async () => {
    const { id, bytes } = testChunk('good')
    await putAll([{ id, bytes }])
    assert.equal(await get().quarantineIfBad(id), false)
    assert.equal(get().has(id), true)
    await get().quarantine(id)
    assert.equal(await get().quarantineIfBad(id), true)
    assert.equal(get().has(id), false)
    await get().put(id, bytes)
    assert.equal(await get().quarantineIfBad(id), false, 'good bytes have come since it was found bad')
    assert.equal(get().has(id), true)
    assert.equal(await get().quarantineIfBad(testChunk('unknown').id), false)
  })

  it('makes its index again without losing a hold', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().hold(root.id)
    await get().rebuildIndex()
    assert.deepEqual(get().holds(), [root.id])
    assert.equal(get().isComplete(root.id), true)
    assert.deepEqual(await problems(), [])
  })
}

function loanRules(get: Get): void {
  it('adopts what a borrower appended to a lent pack', async () => {
    const { root, chunks } = testTree('t', 3, 5000)
    const loan = get().lend()
    using appender = openAppender(loan)
    const records = chunks.map(({ id, bytes, links }) => appender.append(id, bytes, links))
    await appender.sync()
    appender.close()
    assert.equal(get().has(root.id), false)
    get().adopt(loan, records)
    assert.equal(get().has(root.id), true)
    assertSameBytes(get().get(root.id), root.bytes)
    await get().commit()
    get().giveBack(loan)
    await get().hold(root.id)
    for (const { id, bytes } of chunks) assertSameBytes(get().get(id), bytes)
  })

  it('forgets what was appended and not adopted', async () => {
    const chunk = testChunk('orphan')
    const loan = get().lend()
    using appender = openAppender(loan)
    appender.append(chunk.id, chunk.bytes, [])
    appender.close()
    get().giveBack(loan)
    await get().commit()
    assert.equal(get().has(chunk.id), false)
    assert.equal(get().stats().chunks, 0)
  })

  it('lends different packs to different borrowers', () => {
    const loans = [get().lend(), get().lend(), get().lend()]
    assert.equal(new Set(loans.map((loan) => loan.path)).size, 3)
    for (const loan of loans) get().giveBack(loan)
  })
}
