/** Whole nodes with a number of copies as goal: they spread, make place for a newcomer, and pass over who is full. */
import assert from 'node:assert/strict'
import { isFull } from '../../../../node/operations/full.ts'
import { waitForCopies } from '../../../../node/operations/wait.ts'
import {
  admitMember,
  changeCopiesGoal,
  type CopiesGoal,
  type Membership,
  type RootId,
  type Signer,
} from '../../../../protocol/index.ts'
import { memoryStore } from '../../../../storage/index.ts'
import { MemoryHub, testMembership, testSigner } from '../../../support/mesh.ts'
import { makeSnapshot, type TestNode, testNode } from '../../../support/node.ts'
import { ManualClock } from '../manual-clock.ts'

/** Enough for some snapshots of `large` bytes. */
const quotaBytes = 30_000
const large = 8000

describe('nodes with a number of copies as goal', () => {
  let hub: MemoryHub
  let clock: ManualClock
  let nodes: TestNode[]
  let membership: Membership
  let keeper: Signer

  beforeEach(() => {
    hub = new MemoryHub()
    clock = new ManualClock()
    nodes = []
  })
  afterEach(async () => {
    for (const node of nodes) await node.close()
  })

  /** @param small - numbers of the devices with little room */
  async function open(count: number, copiesGoal: CopiesGoal, small: readonly number[] = []): Promise<void> {
    const made = testMembership(Array.from({ length: count - 1 }, () => 'writer' as const))
    keeper = made.signers[0] as Signer
    membership = changeCopiesGoal(made.membership, keeper, { copiesGoal, atMs: 0 })
    for (let number = 1; number <= count; number++) await add(number, small.includes(number))
    await settle(2)
  }

  async function add(number: number, isSmall = false): Promise<TestNode> {
    const store = memoryStore(isSmall ? { quotaBytes } : {})
    const node = await testNode({ number, membership, clock, hub, store, isRunning: true })
    await node.parts.connect()
    for (const other of nodes) {
      const [address] = other.parts.connected()?.network.addresses() ?? []
      await node.parts.connected()?.network.dial(address ?? '', AbortSignal.timeout(5000))
    }
    nodes.push(node)
    return node
  }

  /** Lets minutes pass. */
  async function settle(minutes: number): Promise<void> {
    for (let n = 0; n < minutes * 6; n++) await clock.advance(10_000)
  }

  const holders = (root: RootId) => nodes.filter((node) => node.parts.store.isHeld(root))
  const has = (root: RootId) => nodes.filter((node) => node.parts.store.has(root))
  const chosen = (root: RootId) => nodes.filter((node) => node.parts.ledger.isWanted(root))

  it('spread snapshots, keep an own newest one, and give a newcomer its share', async function () {
    this.timeout(60_000)
    await open(4, 2)
    const roots: RootId[] = []
    for (let n = 0; n < 20; n++) {
      roots.push(await makeSnapshot(nodes[n % 3] as TestNode, { path: `/of ${String(n % 3)}` }))
      await clock.advance(1000)
    }
    const newest = roots.slice(-3)
    const areSpread = () => {
      for (const root of roots) {
        const wanted = new Set(chosen(root))
        assert.equal(wanted.size, 2)
        for (const node of wanted) assert.equal(node.parts.store.isComplete(root), true)
        if (newest.includes(root)) wanted.add(nodes[roots.indexOf(root) % 3] as TestNode)
        assert.deepEqual(new Set(holders(root)), wanted)
        assert.deepEqual(new Set(has(root)), wanted, 'what is let go is free')
      }
    }
    await settle(6)
    areSpread()
    const { device } = testSigner(5)
    membership = admitMember(membership, keeper, { device, name: 'fifth', role: 'writer', atMs: 0 })
    for (const node of nodes) {
      await node.parts.ledger.acceptMembership(membership.entries)
      node.parts.connected()?.network.members(new Set(membership.members.keys()))
    }
    const fifth = await add(5)
    await settle(6)
    areSpread()
    assert.ok(fifth.parts.store.holds().length > 2, 'it has its share')
    for (const node of nodes) assert.deepEqual(node.parts.troubles.recent(clock.nowMs()), [])
    // Nothing goes on for ever: once all is at its place, no more is signed.
    const heads = () => nodes.map((node) => node.parts.ledger.headOf(node.parts.signer.device)?.head.seq)
    const before = heads()
    await settle(6)
    assert.deepEqual(heads(), before)
  })

  it('G2.4 pass over a device that is full, until it has room again', async function () {
    this.timeout(60_000)
    await open(4, 2, [4])
    const [first, , , last] = nodes as [TestNode, TestNode, TestNode, TestNode]
    const roots: RootId[] = []
    for (let n = 0; n < 20; n++) roots.push(await makeSnapshot(first, { bytes: large }))
    await settle(6)
    assert.equal(isFull(last.parts, last.parts.signer.device), true)
    assert.equal(isFull(first.parts, last.parts.signer.device), true, 'and says so')
    for (const root of roots) {
      assert.ok(holders(root).length >= 2, 'others take its place')
      for (const node of chosen(root)) assert.equal(node.parts.store.isHeld(root), true)
    }
    const kept = last.parts.store.holds()
    assert.ok(kept.length > 0)
    for (const root of kept) assert.ok(chosen(root).includes(last), 'it keeps its place for what it holds')
    await settle(4)
    assert.deepEqual(last.parts.store.holds(), kept)
    assert.ok(last.parts.store.stats().packBytes <= quotaBytes, 'within its quota')
    const { problems } = await first.call('status', {})
    assert.deepEqual(problems, [], 'nothing is lacking')
    const own = await last.call('status', {})
    assert.deepEqual(
      own.problems.map(({ message }) => message).filter((message) => /takes no more/.test(message)).length,
      1,
    )
  })

  it('say that there is no room anywhere', async function () {
    this.timeout(60_000)
    await open(3, 2, [2, 3])
    const [first] = nodes as [TestNode]
    for (let n = 0; n < 12; n++) await makeSnapshot(first, { bytes: large })
    await settle(5)
    const { problems, waiting } = await first.call('status', {})
    assert.deepEqual(
      problems.map(({ code, message }) => [code, message.replace(/: \d+/, ': N')]),
      [['STORE_FULL', 'device-2, device-3 are full: N snapshots have too few copies']],
    )
    assert.deepEqual(
      waiting.map(({ full }) => full),
      waiting.map(() => true),
    )
  })

  it('wait for copies no longer than it makes sense: who is full is named', async function () {
    this.timeout(60_000)
    await open(2, 'all', [2])
    const [first] = nodes as [TestNode]
    for (let n = 0; n < 6; n++) await makeSnapshot(first, { bytes: large })
    await settle(2)
    const root = await makeSnapshot(first, { bytes: large })
    let waited: unknown
    const begunMs = clock.monotonicMs()
    const waiting = waitForCopies(first.parts, root, 'goal', {
      signal: AbortSignal.timeout(20_000),
      onCopies: () => undefined,
    }).then((result) => (waited = result))
    while (waited === undefined && clock.monotonicMs() - begunMs < 60_000) await clock.advance(500)
    await waiting
    assert.deepEqual(waited, { wanted: 2, reached: false, full: ['device-2'] })
    assert.ok(clock.monotonicMs() - begunMs < 15_000, String(clock.monotonicMs() - begunMs))
  })
})
