import assert from 'node:assert/strict'
import { type CopiesOf, lossesOf, standsOn } from '../../../../node/activity/loss.ts'
import type { CopiesParams, CopiesView } from '../../../../node/api.ts'
import type { DeviceId, RootId } from '../../../../protocol/index.ts'
import { makeSnapshot, tell, type TestNode } from '../../../support/node.ts'
import { openHousehold, replicate } from '../deletion/household.ts'

const [a, b, c] = ['a', 'b', 'c'] as readonly string[] as readonly [DeviceId, DeviceId, DeviceId]
const three = new Set([a, b, c])

function copies(holders: readonly DeviceId[], more: Partial<CopiesOf> = {}): CopiesOf {
  const missing = [...three].filter((device) => !holders.includes(device))
  return { root: 'r' as RootId, owner: a, holders, missing, goal: 3, bytes: 10, ...more }
}

const all: CopiesParams = { incomplete: false, limit: 1000 }

describe('the loss of a device', () => {
  const lossOf = (device: DeviceId, ...list: CopiesOf[]) => lossesOf(list, [a, b, c], three).get(device)!

  it('loses what nobody else has, and its bytes are counted', () => {
    const { lost, lostBytes, holds } = lossOf(a, copies([a]), copies([a], { bytes: 7 }), copies([a, b]))
    assert.deepEqual({ lost, lostBytes, holds }, { lost: 2, lostBytes: 17, holds: 3 })
    assert.equal(lossOf(b, copies([a])).lost, 0)
  })

  it('leaves one copy, or fewer than can be asked for', () => {
    assert.equal(lossOf(a, copies([a, b])).oneLeft, 1)
    assert.equal(lossOf(a, copies([a, b])).tooFew, 1)
    // All devices hold it: without one, all that are left do.
    assert.equal(lossOf(a, copies([a, b, c])).tooFew, 0)
    assert.equal(lossOf(a, copies([a, b], { goal: 1 })).tooFew, 0)
  })

  it('counts what nobody says to have with whoever made it', () => {
    assert.equal(lossOf(a, copies([])).lost, 1)
    assert.equal(lossOf(a, copies([])).holds, 0)
    assert.equal(lossOf(b, copies([])).lost, 0)
  })

  it('says what each waits for, and of unknown sizes nothing', () => {
    assert.deepEqual([lossOf(b, copies([a])).waitsFor, lossOf(b, copies([a])).missingBytes], [1, 10])
    const unread = lossOf(b, copies([a], { bytes: undefined }))
    assert.deepEqual([unread.waitsFor, unread.missingBytes], [1, undefined])
  })

  it('names the snapshots that stand on a device', () => {
    assert.equal(standsOn(copies([a]), a, three), true)
    assert.equal(standsOn(copies([a]), b, three), false)
    assert.equal(standsOn(copies([a, b]), a, three), true)
    assert.equal(standsOn(copies([a, b, c]), a, three), false)
  })
})

describe('copies', () => {
  const lossAt = (view: CopiesView, name: string) => view.devices.find((one) => one.name === name)!

  it('says who has what, the newest first, and what the loss of each would mean', async () => {
    const { desktop, laptop, pi, clock, close } = await openHousehold()
    const old = await makeSnapshot(laptop)
    await replicate(laptop, desktop)
    await replicate(laptop, pi)
    await tell(pi, desktop)
    await clock.advance(1000)
    const young = await makeSnapshot(laptop)
    await tell(laptop, desktop)
    const view = await desktop.call('copies', all)
    assert.deepEqual(
      view.snapshots.map(({ id, copies, copies_wanted, missing }) => ({
        id,
        copies,
        copies_wanted,
        missing,
      })),
      [
        { id: young, copies: 1, copies_wanted: 3, missing: ['desktop', 'pi'] },
        { id: old, copies: 3, copies_wanted: 3, missing: [] },
      ],
    )
    assert.equal(view.devices[0]!.name, 'laptop')
    assert.equal(lossAt(view, 'laptop').lost, 1)
    assert.equal(lossAt(view, 'laptop').holds, 2)
    assert.equal(lossAt(view, 'desktop').lost, 0)
    assert.equal(lossAt(view, 'pi').waits_for, 1)
    // The storer reads nothing: without the laptop the desktop does.
    assert.equal(lossAt(view, 'laptop').readers_left, 1)
    assert.equal(lossAt(view, 'pi').readers_left, 2)
    assert.equal(view.paper, false)
    await close()
  })

  it('shows only what lacks copies, or what would without one device', async () => {
    const { desktop, laptop, close } = await openHousehold()
    const shared = await makeSnapshot(laptop)
    await replicate(laptop, desktop)
    const own = await makeSnapshot(desktop)
    const ids = async (params: Partial<CopiesParams>) =>
      (await desktop.call('copies', { ...all, ...params })).snapshots.map(({ id }) => id).sort()
    assert.deepEqual(await ids({ incomplete: true }), [own, shared].sort())
    assert.deepEqual(await ids({ device: 'laptop' }), [shared])
    assert.deepEqual(await ids({ device: 'desktop' }), [own, shared].sort())
    assert.deepEqual(await ids({ device: 'pi' }), [])
    await assert.rejects(desktop.call('copies', { ...all, device: 'nobody' }), { code: 'DEVICE_NOT_FOUND' })
    await close()
  })

  it('goes page by page, also when a snapshot goes meanwhile', async () => {
    const { desktop, clock, close } = await openHousehold()
    const made: string[] = []
    for (let i = 0; i < 5; i++) {
      made.unshift(await makeSnapshot(desktop))
      await clock.advance(1000)
    }
    const first = await desktop.call('copies', { ...all, limit: 2 })
    assert.deepEqual(
      first.snapshots.map(({ id }) => id),
      made.slice(0, 2),
    )
    assert.equal(first.total, 5)
    await desktop.call('forget', forgetting(made[1]!))
    const second = await desktop.call('copies', { ...all, limit: 3, after: first.next! })
    assert.deepEqual(
      second.snapshots.map(({ id }) => id),
      made.slice(2),
    )
    assert.equal(second.next, undefined)
    assert.deepEqual((await desktop.call('copies', { ...all, limit: 0 })).snapshots, [])
    await assert.rejects(desktop.call('copies', { ...all, after: 'x' }), { code: 'USAGE' })
    await close()
  })

  it('trusts no copy that could not be proven', async () => {
    const { desktop, laptop, pi, close } = await openHousehold()
    const root = await makeSnapshot(laptop)
    await replicate(laptop, pi)
    await tell(pi, laptop)
    const holders = async (node: TestNode) => (await node.call('copies', all)).snapshots[0]!.holders
    assert.deepEqual([...(await holders(laptop))].sort(), ['laptop', 'pi'])
    await laptop.parts.watching.doubts.note(pi.parts.signer.device, root, [root])
    const view = await laptop.call('copies', all)
    assert.deepEqual(view.snapshots[0]!.holders, ['laptop'])
    assert.deepEqual(view.snapshots[0]!.doubted, ['pi'])
    assert.equal(lossAt(view, 'laptop').lost, 1)
    assert.equal(lossAt(view, 'pi').holds, 0)
    void desktop
    await close()
  })
})

function forgetting(id: string) {
  return { snapshots: [id], filter: { devices: [], paths: [], tags: [] }, dryRun: false }
}
