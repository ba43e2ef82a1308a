/** Checking the counts of references: in little memory, and exactly. */
import assert from 'node:assert/strict'
import type { ChunkId } from '../../../protocol/index.ts'
import { decodeChunkRecord, encodeChunkRecord, idKey, TABLE } from '../../../storage/index/record.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import { IdCounts } from '../../../storage/store/id-counts.ts'
import { countedMax } from '../../../storage/store/verify.ts'
import { testChunk } from '../../support/chunks.ts'

const idOf = (at: number): ChunkId => testChunk(`chunk ${String(at)}`).id

describe('counting ids', () => {
  it('counts each, however many there are more than were expected', () => {
    const counts = new IdCounts(10)
    for (let at = 0; at < 500; at++) for (let times = 0; times <= at % 3; times++) counts.add(idOf(at))
    for (let at = 0; at < 500; at++) assert.equal(counts.get(idOf(at)), 1 + (at % 3))
    assert.equal(counts.get(idOf(500)), 0)
  })

  it('takes 12 MiB for as many as are counted at once', () => {
    const counts = new IdCounts(countedMax)
    assert.equal(counts.bytes, 12 * 1024 * 1024)
  })

  it('takes two ids for one that begin alike', () => {
    const [one, other] = ['0', '1'].map((end) => `${'7'.repeat(63)}${end}` as ChunkId) as [ChunkId, ChunkId]
    const counts = new IdCounts(10)
    counts.add(one)
    counts.add(other)
    assert.equal(counts.get(one), 2)
  })
})

describe('checking references', () => {
  it('names each count that is wrong, with what is right', async () => {
    const map = memoryKeyValue()
    const store = await openStore({
      dir: '/store',
      disk: new MemoryDisk(),
      reserveBytes: 0,
      headroomBytes: 0,
      openIndex: () => Promise.resolve(map),
    })
    const leaves = Array.from({ length: 20 }, (_, at) => testChunk(`leaf ${String(at)}`))
    const trees = [leaves, leaves.slice(0, 5)].map((under, at) =>
      testChunk(
        `tree ${String(at)}`,
        under.map(({ id }) => id),
      ),
    )
    const root = testChunk(
      'root',
      trees.map(({ id }) => id),
    )
    for (const { id, bytes } of [...leaves, ...trees, root]) await store.put(id, bytes)
    await store.hold(root.id)
    const problems = async () => {
      const found: string[] = []
      for await (const { message } of store.verify({
        readData: false,
        signal: new AbortController().signal,
      }))
        found.push(message)
      return found.sort()
    }
    assert.deepEqual(await problems(), [])
    const said = [leaves[0]!.id, leaves[19]!.id, root.id].map((id, at) => {
      const key = idKey(TABLE.chunk, id)
      const record = decodeChunkRecord(map.get(key)!)
      const refs = record.refs + at - 1
      // The second stays as it was.
      void map.batch([{ type: 'put', key, value: encodeChunkRecord({ ...record, refs }) }], true)
      return `chunk ${id} is referred to ${String(record.refs)} times and the index says ${String(refs)}`
    })
    assert.deepEqual(await problems(), [said[0]!, said[2]!].sort())
    await store.close()
  })
})
