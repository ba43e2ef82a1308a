import assert from 'node:assert/strict'
import type { RootId } from '../../../../protocol/index.ts'
import { MemoryHub, withCode } from '../../../support/mesh.ts'
import { every, makeSnapshot, publish, tell, type TestNode, testNode } from '../../../support/node.ts'
import { settle } from '../manual-clock.ts'
import { household, hourMs, openHousehold, replicate } from './household.ts'

type Household = Awaited<ReturnType<typeof openHousehold>>

function isLive(node: TestNode, root: RootId): boolean {
  return node.parts.ledger.isLive(root)
}

describe('bringing back', () => {
  let house: Household
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  /** A snapshot of the laptop that all hold, and that the desktop has forgotten for all. */
  async function forgotten(reason: 'person' | 'retention' = 'person'): Promise<RootId> {
    const root = await makeSnapshot(house.laptop)
    const { desktop, laptop, pi } = house
    await replicate(laptop, desktop)
    await replicate(laptop, pi)
    if (reason === 'person') {
      await desktop.call('forget', { snapshots: [root], filter: every, dryRun: false })
    } else {
      await house.clock.advance(hourMs)
      await makeSnapshot(laptop)
      await replicate(laptop, desktop)
      await desktop.call('forget', { snapshots: [], filter: every, rules: { last: 1 }, dryRun: false })
    }
    await publish(desktop)
    await tell(desktop, laptop)
    await tell(desktop, pi)
    assert.ok(!isLive(laptop, root))
    return root
  }

  it('lets a snapshot live again on every device', async () => {
    const root = await forgotten()
    const done = await house.desktop.call('undelete', { snapshots: [root.slice(0, 10)] })
    assert.deepEqual(done, { message_type: 'undeleted', snapshot_ids: [root], refused: [] })
    await publish(house.desktop)
    await tell(house.desktop, house.laptop)
    await tell(house.laptop, house.pi)
    for (const node of [house.desktop, house.laptop, house.pi]) assert.ok(isLive(node, root))
    assert.deepEqual(await house.pi.call('trash', {}), [])
  })

  it('leaves it the snapshot of the device that made it, on every device and in every list (U3.4)', async () => {
    const root = await forgotten()
    const { desktop, laptop, pi } = house
    await desktop.call('undelete', { snapshots: [root] })
    const params = (device: string) => ({ snapshots: [], filter: { ...every, devices: [device] } })
    const check = async (node: TestNode) => {
      const all = await node.call('snapshots', { snapshots: [], filter: every })
      assert.deepEqual(
        all.map((one) => [one.id, one.device_name]),
        [[root, 'laptop']],
      )
      assert.deepEqual(await node.call('snapshots', params('desktop')), [])
      assert.equal((await node.call('snapshots', params('laptop'))).length, 1)
      const own = (await node.call('devices', {})).map((one) => [one.name, one.snapshots_own])
      assert.deepEqual(own, [
        ['desktop', 0],
        ['laptop', 1],
        ['pi', 0],
      ])
    }
    await check(desktop) // not signed yet, or just so
    await publish(desktop)
    await tell(desktop, laptop)
    await tell(laptop, pi)
    for (const node of [desktop, laptop, pi]) await check(node)
    // Forgotten and brought back once more: both of its announcements are forgotten now, the first stays the first.
    await desktop.call('forget', { snapshots: [root], filter: every, dryRun: false })
    await publish(desktop)
    await tell(desktop, pi)
    const [entry] = await pi.call('trash', {})
    assert.equal(entry?.snapshot.device_name, 'laptop')
  })

  it('takes no place in the rules of the device that made it, and stays until a person forgets it (U3.4)', async () => {
    const root = await forgotten()
    const { desktop, laptop, clock } = house
    await clock.advance(hourMs)
    const newer = await makeSnapshot(laptop)
    await replicate(laptop, desktop)
    await desktop.call('undelete', { snapshots: [root] })
    await publish(desktop)
    const rules = { snapshots: [], filter: every, rules: { last: 1 }, dryRun: false }
    const { groups, snapshot_ids: gone } = await desktop.call('forget', rules)
    assert.deepEqual(gone, [])
    assert.deepEqual(
      groups.map(({ device, keep }) => [device, keep.map(({ id }) => id)]),
      [['laptop', [newer, root]]],
    )
    assert.ok(groups[0]?.reasons.some(({ matches }) => matches.includes('brought back by desktop')))
  })

  it('is what a device that only adds may do: adding is all it takes', async () => {
    const root = await forgotten()
    const done = await house.laptop.call('undelete', { snapshots: [root] })
    assert.deepEqual(done.snapshot_ids, [root])
    await publish(house.laptop)
    await tell(house.laptop, house.desktop)
    assert.ok(isLive(house.desktop, root))
  })

  it('is refused on a device that announces nothing, naming those that do', async () => {
    const root = await forgotten()
    await assert.rejects(house.pi.call('undelete', { snapshots: [root] }), (error: Error) => {
      assert.match(error.message, /desktop or laptop/)
      return withCode('NOT_ENTITLED')(error as never)
    })
  })

  it('may be done on two devices at once', async () => {
    const root = await forgotten()
    await house.desktop.call('undelete', { snapshots: [root] })
    await house.laptop.call('undelete', { snapshots: [root] })
    await publish(house.desktop)
    await publish(house.laptop)
    await tell(house.desktop, house.laptop)
    await tell(house.laptop, house.desktop)
    for (const node of [house.desktop, house.laptop]) assert.ok(isLive(node, root))
    const [listed, ...others] = await house.laptop.call('snapshots', { snapshots: [], filter: every })
    assert.deepEqual([listed?.id, listed?.device_name, others], [root, 'laptop', []])
  })

  it('undoes a forget that was never signed', async () => {
    const root = await makeSnapshot(house.desktop)
    await house.desktop.call('forget', { snapshots: [root], filter: every, dryRun: false })
    assert.ok(!isLive(house.desktop, root))
    await house.desktop.call('undelete', { snapshots: [root] })
    assert.ok(isLive(house.desktop, root))
    await publish(house.desktop)
    await tell(house.desktop, house.pi)
    assert.ok(isLive(house.pi, root))
  })

  it('pins what rules forgot, as they would forget it again (U3.2)', async () => {
    const root = await forgotten('retention')
    const done = await house.desktop.call('undelete', { snapshots: [root] })
    assert.deepEqual(done.pinned_ids, [root])
    assert.deepEqual([...house.desktop.parts.ledger.pinned().keys()], [root])
    const params = { snapshots: [], filter: every, rules: { last: 1 }, dryRun: false }
    assert.deepEqual((await house.desktop.call('forget', params)).snapshot_ids, [])
  })

  it('leaves the place of what a person forgot as it was', async () => {
    const root = await forgotten()
    await house.desktop.call('undelete', { snapshots: [root] })
    assert.equal(house.desktop.parts.ledger.pinned().size, 0)
  })

  it('is refused for what is not forgotten (U3.5)', async () => {
    const root = await makeSnapshot(house.desktop)
    const asking = house.desktop.call('undelete', { snapshots: [root.slice(0, 8)] })
    await house.clock.advance(hourMs) // nobody has news
    const { snapshot_ids: done, refused } = await asking
    assert.deepEqual(done, [])
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['SNAPSHOT_NOT_FOUND'],
    )
    assert.match(refused[0]?.message ?? '', new RegExp(`^${root.slice(0, 8)} is not forgotten`))
  })

  it('is what a person is told to do who looks for what is forgotten', async () => {
    const root = await forgotten()
    const asking = house.desktop.call('ls', {
      snapshot: root.slice(0, 8),
      filter: every,
      paths: [],
      recursive: true,
    })
    const told = assert.rejects(asking, /is in the trash: cellar undelete/)
    await house.clock.advance(hourMs) // nobody has news
    await told
  })

  it('says which were not there', async () => {
    const root = await forgotten()
    const asking = house.desktop.call('undelete', { snapshots: ['ffff', 'no id', root] })
    await house.clock.advance(hourMs) // nobody has news
    const done = await asking
    assert.deepEqual(done.snapshot_ids, [root])
    assert.deepEqual(
      done.refused.map(({ snapshot, code }) => [snapshot, code]),
      [
        ['ffff', 'SNAPSHOT_NOT_FOUND'],
        ['no id', 'USAGE'],
      ],
    )
  })

  it('announces nothing of which a chunk is missing here (R5, U3.1)', async () => {
    const root = await forgotten()
    await tell(house.pi, house.desktop)
    const { store } = house.desktop.parts
    await store.release(root)
    await store.quarantine(store.links(root)[0] ?? root)
    const asking = house.desktop.call('undelete', { snapshots: [root] })
    await house.clock.advance(hourMs) // laptop and pi hold it, and are out of reach
    const { refused, snapshot_ids: done } = await asking
    assert.deepEqual(done, [])
    assert.equal(refused[0]?.code, 'NO_PEER')
    assert.match(refused[0].message, /laptop and pi, which cannot be reached/)
    assert.ok(!isLive(house.desktop, root))
    assert.equal(house.desktop.parts.ledger.hasSession, false)
  })

  it('fetches from a device that still holds it what is gone here, and only then announces it', async () => {
    const hub = new MemoryHub()
    const membership = household()
    const desktop = await testNode({ number: 1, membership, hub, config: { holdWindowMs: 0 } })
    const laptop = await testNode({ number: 2, membership, hub })
    try {
      const root = await makeSnapshot(laptop)
      await tell(laptop, desktop)
      const [live] = desktop.parts.ledger.live()
      assert.ok(live !== undefined)
      await desktop.parts.ledger.forget([{ dot: live.dot, root, reason: 'person' }])
      await publish(desktop)
      await tell(desktop, laptop)
      assert.ok(!desktop.parts.store.has(root) && !isLive(laptop, root))
      const { network } = await laptop.parts.connect()
      const here = await desktop.parts.connect()
      await here.network.dial(network.addresses()[0] ?? '', AbortSignal.timeout(5000))
      const done = await desktop.call('undelete', { snapshots: [root] })
      assert.deepEqual(done, { message_type: 'undeleted', snapshot_ids: [root], refused: [] })
      assert.ok(desktop.parts.store.isHeld(root) && isLive(desktop, root))
      while (!isLive(laptop, root)) await settle()
    } finally {
      await desktop.close()
      await laptop.close()
    }
  })
})

