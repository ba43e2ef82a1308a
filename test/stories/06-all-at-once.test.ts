/** Story 6: all devices back up whenever they like, at once, and any of them may crash. */

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import type { Device } from '../tools/cellar.ts'
import { backUp, checkAll, Household, restoreSame, snapshotsOf, untilAllHold } from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { storedBy, untilGrown } from '../tools/packs.ts'
import { type Seeded, seeded } from '../tools/seeded.ts'

const mebibyte = 1024 * 1024
/** A kill comes at the latest when so much has been stored: some before the backup ends. */
const killBytesMax = 14 * mebibyte
/** Bytes of the few small chunks that the trees of all devices have in common. */
const sharedBytesMax = 4096

describe('story 6: all at once, and any of them may crash', function () {
  this.timeout(300_000)
  let house: Household
  let devices: readonly Device[]
  let chance: Seeded
  const sourceOf = (device: Device): string => house.path(`files-of-${device.name}`)

  before(async () => {
    const seed = process.env['CELLAR_SEED'] ?? String(randomInt(2 ** 31))
    process.stdout.write(`  (CELLAR_SEED=${seed})\n`)
    chance = seeded(seed)
    house = new Household()
    const [desktop, laptop, pi] = ['desktop', 'laptop', 'pi'].map((name) => house.device(name))
    assert.ok(desktop !== undefined && laptop !== undefined && pi !== undefined)
    devices = [desktop, laptop, pi]
    for (const [n, device] of devices.entries()) {
      makeTree(sourceOf(device), { seed: `${seed} ${String(n)}`, filesSmall: 60, largeBytes: 8 * mebibyte })
    }
    await desktop.init()
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await desktop.admit(pi, 'writer')
    await Promise.all([laptop.start(), pi.start()])
  })
  after(() => house[Symbol.asyncDispose]())

  it('each is killed at a random moment of its backup, and nobody else minds', async () => {
    await Promise.all(
      devices.map(async (device) => {
        const backup = device.try('--json', 'backup', sourceOf(device))
        await untilGrown(device.home, chance.below(killBytesMax), backup)
        await device.kill()
        const { status } = await backup
        assert.ok(status === 0 || status === 1, `the backup of ${device.name} ended with ${String(status)}`)
      }),
    )
  })

  it('started again they back up at once, without waiting for or unlocking anything', async () => {
    await Promise.all(devices.map((device) => device.start()))
    const done = await Promise.all(devices.map((device) => backUp(device, sourceOf(device), '--wait')))
    for (const { summary } of done) assert.equal(summary.copies, 3)
  })

  it('all snapshots end on all devices, and every byte is right', async () => {
    const ids = (await snapshotsOf(devices[0] ?? assert.fail())).map(({ id }) => id)
    assert.ok(ids.length >= 3 && ids.length <= 6)
    await untilAllHold(devices, ids.length)
    for (const device of devices) {
      const { snapshots_checked } = await checkAll(device)
      assert.equal(snapshots_checked, ids.length)
    }
  })

  it('what was stored before the kill was not stored again', () => {
    for (const device of devices) {
      const { bytes, bytesTwice } = storedBy(device.home)
      // A chunk that all have (an empty directory) may come from a peer just while the own backup seals it.
      assert.ok(
        bytesTwice < sharedBytesMax,
        `${device.name} has ${String(bytesTwice)} of ${String(bytes)} bytes twice`,
      )
    }
  })

  it('each can give back what another had', async () => {
    const [desktop, laptop, pi] = devices
    assert.ok(desktop !== undefined && laptop !== undefined && pi !== undefined)
    for (const [from, to] of [
      [desktop, laptop],
      [laptop, pi],
      [pi, desktop],
    ] as const) {
      await restoreSame(to, 'latest', sourceOf(from), house.path(`back-on-${to.name}`), '--device', from.name)
    }
  })
})
