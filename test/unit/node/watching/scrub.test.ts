/** Scrubbing of a whole node: where it goes on, what it does with what is bad, and what it leaves alone. */
import assert from 'node:assert/strict'
import type { RootId } from '../../../../protocol/index.ts'
import type { ScrubEvent, ScrubSummary } from '../../../../node/api.ts'
import type { NodeEvent } from '../../../../node/events.ts'
import { scrub } from '../../../../node/watching/scrub.ts'
import { scrubTask } from '../../../../node/watching/tasks.ts'
import { MemoryDisk } from '../../../../storage/memory-disk.ts'
import { memoryKeyValue } from '../../../../storage/memory-key-value.ts'
import { openStore } from '../../../../storage/open-store.ts'
import { makeSnapshot, type TestNode, testNode } from '../../../support/node.ts'
import { testMembership } from '../../../support/mesh.ts'

const packBytes = 4000
const dayMs = 86_400_000

describe('scrubbing by a node', () => {
  const { membership } = testMembership([])
  let disk: MemoryDisk
  let node: TestNode
  let told: NodeEvent[]
  let root: RootId

  beforeEach(async () => {
    disk = new MemoryDisk()
    const map = memoryKeyValue()
    const store = await openStore({
      dir: '/store',
      disk,
      reserveBytes: 0,
      headroomBytes: 0,
      packBytes,
      openIndex: () => Promise.resolve(map),
    })
    node = await testNode({ number: 1, membership, store })
    root = await makeSnapshot(node, {
      content: Array.from({ length: 12 }, (_, at) => `leaf ${String(at)}`),
      bytes: 900,
    })
    await makeSnapshot(node, { content: ['newer'] })
    told = []
    node.parts.events.on((event) => told.push(event))
  })
  afterEach(() => node.close())

  const packs = () => node.store.stats().packs
  const place = () => node.parts.watching.record.scrub
  async function run(bytes: number, events: ScrubEvent[] = []): Promise<ScrubSummary> {
    const { signal } = new AbortController()
    const onEvent = (event: ScrubEvent) => void events.push(event)
    return await scrub(node.parts, { bytes, limit: undefined }, { signal, onEvent, isAsked: false })
  }
  /** Flips a bit in the middle of a pack. */
  const rot = (pack: number) => {
    disk.flip(`/store/packs/0000000${String(pack)}.pack`, packBytes / 2, 4)
  }

  it('V1.1 goes on where it stopped, in another process too, and begins anew behind the last pack', async () => {
    assert.ok(packs() > 3)
    assert.equal((await run(1)).packs_read, 1)
    assert.equal(place().pack, 1)
    assert.ok(place().roundStartedMs > 0)
    node = await testNode({ number: 1, membership, before: node })
    assert.equal((await run(1)).packs_read, 1)
    assert.equal(place().pack, 2)
    const rest = await run(1e9)
    assert.equal(rest.round_done, true)
    // Round to where this scrub began, and not once more.
    assert.equal(rest.packs_read, packs())
    assert.equal(place().pack, 2)
    assert.equal(place().lastRoundMs, node.clock.nowMs())
  })

  it('V1.1 keeps its place when it is stopped', async () => {
    const end = new AbortController()
    const stopped = scrub(
      node.parts,
      { bytes: 1e9, limit: undefined },
      {
        signal: end.signal,
        isAsked: false,
        onEvent: () => {
          if (place().pack === 0) return
          end.abort(new Error('enough'))
        },
      },
    )
    await stopped.catch(() => undefined)
    assert.ok(place().pack >= 1)
  })

  it('V1.2 sets aside what is bad, tells of it, and of nothing else', async () => {
    rot(2)
    const events: ScrubEvent[] = []
    const summary = await run(1e9, events)
    assert.deepEqual([summary.chunks_bad, summary.chunks_mended], [1, 0])
    const [bad] = node.store.quarantined()
    assert.ok(bad !== undefined)
    assert.equal(node.store.has(bad), false)
    assert.equal(node.store.isComplete(root), false)
    assert.deepEqual(
      events.flatMap((event) => (event.message_type === 'error' ? [[event.code, event.chunk]] : [])),
      [['CHUNK_CORRUPT', bad]],
    )
    assert.deepEqual(
      told.flatMap((event) => (event.kind === 'trouble' ? [event.code] : [])),
      ['CHUNK_LOST'],
    )
    const { watching, problems } = await node.call('status', {})
    assert.deepEqual([watching.bad_chunks, watching.scrub.chunks_bad], [1, 1])
    assert.ok(problems.some(({ code }) => code === 'CHUNK_CORRUPT'))
    assert.equal((await run(1e9)).chunks_bad, 0)
  })

  it('V1.3 is no use of the store that reclaiming waits for', async () => {
    let isInUse: boolean | undefined
    const off = node.parts.events.on(({ kind }) => {
      if (kind === 'session') isInUse ??= node.parts.jobs.isStoreInUse
    })
    await run(1)
    off()
    assert.equal(isInUse, false)
  })

  it('by the schedule reads a share for each day', async () => {
    node.parts.settings.change({ ...node.parts.config, scrub: { percentPerDay: 20, limit: undefined } })
    const task = scrubTask(node.parts, node.parts.config)
    const { signal } = new AbortController()
    await task.run(signal)
    const first = place().pack
    assert.ok(first >= 1 && first < packs() / 2)
    await node.clock.advance(5 * dayMs)
    assert.deepEqual((await task.run(signal)).outcome, 'done')
    assert.ok(place().lastRoundMs > 0)
  })

  it('by the schedule ends partly when something is bad and could not be mended', async () => {
    rot(1)
    const task = scrubTask(node.parts, {
      ...node.parts.config,
      scrub: { percentPerDay: 100, limit: undefined },
    })
    node.parts.settings.change({ ...node.parts.config, scrub: { percentPerDay: 100, limit: undefined } })
    const result = await task.run(new AbortController().signal)
    assert.equal(result.outcome, 'partly')
    assert.match(result.message ?? '', /damaged chunk/)
  })

  it('reads as slowly as it is told to', async () => {
    const { clock } = node
    const large = await makeSnapshot(node, { content: ['large'], bytes: 600_000 })
    assert.ok(node.store.isComplete(large))
    let isDone = false
    const work = scrub(
      node.parts,
      { bytes: 1e9, limit: 100 },
      { signal: new AbortController().signal, isAsked: false, onEvent: () => undefined },
    ).then(() => (isDone = true))
    await clock.advance(3000)
    assert.equal(isDone, false)
    await clock.advance(10_000)
    await work
  })
})
