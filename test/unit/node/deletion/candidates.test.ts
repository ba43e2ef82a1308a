import assert from 'node:assert/strict'
import type { RootId } from '../../../../protocol/index.ts'
import { announcedRoots, rankSnapshots } from '../../../../node/deletion/candidates.ts'
import { EVERY } from '../../../../node/snapshots.ts'
import { carry, every, makeSnapshot, publish, tell, type TestNode } from '../../../support/node.ts'
import { dayMs, hourMs, openHousehold, replicate } from './household.ts'

type Household = Awaited<ReturnType<typeof openHousehold>>

describe('snapshots in the order in which they came', () => {
  let house: Household
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  function ranked(node: TestNode): RootId[] {
    return rankSnapshots(node.parts, node.parts.snapshots.list(EVERY)).map(({ root }) => root)
  }

  function timesOf(node: TestNode): number[] {
    return rankSnapshots(node.parts, node.parts.snapshots.list(EVERY)).map(({ timeMs }) => timeMs)
  }

  /** So many snapshots, one a day, all told of in one listing when the laptop comes home. */
  async function awayFor(days: number): Promise<{ roots: RootId[]; times: number[] }> {
    const roots: RootId[] = []
    const times: number[] = []
    for (let day = 0; day < days; day++) {
      times.push(house.clock.nowMs())
      roots.push(await makeSnapshot(house.laptop, { isSigned: false }))
      await house.clock.advance(dayMs)
    }
    await publish(house.laptop)
    return { roots, times }
  }

  it('are ranked by their chain, whenever a node came to hear of them (U1.10)', async () => {
    const roots: RootId[] = []
    for (let at = 0; at < 8; at++) {
      roots.push(await makeSnapshot(house.laptop))
      await tell(house.laptop, house.pi)
      await house.clock.advance(hourMs)
    }
    await tell(house.laptop, house.desktop)
    assert.deepEqual(ranked(house.pi), roots)
    assert.deepEqual(ranked(house.desktop), roots)
    assert.deepEqual(ranked(house.laptop), roots)
  })

  it('have their own times on a device that reads, though they came all at once', async () => {
    const { times } = await awayFor(5)
    await replicate(house.laptop, house.desktop)
    assert.deepEqual(timesOf(house.desktop), times)
  })

  it('are spread over the days away on a device that reads nothing (T2.3)', async () => {
    await makeSnapshot(house.laptop)
    await tell(house.laptop, house.pi)
    const beforeMs = house.clock.nowMs()
    await awayFor(5)
    await replicate(house.laptop, house.pi)
    await house.clock.advance(hourMs)
    const days = timesOf(house.pi).map((timeMs) => (timeMs - beforeMs) / dayMs)
    assert.deepEqual(days, [0, 1, 2, 3, 4, 5])
  })

  it('keep those times when one before them cannot be read (any more)', async () => {
    const { roots, times } = await awayFor(5)
    await tell(house.laptop, house.desktop)
    for (const root of roots.slice(2)) await carry(house.laptop, house.desktop, root)
    // The first is forgotten and gone, the second has not come yet.
    const [live] = house.desktop.parts.ledger.live().filter(({ root }) => root === roots[0])
    assert.ok(live !== undefined)
    await house.desktop.parts.ledger.forget([{ dot: live.dot, root: live.root, reason: 'person' }])
    assert.deepEqual(timesOf(house.desktop).slice(1), times.slice(2))
  })

  it('keep their place when they are brought back', async () => {
    const roots: RootId[] = []
    for (let at = 0; at < 4; at++) {
      roots.push(await makeSnapshot(house.desktop))
      await house.clock.advance(dayMs)
    }
    const times = timesOf(house.desktop)
    await house.desktop.call('forget', { snapshots: [roots[1] ?? ''], filter: every, dryRun: false })
    await publish(house.desktop)
    await house.clock.advance(dayMs)
    await house.desktop.call('undelete', { snapshots: [roots[1] ?? ''] })
    assert.deepEqual(ranked(house.desktop), roots)
    assert.deepEqual(timesOf(house.desktop), times)
    await publish(house.desktop)
    assert.deepEqual(ranked(house.desktop), roots)
    assert.equal(announcedRoots(house.desktop.parts).length, 4)
  })

  it('stand behind all that was signed while they wait for their listing', async () => {
    const first = await makeSnapshot(house.desktop)
    const second = await makeSnapshot(house.desktop, { isSigned: false })
    await house.clock.advance(1)
    const third = await makeSnapshot(house.desktop, { isSigned: false })
    assert.deepEqual(ranked(house.desktop), [first, second, third])
  })
})