describe('pins', () => {
  let house: Household
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  it('are told to all, and taken away where they were set', async () => {
    const { desktop, laptop, pi } = house
    const root = await makeSnapshot(laptop)
    await replicate(laptop, desktop)
    const pinned = await laptop.call('pin', { snapshots: ['latest'] })
    assert.deepEqual(pinned, { message_type: 'pinned', snapshot_ids: [root], refused: [] })
    await publish(laptop)
    await tell(laptop, desktop)
    await tell(laptop, pi)
    assert.deepEqual([...pi.parts.ledger.pinned()], [[root, [laptop.parts.signer.device]]])
    const { refused } = await desktop.call('unpin', { snapshots: [root] })
    assert.equal(refused[0]?.code, 'SNAPSHOT_NOT_FOUND')
    assert.match(refused[0].message, /unpin it on laptop/)
    const unpinned = await laptop.call('unpin', { snapshots: [root.slice(0, 12)] })
    assert.deepEqual(unpinned, { message_type: 'unpinned', snapshot_ids: [root], refused: [] })
    await publish(laptop)
    await tell(laptop, pi)
    assert.equal(pi.parts.ledger.pinned().size, 0)
  })

  it('are not for devices that read nothing', async () => {
    const root = await makeSnapshot(house.laptop)
    await tell(house.laptop, house.pi)
    await assert.rejects(house.pi.call('pin', { snapshots: [root] }), withCode('NOT_ENTITLED'))
    await assert.rejects(house.pi.call('unpin', { snapshots: [root] }), withCode('NOT_ENTITLED'))
  })
})

