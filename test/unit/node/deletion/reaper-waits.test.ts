/** What freeing waits for (R6, R8, R9; spec/deletion.md §5, §7). */
import assert from 'node:assert/strict'
import { changeMember, removeMember } from '../../../../protocol/index.ts'

import { testSigner } from '../../../support/mesh.ts'
import { makeSnapshot, publish, tell } from '../../../support/node.ts'

import {
  alone,
  bare,
  checkHeld,
  closeAfterEach,
  forget,
  openAgain,
  openDesktop,
  openLaptop,
  reap,
  withLaptop,
  withLeaning,
} from './desktop.ts'

const dayMs = 86_400_000

describe('the reaper waits', () => {
  const opened = closeAfterEach()

  it('R9 for the hold window, by its own running time and no other', async () => {
    const desktop = await opened(openDesktop(alone, { ...bare, holdWindowMs: 7 * dayMs }))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    await desktop.clock.advance(7 * dayMs - 1)
    await reap(desktop)
    assert.ok(desktop.parts.store.isHeld(root))
    await desktop.clock.advance(1)
    assert.deepEqual((await reap(desktop)).released, [root])
  })

  it('R9 for that in the time it ran, with a day of a gap at most', async () => {
    const config = { ...bare, holdWindowMs: 3 * dayMs }
    let desktop = await opened(openDesktop(alone, config))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    for (let gaps = 1; gaps <= 3; gaps++) {
      await desktop.close()
      await desktop.clock.advance(30 * dayMs)
      desktop = await opened(openAgain(desktop, config))
      const { released } = await reap(desktop)
      assert.deepEqual(released, gaps < 3 ? [] : [root], `after ${String(gaps)} gaps`)
    }
  })

  it('R9 for nothing but time, and frees by itself when it has come', async () => {
    const desktop = await opened(openDesktop(alone, { ...bare, holdWindowMs: 7 * dayMs }, true))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    await desktop.clock.advance(6 * dayMs)
    assert.ok(desktop.parts.store.isHeld(root))
    await desktop.clock.advance(dayMs)
    assert.equal(desktop.parts.store.has(root), false)
  })

  it('R9 with the newest of a source, and what is young, when a rule forgot it; not when a person did', async () => {
    const config = { holdWindowMs: 0, floorAgeMs: dayMs, floorNewest: 1 }
    const desktop = await opened(openDesktop(alone, config))
    const old = await makeSnapshot(desktop)
    await desktop.clock.advance(1)
    const newest = await makeSnapshot(desktop)
    const other = await makeSnapshot(desktop, { path: '/other' })
    for (const root of [old, newest, other]) await forget(desktop, root, 'retention')
    await desktop.parts.publish()
    assert.deepEqual((await reap(desktop)).released, [], 'all are young')
    await desktop.clock.advance(dayMs)
    assert.deepEqual((await reap(desktop)).released, [old])
    checkHeld(desktop, newest, other)
  })

  it('R9 with the newest that stays, when a person forgot a newer one', async () => {
    const desktop = await opened(openDesktop(alone, { ...bare, floorNewest: 1 }))
    const old = await makeSnapshot(desktop)
    await desktop.clock.advance(1)
    const newest = await makeSnapshot(desktop)
    await forget(desktop, old, 'retention')
    await forget(desktop, newest)
    await desktop.parts.publish()
    assert.deepEqual((await reap(desktop)).released, [newest])
    assert.deepEqual((await reap(desktop)).released, [])
    checkHeld(desktop, old)
  })

  it('R9 no floor for a person', async () => {
    const desktop = await opened(openDesktop(alone, { holdWindowMs: 0, floorAgeMs: dayMs, floorNewest: 1 }))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    assert.deepEqual((await reap(desktop)).released, [root])
  })

  it('R9 with what is pinned, when a rule forgot it', async () => {
    const desktop = await opened(openDesktop(alone))
    const root = await makeSnapshot(desktop)
    await desktop.parts.ledger.setPinned([root], true)
    await forget(desktop, root, 'retention')
    await desktop.parts.publish()
    assert.deepEqual((await reap(desktop)).released, [])
    await desktop.parts.ledger.setPinned([root], false)
    assert.deepEqual((await reap(desktop)).released, [root])
  })

  it('R6b for a device that leans, until its own listing says so', async () => {
    const desktop = await opened(openDesktop(withLeaning))
    const laptop = await opened(openLaptop(desktop))
    const root = await makeSnapshot(desktop)
    await tell(desktop, laptop)
    await publish(laptop)
    await forget(desktop, root)
    await publish(desktop)
    await tell(laptop, desktop)
    await reap(desktop)
    assert.equal(desktop.parts.ledger.withdrawn().size, 0, 'the laptop has not heard of it')
    const session = await laptop.parts.ledger.openSession('s')
    await tell(desktop, laptop)
    await publish(laptop)
    await tell(laptop, desktop)
    await reap(desktop)
    assert.equal(desktop.parts.ledger.withdrawn().size, 0, 'its session was open before')
    await laptop.parts.ledger.closeSession(session)
    await publish(laptop)
    await tell(laptop, desktop)
    await reap(desktop)
    await publish(desktop)
    assert.deepEqual((await reap(desktop)).released, [root])
  })

  it('R6b for it no more once it is removed', async () => {
    const desktop = await opened(openDesktop(withLeaning))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await publish(desktop)
    await reap(desktop)
    assert.equal(desktop.parts.ledger.withdrawn().size, 0)
    const { device } = testSigner(2)
    await desktop.parts.ledger.changeMembership((now, by) => removeMember(now, by, { device, atMs: 0 }))
    assert.deepEqual((await reap(desktop)).released, [root], 'alone now: it signs at once')
  })

  it('R8 U7.4 while the membership has two histories', async () => {
    const desktop = await opened(openDesktop(withLaptop))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await publish(desktop)
    const mine = await desktop.parts.ledger.changeMembership((now, by) =>
      changeMember(now, by, { device: by.device, name: 'mine', atMs: 0 }),
    )
    const theirs = changeMember(withLaptop, testSigner(1), {
      device: testSigner(1).device,
      name: 'theirs',
      atMs: 0,
    })
    assert.equal(mine.epoch, theirs.epoch)
    await assert.rejects(desktop.parts.ledger.acceptMembership(theirs.entries))
    await reap(desktop)
    assert.equal(desktop.parts.ledger.withdrawn().size, 0)
  })

  it('R6a U7.1 while a backup or a restore is under way here, and no longer', async () => {
    const desktop = await opened(openDesktop(alone))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    const end = desktop.parts.jobs.beginRead()
    await reap(desktop)
    assert.ok(desktop.parts.store.isComplete(root))
    end()
    const session = await desktop.parts.ledger.openSession('s')
    await reap(desktop)
    assert.ok(desktop.parts.store.isComplete(root))
    await desktop.parts.ledger.closeSession(session, true)
    await reap(desktop)
    assert.equal(desktop.parts.store.has(root), false)
  })
})
