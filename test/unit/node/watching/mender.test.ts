/** Mending by itself: from peers, else from the sources, else told and kept aside; and not too often. */
import assert from 'node:assert/strict'
import { CellarError, type ChunkId } from '../../../../protocol/index.ts'
import { type ChunkStore, memoryStore } from '../../../../storage/index.ts'
import { Events, type NodeEvent } from '../../../../node/events.ts'
import { againMs, gatherMs, Mender, sourceEveryMs, sourceRestMs } from '../../../../node/watching/mender.ts'
import { testTree } from '../../../support/chunks.ts'
import { testSigner } from '../../../support/mesh.ts'
import { ManualClock } from '../manual-clock.ts'

describe('a mender', () => {
  const tree = testTree('mended', 6)
  const [first, second] = tree.chunks.map(({ id }) => id) as [ChunkId, ChunkId]
  const peer = testSigner(2).device
  let damaged: Set<ChunkId>
  let store: ChunkStore
  let events: Events
  let clock: ManualClock
  let told: NodeEvent[]
  /** What peers in reach have; undefined: none is in reach. */
  let peers: Set<ChunkId> | undefined
  let askedOfPeers: number
  /** What the sources still give. */
  let source: Set<ChunkId> | undefined
  let sealed: number
  let counts: { bad: number; mended: number }
  let published: number
  /** What noting waits for. */
  let noting: Promise<undefined>
  let mender: Mender
  let end: AbortController
  let work: Promise<void>

  const bytesOf = (id: ChunkId) => tree.chunks.find((chunk) => chunk.id === id)!.bytes
  const codes = () => told.flatMap((event) => (event.kind === 'trouble' ? [event.code] : []))
  const mended = () => told.flatMap((event) => (event.kind === 'mended' ? [`${event.from} ${event.id}`] : []))

  function findBad(id: ChunkId): void {
    damaged.add(id)
    events.emit({ kind: 'bad-chunk', id })
  }

  function make(): Mender {
    return new Mender({
      store,
      events,
      clock,
      openPeers: (waits) => {
        assert.equal(waits, false)
        askedOfPeers++
        const has = peers
        if (has === undefined) return Promise.resolve(undefined)
        return Promise.resolve({
          get: (id: ChunkId) =>
            has.has(id)
              ? Promise.resolve(bytesOf(id))
              : Promise.reject(new CellarError('CHUNK_NOT_FOUND', 'nobody', { id })),
          close: () => Promise.resolve(),
        })
      },
      sealSources: async (isEnough) => {
        sealed++
        for (const id of source ?? []) {
          if (isEnough()) return
          await store.put(id, bytesOf(id))
        }
      },
      publish: () => {
        published++
        return Promise.resolve(true)
      },
      note: ({ bad, mended: good }) => {
        counts = { bad: counts.bad + bad, mended: counts.mended + good }
        return noting
      },
    })
  }

  beforeEach(async () => {
    damaged = new Set()
    store = memoryStore({ damaged })
    for (const { id, bytes } of tree.chunks) await store.put(id, bytes)
    await store.hold(tree.root.id)
    events = new Events()
    clock = new ManualClock()
    told = []
    events.on((event) => told.push(event))
    peers = new Set()
    source = undefined
    askedOfPeers = sealed = published = 0
    counts = { bad: 0, mended: 0 }
    noting = Promise.resolve(undefined)
    mender = make()
    end = new AbortController()
    work = mender.run(end.signal)
  })
  afterEach(async () => {
    end.abort(new CellarError('ABORTED', 'the test is over'))
    await work
    await mender.close()
  })

  it('V1.2 sets a bad chunk aside at once, and counts it once however often it is told of', async () => {
    findBad(first)
    findBad(first)
    await clock.advance(0)
    assert.equal(store.has(first), false)
    assert.deepEqual(store.quarantined(), [first])
    assert.equal(store.isComplete(tree.root.id), false)
    assert.equal(counts.bad, 1)
  })

  it('takes it from a peer in reach, and says so', async () => {
    peers = new Set([first, second])
    findBad(first)
    findBad(second)
    await clock.advance(gatherMs)
    assert.deepEqual(mended().sort(), [`peer ${first}`, `peer ${second}`].sort())
    assert.deepEqual(store.quarantined(), [])
    assert.equal(store.isComplete(tree.root.id), true)
    assert.deepEqual(codes(), ['DISK_ROTS'])
    assert.deepEqual(counts, { bad: 2, mended: 2 })
    assert.equal(published, 1)
    assert.equal(sealed, 0)
  })

  it('counts as mended what replication has fetched meanwhile', async () => {
    peers = undefined
    findBad(first)
    await clock.advance(0)
    await store.put(first, bytesOf(first))
    await clock.advance(gatherMs)
    assert.deepEqual(mended(), [`peer ${first}`])
    assert.equal(sealed, 0)
  })

  it('V1.2 leaves a chunk alone that was found bad, and is good by now', async () => {
    events.emit({ kind: 'bad-chunk', id: first })
    await clock.advance(gatherMs)
    assert.deepEqual(store.quarantined(), [])
    assert.deepEqual([counts, codes(), askedOfPeers], [{ bad: 0, mended: 0 }, [], 0])
  })

  it('V1.2 does not set aside again what came while others were noted', async () => {
    let noted: (value: undefined) => void = () => undefined
    noting = new Promise((resolve) => (noted = resolve))
    findBad(first)
    findBad(second)
    await clock.advance(0)
    await store.put(second, bytesOf(second))
    noted(undefined)
    await clock.advance(0)
    assert.deepEqual(store.quarantined(), [first])
  })

  it('makes it again from the sources when no peer has it', async () => {
    source = new Set([first])
    findBad(first)
    await clock.advance(gatherMs)
    assert.deepEqual(mended(), [`source ${first}`])
    assert.deepEqual(codes(), ['DISK_ROTS'])
  })

  it('V2.1 tells once of what nobody has, keeps it aside, and mends it when a peer comes', async () => {
    findBad(first)
    await clock.advance(gatherMs)
    assert.deepEqual(codes(), ['CHUNK_LOST'])
    assert.equal(store.has(first), false)
    await clock.advance(3 * againMs)
    assert.deepEqual(codes(), ['CHUNK_LOST'])
    peers = new Set([first])
    events.emit({ kind: 'contact', device: peer })
    await clock.advance(gatherMs)
    assert.deepEqual(mended(), [`peer ${first}`])
  })

  it('V2.1 asks again every hour', async () => {
    findBad(first)
    await clock.advance(gatherMs)
    const before = askedOfPeers
    peers = new Set([first])
    await clock.advance(againMs + gatherMs)
    assert.ok(askedOfPeers > before)
    assert.deepEqual(mended(), [`peer ${first}`])
  })

  it('V2.2 reads the sources for the same chunks every six hours, and for others after a minute', async () => {
    findBad(first)
    await clock.advance(gatherMs)
    assert.equal(sealed, 1)
    await clock.advance(sourceEveryMs - 2 * againMs)
    assert.equal(sealed, 1)
    findBad(second)
    await clock.advance(gatherMs)
    assert.equal(sealed, 2)
    await clock.advance(sourceEveryMs + againMs)
    assert.equal(sealed, 3)
  })

  it('V2.2 waits for a minute after the last time', async () => {
    findBad(first)
    await clock.advance(gatherMs)
    findBad(second)
    await clock.advance(sourceRestMs / 2)
    assert.equal(sealed, 1)
    await clock.advance(sourceRestMs)
    assert.equal(sealed, 2)
  })

  it('V2.2 does so after a minute with what an earlier process left', async () => {
    await store.quarantine(first)
    source = new Set([first])
    const next = make()
    const stop = new AbortController()
    const nexts = next.run(stop.signal)
    await clock.advance(sourceRestMs / 2)
    assert.equal(sealed, 0)
    await clock.advance(sourceRestMs)
    assert.equal(sealed, 1)
    assert.equal(store.has(first), true)
    stop.abort(new CellarError('ABORTED', 'over'))
    await nexts
    await next.close()
  })

  it('forgets what nothing needs any more', async () => {
    findBad(first)
    await clock.advance(gatherMs)
    await store.release(tree.root.id)
    await store.reclaim({ mayReclaim: () => true, unfinished: true })
    const before = askedOfPeers
    await clock.advance(againMs + gatherMs)
    await clock.advance(againMs + gatherMs)
    assert.ok(askedOfPeers <= before + 1)
    assert.deepEqual(mended(), [])
  })
})
