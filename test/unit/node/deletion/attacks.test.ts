/** Malware on a device that only adds, and a keeper's key in wrong hands: what it costs, and what stays. */
import assert from 'node:assert/strict'
import { stringify } from 'smol-toml'
import {
  admitMember,
  type Dot,
  laneOf,
  nextListing,
  type RootId,
  vectorOf,
} from '../../../../protocol/index.ts'
import { parseConfig } from '../../../../node/config/parse.ts'
import { judgeAll, standingSuspicions } from '../../../../node/deletion/suspicion.ts'
import { retain } from '../../../../node/operations/retain.ts'
import { testSigner, withCode } from '../../../support/mesh.ts'
import { carry, every, makeSnapshot, publish, tell, type TestNode, testNode } from '../../../support/node.ts'
import { dayMs, hourMs, household, openHousehold, replicate } from './household.ts'

type Household = Awaited<ReturnType<typeof openHousehold>>

const { signal } = new AbortController()

function rulesOf(table: Record<string, unknown>) {
  const { retention } = parseConfig(stringify({ retention: table }), 'config.toml')
  assert.ok(retention !== undefined)
  return retention
}

function isLive(node: TestNode, root: RootId): boolean {
  return node.parts.ledger.isLive(root)
}

describe('attacks on what is kept', () => {
  let house: Household
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  /** Honest snapshots of the laptop, one a day, held by all. */
  async function history(days: number): Promise<RootId[]> {
    const roots: RootId[] = []
    for (let day = 0; day < days; day++) {
      roots.push(await makeSnapshot(house.laptop))
      await replicate(house.laptop, house.pi)
      await replicate(house.laptop, house.desktop)
      await house.clock.advance(dayMs)
    }
    await tell(house.pi, house.desktop)
    await tell(house.desktop, house.pi)
    return roots
  }

  /** Everything is forgotten by whoever has the keeper's key. */
  async function forgetAll(roots: readonly RootId[]): Promise<void> {
    await house.desktop.call('forget', { snapshots: roots, filter: every, dryRun: false })
    await publish(house.desktop)
    await tell(house.desktop, house.laptop)
    await tell(house.desktop, house.pi)
  }

  it('lets a stolen keeper forget all, and any other device bring all back within the hold window', async () => {
    const roots = await history(3)
    await forgetAll(roots)
    await house.clock.advance(6 * dayMs)
    await house.pi.parts.reaper.reap({ signal })
    for (const root of roots) {
      assert.ok(!isLive(house.pi, root))
      assert.ok(house.pi.parts.store.isHeld(root), 'it is kept for the whole hold window')
    }
    assert.equal((await house.pi.call('trash', {})).length, 3)
    const done = await house.laptop.call('undelete', { snapshots: roots })
    assert.deepEqual(done.snapshot_ids, roots)
    await publish(house.laptop)
    await tell(house.laptop, house.pi)
    await house.clock.advance(30 * dayMs)
    await house.pi.parts.reaper.reap({ signal })
    for (const root of roots) assert.ok(isLive(house.pi, root) && house.pi.parts.store.isHeld(root))
  })

  it('lets a stolen keeper forget what was brought back, until another keeper removes it', async () => {
    const keeper = testSigner(1)
    const tower = { device: testSigner(4).device, name: 'tower', role: 'keeper', atMs: 0 } as const
    const membership = admitMember(household(), keeper, tower)
    const other = await testNode({ number: 4, membership, clock: house.clock })
    try {
      await tell(other, house.desktop)
      const roots = await history(2)
      await replicate(house.desktop, other)
      await forgetAll(roots)
      await tell(house.desktop, other)
      await other.call('undelete', { snapshots: roots })
      await publish(other)
      await tell(other, house.desktop)
      await forgetAll(roots) // once more
      await tell(house.desktop, other)
      assert.ok(roots.every((root) => !isLive(other, root)))
      await other.call('deviceRemove', { device: 'desktop' })
      await other.call('undelete', { snapshots: roots })
      await publish(other)
      // The thief has not heard that it was removed, and goes on.
      for (const live of other.parts.ledger.live())
        await house.desktop.parts.ledger.forget([{ dot: live.dot, root: live.root, reason: 'person' }])
      await publish(house.desktop)
      await assert.rejects(tell(house.desktop, other), withCode('NOT_A_MEMBER'))
      await tell(other, house.pi)
      for (const node of [other, house.pi]) assert.ok(roots.every((root) => isLive(node, root)))
    } finally {
      await other.close()
    }
  })

  it('gives a device that only adds no way to forget: not by asking, by signing it, or by silence', async () => {
    const roots = await history(2)
    const { laptop, pi } = house
    const [live] = laptop.parts.ledger.live()
    assert.ok(live !== undefined)
    const forget = { dot: live.dot, root: live.root, reason: 'person' } as const
    await assert.rejects(laptop.parts.ledger.forget([forget]), withCode('NOT_ENTITLED'))
    // Malware has the key, and signs what it likes: an empty listing that forgets all.
    const { ledger, signer } = laptop.parts
    const lane = laneOf(ledger.view, signer.device, 1)
    assert.ok(lane !== undefined)
    const dots: Dot[] = ledger.live().map(({ dot }) => dot)
    const listing = nextListing(
      { signed: lane.head, body: { ...lane.body, adds: [] }, bodyBytes: new Uint8Array(0) },
      {
        mesh: ledger.membership.mesh,
        incarnation: 1,
        epoch: ledger.membership.epoch,
        atMs: house.clock.nowMs(),
        forgets: dots.map((dot, at) => ({ dot, root: roots[at] as RootId, reason: 'person' })),
        holds: [],
        horizon: vectorOf(ledger.view),
        leans: false,
      },
      signer,
    )
    assert.equal(await pi.parts.ledger.acceptListing([listing.signed.bytes], listing.bodyBytes), 'accepted')
    for (const root of roots) assert.ok(isLive(pi, root))
    assert.deepEqual(await pi.call('trash', {}), [])
  })

  const keep = { keep_last: 3, keep_daily: 7, keep_weekly: 4 }

  it('stops retention while a device floods, so that its good snapshots stay', async () => {
    const roots = await history(10)
    for (let at = 0; at < 60; at++) {
      await makeSnapshot(house.laptop, { timeMs: house.clock.nowMs() + at * dayMs })
      await house.clock.advance(60_000)
    }
    await replicate(house.laptop, house.pi)
    await tell(house.laptop, house.desktop)
    for (const root of house.laptop.parts.store.holds())
      if (!house.desktop.parts.store.isHeld(root)) await carry(house.laptop, house.desktop, root)
    for (const node of [house.pi, house.desktop]) {
      await retain(node.parts, rulesOf(keep), signal)
      assert.equal(node.parts.ledger.live().length, 70)
      assert.equal(standingSuspicions(node.parts).length, 1)
      assert.ok(roots.every((root) => isLive(node, root)))
    }
  })

  it('loses no day to a flood, nor to invented times, though a person trusts it blindly', async () => {
    const roots = await history(10)
    for (let at = 0; at < 60; at++) {
      await makeSnapshot(house.laptop, { timeMs: house.clock.nowMs() + at * dayMs })
      await house.clock.advance(60_000)
    }
    await replicate(house.laptop, house.desktop)
    await judgeAll(house.desktop.parts, signal)
    await house.desktop.call('deviceTrust', { device: 'laptop' })
    await retain(house.desktop.parts, rulesOf(keep), signal)
    // Of the last seven days the flood has today alone: six honest days are kept, and no honest one of them is lost.
    for (const root of roots.slice(4)) assert.ok(isLive(house.desktop, root))
  })

  it('counts nothing that a device only says it has', async () => {
    const roots = await history(8)
    for (let day = 0; day < 8; day++) {
      await makeSnapshot(house.laptop, { isHeld: false })
      await tell(house.laptop, house.pi)
      await house.clock.advance(dayMs)
    }
    await retain(house.pi.parts, rulesOf({ keep_daily: 7 }), signal)
    for (const root of roots.slice(1)) assert.ok(isLive(house.pi, root))
  })

  it('tells of malware that encrypts everything, and forgets nothing that was there before, for months', async () => {
    const photos = Array.from({ length: 9 }, (_, at) => `photo ${String(at)}`)
    const good: RootId[] = []
    const told: string[] = []
    house.pi.parts.events.on((event) => {
      if (event.kind === 'trouble') told.push(event.code)
    })
    for (let day = 0; day < 4; day++) {
      const content = [...photos.slice(day), ...photos.slice(0, day).map((name) => `new ${name}`)]
      good.push(await makeSnapshot(house.laptop, { content, bytes: 4_000_000 }))
      await replicate(house.laptop, house.pi)
      await house.clock.advance(dayMs)
    }
    const settings = rulesOf({ keep_last: 5 })
    await retain(house.pi.parts, settings, signal)
    const content = ['encrypted']
    for (let day = 0; day < 60; day++) {
      await makeSnapshot(house.laptop, { content })
      await replicate(house.laptop, house.pi)
      await house.clock.advance(dayMs)
      await retain(house.pi.parts, settings, signal)
    }
    assert.deepEqual(told, ['DEVICE_SUSPECT'])
    for (const root of good) assert.ok(isLive(house.pi, root) && house.pi.parts.store.isComplete(root))
    assert.match((await house.pi.call('status', {})).suspicions[0]?.message ?? '', /^laptop: snapshot/)
  })

  it('keeps apart what two devices announce, even under one name of a source (U1.5)', async () => {
    const { desktop, laptop } = house
    const own = await makeSnapshot(desktop)
    await house.clock.advance(hourMs)
    const [live] = desktop.parts.ledger.live()
    assert.ok(live !== undefined)
    // The laptop announces snapshots as if they were of the desktop's source, newer than all of its own.
    const { source } = live
    const [first, second] = [await makeSnapshot(laptop, { source }), await makeSnapshot(laptop, { source })]
    await replicate(laptop, desktop)
    await retain(desktop.parts, rulesOf({ keep_last: 1 }), signal)
    assert.ok(isLive(desktop, own))
    assert.ok(!isLive(desktop, first) && isLive(desktop, second))
  })
})
