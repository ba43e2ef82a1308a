/** `prune`, and what trash and status say of what waits: for whom, since when, and how much. */
import assert from 'node:assert/strict'
import { changeMember, removeMember, type RootId } from '../../../../protocol/index.ts'
import { testChunk } from '../../../support/chunks.ts'
import { makeSnapshot, publish, tell, type TestNode, testNode } from '../../../support/node.ts'
import { testSigner } from '../../../support/mesh.ts'
import { dayMs, household } from './household.ts'
import { ManualClock } from '../manual-clock.ts'

const all = { dryRun: false, unfinished: false }
const dry = { dryRun: true, unfinished: false }
const bare = { holdWindowMs: 0, floorAgeMs: 0, floorNewest: 0 }

async function forget({ parts }: TestNode, root: RootId): Promise<void> {
  const forgets = parts.ledger.live().filter((live) => live.root === root)
  await parts.ledger.forget(forgets.map(({ dot }) => ({ dot, root, reason: 'person' as const })))
}

describe('prune', () => {
  let open: TestNode[] = []
  const start = async (config = {}, leaning: readonly number[] = []) => {
    let membership = household()
    for (const number of leaning) {
      const { device } = testSigner(number)
      const capabilities = new Set([...(membership.members.get(device)?.capabilities ?? []), 'lean' as const])
      membership = changeMember(membership, testSigner(1), { device, atMs: 0, capabilities })
    }
    const clock = new ManualClock()
    const desktop = await testNode({ number: 1, membership, clock, config: { ...bare, ...config } })
    open.push(desktop)
    return desktop
  }
  const bytesOf = async (node: TestNode, ...roots: RootId[]) => (await node.parts.store.freedBy(roots)).bytes
  afterEach(async () => {
    for (const node of open) await node.close()
    open = []
  })

  it('frees what waits for nothing, once a peer could be told', async () => {
    const desktop = await start()
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await publish(desktop)
    const pruning = desktop.call('prune', all)
    await desktop.clock.advance(10_000) // nobody answers
    const first = await pruning
    assert.equal(first.snapshots_released, 0)
    assert.deepEqual(
      first.waiting.map(({ block, snapshot_ids, bytes }) => ({ kind: block.kind, snapshot_ids, bytes })),
      [{ kind: 'contact', snapshot_ids: [root], bytes: await bytesOf(desktop, root) }],
    )
    await publish(desktop)
    const result = await desktop.call('prune', all)
    assert.equal(result.snapshots_released, 1)
    assert.equal(result.chunks_removed, 3)
    assert.ok(result.bytes_removed > 0)
    assert.deepEqual(result.waiting, [])
    assert.equal(desktop.store.has(root), false)
  })

  it('U8.1 says what it would do, changes nothing and asks nobody', async () => {
    const desktop = await start()
    const [gone, kept] = [
      await makeSnapshot(desktop, { content: ['a', 'b'] }),
      await makeSnapshot(desktop, { content: ['a'] }),
    ]
    await forget(desktop, gone)
    await publish(desktop)
    const { parts } = desktop
    // Contact is what it would wait for next; alone it would not.
    for (const number of [2, 3])
      await parts.ledger.changeMembership((now, by) =>
        removeMember(now, by, { device: testSigner(number).device, atMs: 0 }),
      )
    const staged = testChunk('staged')
    await parts.store.put(staged.id, staged.bytes)
    await parts.store.commit()
    const foreseen = await desktop.call('prune', dry)
    assert.equal(foreseen.dry_run, true)
    assert.equal(foreseen.snapshots_released, 1)
    assert.ok(parts.store.isHeld(gone) && parts.store.isHeld(kept) && parts.ledger.saysHeld(gone))
    const { bytes_removed, chunks_removed } = await desktop.call('prune', all)
    assert.deepEqual({ bytes_removed, chunks_removed }, pick(foreseen))
    assert.ok(parts.store.isComplete(kept))
    assert.equal(parts.store.has(staged.id), false)
  })

  it('names for each thing that is waited for the snapshots and the bytes that only they need here', async () => {
    const desktop = await start({ holdWindowMs: 7 * dayMs })
    const first = await makeSnapshot(desktop, { content: ['shared', 'first'] })
    const second = await makeSnapshot(desktop, { content: ['shared', 'second'] })
    await makeSnapshot(desktop)
    for (const root of [first, second]) await forget(desktop, root)
    await publish(desktop)
    const { waiting } = await desktop.call('prune', dry)
    assert.equal(waiting.length, 1)
    const [one] = waiting
    assert.equal(one?.block.kind, 'hold-window')
    assert.match(one.block.message, /7 days/)
    assert.equal(one.block.until, new Date(desktop.clock.nowMs() + 7 * dayMs).toISOString())
    assert.deepEqual([...one.snapshot_ids].sort(), [first, second].sort())
    assert.equal(one.bytes, await bytesOf(desktop, first, second))
    const apart = (await bytesOf(desktop, first)) + (await bytesOf(desktop, second))
    assert.ok(one.bytes > apart, 'what both need goes with both')
  })

  it('names who leans, since when it was not heard of, and what its removal would free', async () => {
    const desktop = await start({}, [2, 3])
    const laptop = await testNode({
      number: 2,
      membership: desktop.parts.ledger.membership,
      clock: desktop.clock,
    })
    open.push(laptop)
    await desktop.clock.advance(1000)
    await publish(laptop)
    await tell(laptop, desktop)
    const heardMs = desktop.clock.nowMs()
    await desktop.clock.advance(dayMs)
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await publish(desktop)
    const both = await desktop.call('prune', dry)
    assert.deepEqual(
      both.waiting.map(({ block, bytes_if_removed }) => [block.kind, block.device, bytes_if_removed]),
      [
        ['leaning', 'laptop', 0],
        ['leaning', 'pi', 0],
      ],
      'removing one of two frees nothing yet',
    )
    assert.equal(both.waiting[0]?.block.since, new Date(heardMs).toISOString())
    assert.equal(both.waiting[1]?.block.since, undefined)
    await desktop.parts.ledger.changeMembership((now, by) =>
      removeMember(now, by, { device: testSigner(3).device, atMs: 0 }),
    )
    await publish(desktop)
    const { waiting } = await desktop.call('prune', dry)
    assert.deepEqual(
      waiting.map(({ block, bytes_if_removed }) => [block.device, bytes_if_removed]),
      [['laptop', await bytesOf(desktop, root)]],
    )
    const trash = await desktop.call('trash', {})
    assert.deepEqual(
      trash[0]?.waits_for,
      waiting.map(({ block }) => block),
    )
    const status = await desktop.call('status', {})
    assert.deepEqual(status.trash, { snapshots: 1, waiting: waiting.map(({ block }) => block) })
  })

  it('says that a backup under way goes first', async () => {
    const desktop = await start()
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await publish(desktop)
    await desktop.parts.reaper.reap({ signal: new AbortController().signal })
    await publish(desktop)
    const session = await desktop.parts.ledger.openSession('s')
    const { waiting, snapshots_released } = await desktop.call('prune', all)
    assert.equal(snapshots_released, 0)
    assert.deepEqual(
      waiting.map(({ block }) => block.kind),
      ['session'],
    )
    await desktop.parts.ledger.closeSession(session)
  })

  it('U7.3 --unfinished drops what an interrupted backup has stored', async () => {
    const desktop = await start()
    const { ledger, store } = desktop.parts
    const staged = testChunk('staged')
    const session = await ledger.openSession('s')
    await store.put(staged.id, staged.bytes)
    await store.commit()
    await ledger.closeSession(session)
    await desktop.call('prune', all)
    assert.ok(store.has(staged.id))
    const foreseen = await desktop.call('prune', { dryRun: true, unfinished: true })
    assert.equal(foreseen.chunks_removed, 1)
    assert.ok(store.has(staged.id))
    await desktop.call('prune', { dryRun: false, unfinished: true })
    assert.equal(store.has(staged.id), false)
    assert.equal(ledger.unfinishedForMs, undefined)
  })
})

function pick({ bytes_removed, chunks_removed }: { bytes_removed: number; chunks_removed: number }) {
  return { bytes_removed, chunks_removed }
}
