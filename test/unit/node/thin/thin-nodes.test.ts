/** A thin laptop among a desktop and a box: real nodes, files and trees, stores in memory, time that is told. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupSummary } from '../../../../node/api.ts'
import { remakerOf } from '../../../../node/operations/thin.ts'
import type { ChunkId, RootId } from '../../../../protocol/index.ts'
import { MemoryHub } from '../../../support/mesh.ts'
import { every, publish, type TestNode, testNode } from '../../../support/node.ts'
import { household } from '../deletion/household.ts'
import { makeDirectory, noise } from '../backup/helper.ts'
import { ManualClock } from '../manual-clock.ts'
import { contents, read } from './reading.ts'

describe('a thin device', function () {
  this.timeout(60_000)
  let hub: MemoryHub
  let clock: ManualClock
  let desktop: TestNode
  let laptop: TestNode
  let box: TestNode
  let source: string

  beforeEach(async () => {
    hub = new MemoryHub()
    clock = new ManualClock()
    const membership = household()
    const shared = { membership, clock, hub, isRunning: true, config: { holdWindowMs: 0, floorAgeMs: 0 } }
    desktop = await testNode({ ...shared, number: 1 })
    laptop = await testNode({ ...shared, number: 2 })
    box = await testNode({ ...shared, number: 3, isBlind: true })
    source = makeDirectory()
    for (let n = 0; n < 20; n++) write(`file ${String(n)}`, 4000 + n, n)
    mkdirSync(join(source, 'inside', 'empty'), { recursive: true })
    write('inside/large', 900_000, 77)
  })
  afterEach(async () => {
    for (const node of [laptop, desktop, box]) await node.close()
    rmSync(source, { recursive: true })
  })

  function write(name: string, bytes: number, seed: number): void {
    writeFileSync(join(source, name), noise(bytes, seed))
  }

  async function backUp(node = laptop): Promise<BackupSummary & { readonly root: RootId }> {
    const summary = await node.call('backup', {
      paths: [source],
      excludes: [],
      iexcludes: [],
      excludeCaches: false,
      excludeIfPresent: [],
      oneFileSystem: false,
      tags: [],
      dryRun: false,
      skipIfUnchanged: false,
      verbose: false,
    })
    return { ...summary, root: summary.snapshot_id as RootId }
  }

  /** Brings nodes together. */
  async function meet(...nodes: readonly TestNode[]): Promise<void> {
    for (const node of nodes) await node.parts.connect()
    for (const [at, node] of nodes.entries()) {
      for (const other of nodes.slice(0, at)) {
        hub.mend(node.parts.signer.device, other.parts.signer.device)
        const [address] = other.parts.connected()?.network.addresses() ?? []
        await node.parts.connected()?.network.dial(address ?? '', AbortSignal.timeout(5000))
      }
    }
    await settle(1)
  }

  function part(one: TestNode, ...others: readonly TestNode[]): void {
    for (const other of others) hub.cut(one.parts.signer.device, other.parts.signer.device)
  }

  async function settle(minutes: number): Promise<void> {
    for (let n = 0; n < minutes * 6; n++) await clock.advance(10_000)
  }

  async function makeThin(): Promise<void> {
    await desktop.call('deviceThin', { device: 'laptop', thin: true })
    await settle(1)
  }

  const store = () => laptop.parts.store

  it('drops what is in its files once all that store have proven to hold it, and keeps its trees', async () => {
    await meet(desktop, laptop)
    await makeThin()
    const { root } = await backUp()
    const content = contents(laptop, root)
    assert.ok(content.length >= 3)
    await settle(3)
    assert.ok(desktop.parts.store.isHeld(root))
    assert.ok(
      content.every((id) => store().has(id)),
      'the box has not got it yet: two are wanted',
    )
    await meet(desktop, laptop, box)
    await settle(3)
    assert.ok(box.parts.store.isHeld(root))
    assert.deepEqual(
      [store().isHeld(root), store().isComplete(root), store().has(root)],
      [false, false, true],
    )
    assert.deepEqual([...store().missingBelow(root)].sort(), content.filter((id) => !store().has(id)).sort())
    assert.ok(
      content.filter((id) => store().has(id)).length <= 1,
      'an empty directory is a tree without links',
    )
    const status = await laptop.call('status', {})
    assert.deepEqual(status.thin, { snapshots: 1, kept: 0, trees_only: 1, elsewhere: 0 })
    assert.deepEqual([status.own_snapshots.complete, status.problems], [1, []])
    const check = await laptop.call('check', { readData: true, repair: false, snapshots: [] })
    assert.equal(check.num_errors, 0)
    const named = await laptop.call('check', { readData: true, repair: false, snapshots: [root] })
    assert.deepEqual([named.num_errors, named.snapshots_checked], [0, 1])
    assert.equal((await read(laptop, root)).size, 21)
  })

  it('stores only what is new after that, away from the others too, and gives it to them later', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    const first = await backUp()
    await settle(4)
    assert.equal(store().isComplete(first.root), false)
    const before = store().stats().bytes
    part(laptop, desktop, box)
    await settle(1)
    write('new', 300_000, 100)
    const second = await backUp()
    assert.deepEqual([second.files_new, second.files_unmodified], [1, 21])
    const grown = store().stats().bytes - before
    assert.ok(grown > 300_000 && grown < 350_000, String(grown))
    write('newer', 50_000, 101)
    const third = await backUp()
    assert.deepEqual([third.files_new, third.files_unmodified], [1, 22])
    assert.ok(store().stats().bytes - before < 420_000, 'it leans on what it leaned on before')
    assert.deepEqual((await laptop.call('status', {})).thin, {
      snapshots: 3,
      kept: 2,
      trees_only: 1,
      elsewhere: 0,
    })
    const names = [...laptop.parts.ledger.leaned()].sort()
    assert.deepEqual(names, [second.root, third.root].sort())
    await meet(desktop, laptop, box)
    await settle(6)
    for (const { root } of [second, third]) {
      assert.ok(desktop.parts.store.isHeld(root))
      assert.ok(box.parts.store.isHeld(root))
    }
    assert.equal(laptop.parts.ledger.leaned().size, 0)
    assert.ok(store().stats().bytes - before < 30_000, 'what is new is dropped too')
    assert.equal((await read(laptop, third.root)).size, 23)
    assert.deepEqual((await laptop.call('status', {})).problems, [])
    const listing = laptop.parts.ledger.view.lanes.get(`${laptop.parts.signer.device}/1` as never)
    assert.equal(listing?.body.leans, false)
  })

  it('R5.4 keeps what is new until all that should have proven to hold it, over a restart too', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    await backUp()
    await settle(4)
    part(laptop, desktop, box)
    await settle(1)
    write('new', 300_000, 100)
    const second = await backUp()
    const fresh = contents(laptop, second.root).filter((id) => store().has(id))
    assert.ok(fresh.length > 0)
    part(desktop, box)
    await meet(desktop, laptop)
    await settle(4)
    assert.ok(desktop.parts.store.isHeld(second.root))
    await laptop.call('prune', { dryRun: false, unfinished: true })
    assert.ok(
      fresh.every((id) => store().has(id)),
      'one of two has it',
    )
    await laptop.close()
    laptop = await testNode({ number: 2, membership: household(), hub, isRunning: true, before: laptop })
    assert.deepEqual([...laptop.parts.ledger.leaned()], [second.root])
    await meet(desktop, laptop)
    await settle(4)
    await laptop.call('prune', { dryRun: false, unfinished: true })
    assert.ok(fresh.every((id) => store().has(id)))
    await meet(desktop, laptop, box)
    await settle(6)
    assert.equal(laptop.parts.ledger.leaned().size, 0)
    assert.ok(fresh.filter((id) => store().has(id)).length <= 1)
  })

  it('gives what it leaned on to the others also when it leans no more', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    await backUp()
    await settle(4)
    part(laptop, desktop, box)
    await settle(1)
    write('new', 300_000, 100)
    const second = await backUp()
    await desktop.call('deviceThin', { device: 'laptop', thin: false })
    await meet(desktop, laptop, box)
    await settle(6)
    for (const node of [desktop, box, laptop]) assert.ok(node.parts.store.isHeld(second.root))
  })

  it('Y3.2 keeps the trees of its newest snapshots only', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    const roots: RootId[] = []
    for (let n = 0; n < 5; n++) {
      write('changing', 2000, 200 + n)
      roots.push((await backUp()).root)
      await settle(4)
    }
    await backUp()
    await settle(4)
    const has = roots.map((root) => store().has(root))
    assert.deepEqual(has, [false, false, false, true, true])
    const { thin } = await laptop.call('status', {})
    assert.deepEqual(thin, { snapshots: 6, kept: 0, trees_only: 3, elsewhere: 3 })
  })

  it('leans on nothing that was forgotten, and reads those files again', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    const first = await backUp()
    await settle(4)
    const before = store().stats().bytes
    await desktop.call('forget', { snapshots: [first.root], filter: every, dryRun: false })
    await settle(1)
    const second = await backUp()
    assert.ok(store().stats().bytes - before > 900_000, 'all is stored again')
    assert.ok(store().isHeld(second.root))
    await settle(4)
    assert.ok(box.parts.store.isHeld(second.root))
  })

  it('leans on nothing while the membership is forked, or once it may not any more', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    await backUp()
    await settle(4)
    const { ledger } = laptop.parts
    assert.ok((await ledger.openSession('s')).leanable.size > 0)
    await ledger.closeSession({ id: 's' })
    const state = (ledger as unknown as { state: { isForked: boolean } }).state
    state.isForked = true
    assert.equal(ledger.leanable().size, 0)
    assert.equal(
      await ledger.announce(
        { root: 'aa'.repeat(32) as RootId, source: new Uint8Array(16), sizeClass: 1 },
        true,
      ),
      false,
    )
    const second = await backUp()
    assert.ok(store().isHeld(second.root), 'all of it is here')
    state.isForked = false
  })

  it('is full again when a keeper says so, and fetches what it should hold', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    const { root } = await backUp()
    await settle(4)
    assert.equal(store().isComplete(root), false)
    const done = await desktop.call('deviceThin', { device: 'laptop', thin: false })
    assert.equal(done.thin, false)
    await settle(2)
    assert.ok(store().isHeld(root))
    assert.equal((await laptop.call('status', {})).thin, undefined)
  })

  it('is refused where nobody else stores, and to who makes no backups', async () => {
    await meet(desktop, laptop, box)
    await assert.rejects(desktop.call('deviceThin', { device: 'pi', thin: true }), { code: 'USAGE' })
    await assert.rejects(laptop.call('deviceThin', { device: 'laptop', thin: true }), {
      code: 'NOT_ENTITLED',
    })
    await desktop.call('deviceThin', { device: 'laptop', thin: true })
    await desktop.call('deviceRemove', { device: 'pi' })
    await assert.rejects(desktop.call('deviceThin', { device: 'desktop', thin: true }), { code: 'USAGE' })
  })

  it('makes a chunk again that is nowhere, of its own accord', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    const first = await backUp()
    await settle(4)
    const remaker = remakerOf(laptop.parts)
    const mended: ChunkId[] = []
    laptop.parts.events.on((event) => {
      if (event.kind === 'mended' && event.from === 'source') mended.push(event.id)
    })
    // A chunk that the laptop leaned on rots at both holders, before they have the snapshot that needs it.
    part(laptop, desktop, box)
    await settle(1)
    write('new', 10_000, 300)
    const second = await backUp()
    const lost = contents(laptop, first.root).find((id) => !store().has(id)) as ChunkId
    for (const node of [desktop, box]) await node.parts.store.quarantine(lost)
    await meet(desktop, laptop, box)
    await settle(10)
    assert.deepEqual(mended, [lost])
    for (const node of [desktop, box]) {
      assert.ok(node.parts.store.isHeld(second.root))
      assert.ok(node.parts.store.isComplete(second.root))
    }
    await remaker.close()
  })

  it('Y5.2 makes nothing again that another holder has, who may just be away', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    const first = await backUp()
    await settle(4)
    const remaker = remakerOf(laptop.parts)
    part(laptop, desktop, box)
    await settle(1)
    write('new', 10_000, 300)
    const second = await backUp()
    const lost = contents(laptop, first.root).find((id) => !store().has(id)) as ChunkId
    await desktop.parts.store.quarantine(lost)
    part(desktop, box)
    const asked: ChunkId[] = []
    laptop.parts.events.on((event) => {
      if (event.kind === 'missing') asked.push(...event.ids)
    })
    await meet(desktop, laptop)
    await settle(8)
    assert.ok(asked.includes(lost))
    assert.equal(store().has(lost), false)
    await meet(desktop, laptop, box)
    await settle(8)
    assert.ok(desktop.parts.store.isHeld(second.root))
    assert.equal(store().has(lost), false)
    await remaker.close()
  })

  it('tells what it cannot make again, once', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    const first = await backUp()
    await settle(4)
    const remaker = remakerOf(laptop.parts)
    part(laptop, desktop, box)
    await settle(1)
    write('new', 10_000, 300)
    await backUp()
    const lost = contents(laptop, first.root).filter((id) => !store().has(id))
    for (const node of [desktop, box]) for (const id of lost) await node.parts.store.quarantine(id)
    for (let n = 0; n < 20; n++) rmSync(join(source, `file ${String(n)}`))
    rmSync(join(source, 'inside', 'large'))
    let told = 0
    laptop.parts.events.on((event) => {
      if (event.kind === 'trouble' && event.code === 'CHUNK_NOT_FOUND') told++
    })
    await meet(desktop, laptop, box)
    await settle(10)
    assert.equal(told, 1)
    await remaker.close()
  })

  it('R5.2 leans on what was there when its session was opened, and on nothing that came later', async () => {
    await meet(desktop, laptop, box)
    await makeThin()
    await backUp()
    const { ledger } = laptop.parts
    const session = await ledger.openSession('early')
    assert.equal(session.leanable.size, 0, 'nobody has said yet that he holds it')
    await settle(4)
    assert.equal(session.leanable.size, 0)
    assert.equal(ledger.leanable().size, 1)
    await ledger.closeSession(session)
    await publish(laptop)
  })
})
