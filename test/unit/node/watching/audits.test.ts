/** Copies that another device says it has and cannot prove: doubted, not counted, and asked for again. */
import assert from 'node:assert/strict'
import type { ChunkId, RootId } from '../../../../protocol/index.ts'
import { type ChunkStore, memoryStore } from '../../../../storage/index.ts'
import { runAudits } from '../../../../node/watching/audits.ts'
import { auditTask } from '../../../../node/watching/tasks.ts'
import { MemoryHub, testMembership } from '../../../support/mesh.ts'
import { makeSnapshot, type TestNode, testNode } from '../../../support/node.ts'
import { ManualClock } from '../manual-clock.ts'

/** A store that has lost chunks without noticing: it says that it has none of it, and still says what it held. */
class Lossy {
  readonly lost = new Set<ChunkId>()
  readonly store: ChunkStore

  constructor() {
    const store = memoryStore()
    const has = (id: ChunkId) => !this.lost.has(id) && store.has(id)
    this.store = new Proxy(store, {
      get: (target, name) => {
        if (name === 'has') return has
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
}

describe('asking others for proofs', () => {
  const { membership } = testMembership(['writer'])
  const signal = () => new AbortController().signal
  let hub: MemoryHub
  let clock: ManualClock
  let desktop: TestNode
  let pi: TestNode
  let disk: ChunkStore
  let lossy: Lossy
  let roots: RootId[]

  beforeEach(async () => {
    hub = new MemoryHub()
    clock = new ManualClock()
    lossy = new Lossy()
    disk = memoryStore()
    desktop = await testNode({ number: 1, membership, clock, hub, store: disk })
    pi = await testNode({ number: 2, membership, clock, hub, store: lossy.store })
    await link()
    roots = []
    for (let n = 0; n < 3; n++) roots.push(await makeSnapshot(desktop, { path: `/of ${String(n)}` }))
    for (let n = 0; n < 30; n++) await clock.advance(1000)
    assert.equal((await desktop.call('status', {})).snapshots.complete, 3)
  })
  afterEach(async () => {
    await desktop.close()
    await pi.close()
  })

  async function link(): Promise<void> {
    const { network } = await pi.parts.connect()
    const here = await desktop.parts.connect()
    await here.network.dial(network.addresses()[0] ?? '', AbortSignal.timeout(5000))
    for (let n = 0; n < 5; n++) await clock.advance(1000)
  }
  /** Every chunk of a root is gone over there. */
  function lose(root: RootId): void {
    const stack: ChunkId[] = [root]
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      lossy.lost.add(id)
      stack.push(...disk.links(id))
    }
  }

  it('finds nothing where everything is there', async () => {
    const summary = await runAudits(desktop.parts, signal())
    assert.deepEqual(summary, {
      message_type: 'summary',
      devices_asked: 1,
      snapshots_proven: 3,
      snapshots_failed: 0,
      snapshots_put_off: 0,
    })
    const { watching } = await desktop.call('status', {})
    assert.deepEqual([watching.audit.proven, watching.audit.failed, watching.audit.doubted], [3, 0, []])
  })

  it('asks nobody where nobody is in reach, and that is no failure', async () => {
    await pi.close()
    for (let n = 0; n < 5; n++) await clock.advance(1000)
    const { outcome, summary } = await auditTask(desktop.parts, desktop.parts.config).run(signal())
    assert.equal(outcome, 'done')
    assert.equal(summary?.['devices_asked'], 0)
  })

  it('V3.1 counts no copy that could not be proven, after a restart too, until it was proven', async () => {
    lose(roots[1] as RootId)
    const { outcome } = await auditTask(desktop.parts, desktop.parts.config).run(signal())
    assert.equal(outcome, 'partly')
    const copies = async () => {
      const { snapshots, watching } = await desktop.call('status', {})
      const listed = await desktop.call('snapshots', {
        snapshots: [],
        filter: { devices: [], paths: [], tags: [] },
      })
      return {
        complete: snapshots.complete,
        onOwner: snapshots.only_on_owner,
        doubted: watching.audit.doubted.map(({ snapshots: count }) => count),
        copies: roots.map((root) => listed.find(({ id }) => id === root)?.copies),
      }
    }
    const doubtful = { complete: 2, onOwner: 1, doubted: [1], copies: [2, 1, 2] }
    assert.deepEqual(await copies(), doubtful)
    await desktop.close()
    desktop = await testNode({ number: 1, membership, hub, before: desktop })
    await link()
    assert.deepEqual(await copies(), doubtful)
    lossy.lost.clear()
    await clock.advance(3_700_000)
    await runAudits(desktop.parts, signal())
    assert.deepEqual(await copies(), { complete: 3, onOwner: 0, doubted: [], copies: [2, 2, 2] })
  })

  it('V3.1 forgets a doubt about a copy that is no longer said to be there', async () => {
    lose(roots[0] as RootId)
    await runAudits(desktop.parts, signal())
    assert.equal(desktop.parts.watching.doubts.isEmpty, false)
    const root = roots[0] as RootId
    const [live] = desktop.parts.ledger.live().filter((one) => one.root === root)
    assert.ok(live !== undefined)
    await desktop.parts.ledger.forget([{ dot: live.dot, root, reason: 'person' }])
    await runAudits(desktop.parts, signal())
    assert.equal(desktop.parts.watching.doubts.isEmpty, true)
  })

  it('V3.2 asks for the very chunks again that could not be proven', async () => {
    const content = Array.from({ length: 400 }, (_, at) => `one of many ${String(at)}`)
    const root = await makeSnapshot(desktop, { content, path: '/many' })
    for (let n = 0; n < 10; n++) await clock.advance(1000)
    const { device } = pi.parts.signer
    const { auditor } = (await desktop.parts.connect()).online
    const leaves = disk.links(disk.links(root)[0] as ChunkId)
    // One that no sample comes upon: it is proven whole, though it is not.
    const isMissed = async (leaf: ChunkId) => {
      lossy.lost.clear()
      lossy.lost.add(leaf)
      return (await auditor.audit(device, root, signal())) === 'proven'
    }
    let leaf: ChunkId | undefined
    for (const one of leaves.slice(0, 20)) if (leaf === undefined && (await isMissed(one))) leaf = one
    assert.ok(leaf !== undefined)
    await desktop.parts.watching.doubts.note(device, root, [leaf])
    for (let n = 0; n < 5; n++) {
      assert.equal(await auditor.audit(device, root, signal()), 'failed')
      assert.deepEqual(desktop.parts.watching.doubts.lacking(device, root), [leaf])
    }
    lossy.lost.clear()
    assert.equal(await auditor.audit(device, root, signal()), 'proven')
    assert.equal(desktop.parts.watching.doubts.has(device, root), false)
  })
})
