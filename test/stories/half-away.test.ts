/** L2: nothing but reclaiming ever waits for an absent device (protocol/spec/deletion.md). */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Device } from '../tools/cellar.ts'
import { AT_ONCE, forget, prune, setSettings, undelete, untilListed } from '../tools/forgetting.ts'
import { backUp, checkAll, Household, restoreSame, untilAllHold, untilLinked } from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'

describe('half of the devices are away', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let tablet: Device
  let pi: Device
  let files: string
  let old: string
  let other: string

  before(async () => {
    house = new Household()
    files = house.path('files')
    makeTree(files, { seed: 'half away', filesSmall: 30, largeBytes: 1024 * 1024 })
    ;[desktop, laptop, tablet, pi] = ['desktop', 'laptop', 'tablet', 'pi'].map((name) =>
      house.device(name),
    ) as [Device, Device, Device, Device]
    await desktop.init()
    // A window of days, as everywhere; but what is a minute old may be forgotten by rule.
    setSettings(desktop, 'floor_age = "0s"\nfloor_newest = 0\n')
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await desktop.admit(tablet, 'writer')
    await desktop.admit(pi, 'storer')
    // What leans is waited for when space is reclaimed, and only then.
    await desktop.run('devices', 'lean', 'tablet')
    for (const device of [laptop, tablet, pi]) {
      setSettings(device, AT_ONCE)
      await device.start()
    }
    old = (await backUp(laptop, files)).id
    other = (await backUp(desktop, files)).id
    await untilAllHold([desktop, laptop, tablet, pi], 2)
    await Promise.all([tablet.kill(), pi.kill()])
  })
  after(() => house[Symbol.asyncDispose]())

  it('backing up, listing, restoring, checking', async () => {
    writeFileSync(join(files, 'new'), 'made while half were away')
    const { id } = await backUp(laptop, files)
    await untilListed(desktop, [old, other, id])
    await restoreSame(desktop, id, files, house.path('back'))
    for (const device of [desktop, laptop]) await checkAll(device)
    await forget(desktop, id)
  })

  it('forgetting, bringing back, pinning, retention', async () => {
    await forget(desktop, old)
    await untilListed(laptop, [other])
    await undelete(laptop, old)
    await untilListed(desktop, [old, other])
    await desktop.run('pin', other)
    await desktop.run('unpin', other)
    const newer = (await backUp(desktop, files, '--wait=2')).id
    await desktop.run('forget', '--keep-last', '1', '--device', 'desktop')
    await untilListed(laptop, [old, newer])
  })

  it('reclaiming returns at once, and says for whom the rest waits, since when, and what removing frees', async () => {
    await desktop.stop()
    setSettings(desktop, AT_ONCE)
    await desktop.start()
    await untilLinked(desktop, laptop)
    const { waiting } = await prune(desktop)
    const block = waiting.find((one) => one.block.kind === 'leaning')
    assert.ok(block !== undefined, JSON.stringify(waiting))
    assert.equal(block.block.device, 'tablet')
    assert.match(block.block.since ?? '', /^\d{4}-/)
    assert.equal(typeof block.bytes_if_removed, 'number')
    const { stdout } = await desktop.run('prune', '--explain')
    assert.match(stdout, /tablet/)
  })

  it('removing the device that is gone for good lets reclaiming go on', async () => {
    await desktop.run('devices', 'remove', 'tablet')
    const { waiting } = await prune(desktop)
    assert.deepEqual(
      waiting.filter((one) => one.block.kind === 'leaning'),
      [],
    )
    for (const device of [desktop, laptop]) await checkAll(device)
  })
})
