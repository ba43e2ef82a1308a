/** Story 8: the desktop forgets what the laptop still needs. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Device } from '../tools/cellar.ts'
import {
  AT_ONCE,
  bytesUsed,
  forget,
  prune,
  setSettings,
  trashOf,
  untilListed,
  untilSmaller,
} from '../tools/forgetting.ts'
import { backUp, checkAll, Household, restoreSame, untilAllHold } from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { seeded } from '../tools/seeded.ts'

const mebibyte = 1024 * 1024

describe('story 8: what is shared stays while anybody needs it', function () {
  this.timeout(240_000)
  let house: Household
  let devices: readonly Device[]
  let desktop: Device
  let laptop: Device
  let pi: Device
  let ofDesktop: string
  let ofLaptop: string
  let forgotten: string
  let kept: string

  before(async () => {
    house = new Household()
    ofDesktop = house.path('desktop-files')
    ofLaptop = house.path('laptop-files')
    makeTree(ofLaptop, { seed: 'story 8', filesSmall: 60, largeBytes: 6 * mebibyte })
    execFileSync('cp', ['-a', ofLaptop, ofDesktop])
    mkdirSync(join(ofDesktop, 'only-here'))
    writeFileSync(join(ofDesktop, 'only-here', 'video'), seeded('video').bytes(8 * mebibyte))
    ;[desktop, laptop, pi] = [house.device('desktop'), house.device('laptop'), house.device('pi')]
    devices = [desktop, laptop, pi]
    await desktop.init()
    setSettings(desktop, AT_ONCE)
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await desktop.admit(pi, 'storer')
    for (const device of [laptop, pi]) {
      setSettings(device, AT_ONCE)
      await device.start()
    }
    forgotten = (await backUp(desktop, ofDesktop)).id
    kept = (await backUp(laptop, ofLaptop)).id
    await untilAllHold(devices, 2)
  })
  after(() => house[Symbol.asyncDispose]())

  it('the snapshot is gone from every list at once, and only what it alone needed is given back', async () => {
    const before = await Promise.all(devices.map(bytesUsed))
    const { snapshot_ids } = await forget(desktop, forgotten)
    assert.deepEqual(snapshot_ids, [forgotten])
    for (const [at, device] of devices.entries()) {
      await untilListed(device, [kept])
      const bytes = before[at] ?? Number.NaN
      await untilSmaller(device, bytes - 7 * mebibyte)
      const freed = bytes - (await bytesUsed(device))
      assert.ok(freed < 9 * mebibyte, `${device.name} gave back ${String(freed)} bytes`)
    }
  })

  it('every byte that is left is right, and nothing waits', async () => {
    for (const device of devices) {
      const { snapshots_checked } = await checkAll(device)
      assert.equal(snapshots_checked, 1)
      assert.deepEqual((await prune(device)).waiting, [])
      assert.deepEqual(
        (await trashOf(device)).filter(({ held_here }) => held_here),
        [],
      )
    }
  })

  it('everything comes back from each of the two others', async () => {
    await restoreSame(laptop, kept, ofLaptop, house.path('back-1'), '--from', 'desktop')
    await restoreSame(desktop, kept, ofLaptop, house.path('back-2'), '--from', 'pi')
  })
})
