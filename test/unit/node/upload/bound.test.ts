/** How much may be staged, and who waits (spec/upload.md §4). */
import assert from 'node:assert/strict'
import { Bound, keptFree, packBytesFor } from '../../../../node/upload/bound.ts'
import { StagedList } from '../../../../node/upload/staged-list.ts'
import { settle } from '../manual-clock.ts'
import { contentOf, stagedOf } from './upload-mesh.ts'

const MiB = 1024 * 1024

describe('the bound of what is staged', () => {
  const facts = { bytesMax: 100, diskBytes: () => 1000, deadBytes: () => 0 }
  /** Whether room was set aside yet. */
  function ask(bound: Bound, bytes: number): { isThere: boolean; release: () => void; failure: unknown } {
    const asked = { isThere: false, release: (): void => undefined, failure: undefined as unknown }
    bound.reserve(bytes).then(
      (release) => Object.assign(asked, { isThere: true, release }),
      (error: unknown) => (asked.failure = error),
    )
    return asked
  }

  it('grants room in the order of asking, as it comes free', async () => {
    const bound = new Bound(facts)
    const [first, second, third] = [ask(bound, 60), ask(bound, 60), ask(bound, 30)]
    await settle()
    assert.deepEqual(
      [first, second, third].map(({ isThere }) => isThere),
      [true, false, false],
    )
    bound.add(60)
    first.release()
    first.release()
    await settle()
    assert.equal(second.isThere, false, 'what it was for lies here now')
    bound.add(-60)
    await settle()
    assert.deepEqual([second.isThere, third.isThere], [true, true])
  })

  it('E4.2: always grants one when nothing is staged and nothing set aside, whatever the disk says', async () => {
    const bound = new Bound({ bytesMax: 10, diskBytes: () => 0, deadBytes: () => 50 })
    const [first, second] = [ask(bound, 60), ask(bound, 1)]
    await settle()
    assert.deepEqual([first.isThere, second.isThere], [true, false])
    first.release()
    await settle()
    assert.equal(second.isThere, true)
  })

  it('counts what was dropped and still lies in packs, and what the disk can take', async () => {
    const state = { dead: 50, disk: 1000 }
    const bound = new Bound({ bytesMax: 100, diskBytes: () => state.disk, deadBytes: () => state.dead })
    bound.add(30)
    const asked = ask(bound, 40)
    await settle()
    assert.equal(asked.isThere, false)
    Object.assign(state, { dead: 0, disk: 20 })
    bound.look()
    await settle()
    assert.equal(asked.isThere, false)
    state.disk = 40
    bound.look()
    await settle()
    assert.equal(asked.isThere, true)
  })

  it('is high from half of it on, and while somebody waits', async () => {
    const bound = new Bound(facts)
    bound.add(50)
    assert.equal(bound.isHigh, false)
    bound.add(1)
    assert.equal(bound.isHigh, true)
    bound.add(-40)
    const waiting = ask(bound, 95)
    await settle()
    assert.deepEqual([waiting.isThere, bound.isHigh], [false, true])
    bound.fail(new Error('over'))
    await settle()
    assert.equal((waiting.failure as Error).message, 'over')
    await assert.rejects(bound.reserve(1), { message: 'over' })
  })

  it('leaves room for trees, and gives the packs of all threads half of it at most', () => {
    assert.deepEqual(
      [0, 100, 10_000].map((room) => keptFree(room * MiB) / MiB),
      [8, 25, 64],
    )
    for (const threads of [1, 2, 4])
      for (const bytes of [32 * MiB, 500 * MiB, 5000 * MiB])
        assert.ok(2 * threads * packBytesFor(bytes, threads) <= bytes / 2)
    assert.equal(packBytesFor(1000 * 1024 * MiB, 4), 64 * MiB)
    assert.equal(packBytesFor(MiB, 4), MiB)
  })

  it('remembers whose turn it is, so many and no more', () => {
    const list = new StagedList(2500)
    const chunks = stagedOf(contentOf('listed', 2600, 10))
    const taken = chunks.map((chunk) => list.add(chunk))
    assert.equal(taken.filter(Boolean).length, 2500)
    assert.deepEqual(list.take(3, 1_000_000), chunks.slice(0, 3))
    assert.deepEqual(list.take(10, 1), chunks.slice(3, 4), 'one at least')
    const rest = Array.from({ length: 30 }, () => list.take(100, 1_000_000)).flat()
    assert.deepEqual(rest, chunks.slice(4, 2500))
    assert.deepEqual(list.take(1, 1), [])
    assert.equal(list.add(chunks[0] ?? assert.fail()), true)
    assert.deepEqual(list.take(9, 9999), chunks.slice(0, 1))
  })
})
