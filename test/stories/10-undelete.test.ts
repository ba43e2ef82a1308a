/** Story 10: I forgot the wrong snapshot. */

import assert from 'node:assert/strict'
import type { Device } from '../tools/cellar.ts'
import {
  AT_ONCE,
  bytesUsed,
  forget,
  prune,
  setSettings,
  trashOf,
  undelete,
  untilListed,
  untilSmaller,
} from '../tools/forgetting.ts'
import { backUp, checkAll, failedWith, Household, restoreSame, untilAllHold } from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'

const mebibyte = 1024 * 1024

describe('story 10: the wrong snapshot was forgotten', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let pi: Device
  let files: string
  let wrong: string

  before(async () => {
    house = new Household()
    files = house.path('files')
    makeTree(files, { seed: 'story 10', filesSmall: 40, largeBytes: 4 * mebibyte })
    ;[desktop, laptop, pi] = [house.device('desktop'), house.device('laptop'), house.device('pi')]
    await desktop.init()
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await desktop.admit(pi, 'storer')
    // The pi is impatient: it keeps nothing for the hold window.
    setSettings(pi, AT_ONCE)
    await Promise.all([laptop.start(), pi.start()])
    wrong = (await backUp(laptop, files)).id
    await untilAllHold([desktop, laptop, pi], 1)
  })
  after(() => house[Symbol.asyncDispose]())

  it('it is in the trash of every device, with who forgot it and what it waits for', async () => {
    await forget(desktop, wrong)
    for (const device of [desktop, laptop]) {
      await untilListed(device, [])
      const [entry, ...others] = await trashOf(device)
      assert.equal(others.length, 0)
      assert.equal(entry?.snapshot.id, wrong)
      assert.equal(entry.forgotten_by, 'desktop')
      assert.equal(entry.reason, 'person')
      assert.equal(entry.held_here, true)
      assert.deepEqual(
        entry.waits_for.map(({ kind }) => kind),
        ['hold-window'],
      )
    }
  })

  it('pruning does not shorten the hold window', async () => {
    const before = await bytesUsed(desktop)
    const { snapshots_released, bytes_freed, waiting } = await prune(desktop)
    assert.deepEqual([snapshots_released, bytes_freed], [0, 0])
    assert.ok((waiting[0]?.bytes ?? 0) > 4 * mebibyte)
    assert.ok((await bytesUsed(desktop)) >= before)
  })

  it('the device that set another window gives the space back', async () => {
    await untilListed(pi, [])
    await untilSmaller(pi, mebibyte)
  })

  it('undelete brings it back on every device, also where it was reclaimed', async () => {
    const { snapshot_ids, refused } = await undelete(laptop, wrong.slice(0, 12))
    assert.deepEqual([snapshot_ids, refused], [[wrong], []])
    for (const device of [desktop, laptop, pi]) await untilListed(device, [wrong])
    await untilAllHold([desktop, laptop, pi], 1)
    for (const device of [desktop, laptop, pi]) {
      assert.deepEqual(await trashOf(device), [])
      await checkAll(device)
    }
    await restoreSame(desktop, wrong, files, house.path('back'), '--from', 'pi')
  })

  it('what is not in the trash cannot be brought back', async () => {
    assert.equal(failedWith(await laptop.try('--json', 'undelete', 'feedbeef'), 1), 'SNAPSHOT_NOT_FOUND')
  })

  it('what is not forgotten cannot be brought back', async () => {
    assert.equal(failedWith(await laptop.try('--json', 'undelete', wrong), 1), 'SNAPSHOT_NOT_FOUND')
  })

  it('forgotten once more, the old statement does not count twice: it can be brought back again', async () => {
    await forget(desktop, wrong)
    await untilListed(laptop, [])
    await undelete(desktop, wrong)
    for (const device of [desktop, laptop, pi]) await untilListed(device, [wrong])
    await untilAllHold([desktop, laptop, pi], 1)
    for (const device of [desktop, laptop, pi]) {
      const [info] = await device.json<readonly { device_name: string }[]>('snapshots')
      assert.equal(info?.device_name, 'laptop', 'who brings a snapshot back does not make it its own')
    }
  })
})