describe('leaning', () => {
  let house: Household
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  it('is given and taken by who may admit, as a term of the membership', async () => {
    const { desktop, laptop, pi } = house
    const given = await desktop.call('deviceLean', { device: 'laptop', leans: true })
    assert.deepEqual(given, {
      device: laptop.parts.signer.device,
      name: 'laptop',
      leans: true,
      epoch: desktop.parts.ledger.membership.epoch,
    })
    await tell(desktop, pi)
    const member = () => pi.parts.ledger.membership.members.get(laptop.parts.signer.device)
    assert.ok(member()?.capabilities.has('lean'))
    const again = await desktop.call('deviceLean', { device: 'laptop', leans: true })
    assert.equal(again.epoch, given.epoch)
    await desktop.call('deviceLean', { device: 'laptop', leans: false })
    await tell(desktop, pi)
    assert.deepEqual([...(member()?.capabilities ?? [])].sort(), ['backup', 'read', 'store'])
  })

  it('is refused to others, and for strangers', async () => {
    const params = { device: 'pi', leans: true }
    await assert.rejects(house.laptop.call('deviceLean', params), withCode('NOT_ENTITLED'))
    const stranger = { device: 'phone', leans: true }
    await assert.rejects(house.desktop.call('deviceLean', stranger), withCode('DEVICE_NOT_FOUND'))
  })
})
