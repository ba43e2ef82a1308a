/** Full disks: nothing that is there is lost, reading goes on, and writing goes on by itself once there is room. */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Device, jsonLines } from '../tools/cellar.ts'
import {
  backUp,
  checkAll,
  failedWith,
  Household,
  restoreSame,
  snapshotsOf,
  untilAllHold,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { seeded } from '../tools/seeded.ts'
import { mountSmallDisk, type SmallDisk } from '../tools/small-disk.ts'

const mebibyte = 1024 * 1024
const diskMebibytes = 96

/** A directory with one file that does not compress. */
function makeLarge(path: string, bytes: number): string {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'large'), seeded(path.length).bytes(bytes))
  return path
}

describe('a full disk', function () {
  this.timeout(300_000)
  let house: Household
  let disk: SmallDisk

  beforeEach(function () {
    house = new Household()
    const mounted = mountSmallDisk(house.path('small'), diskMebibytes)
    if (mounted === undefined) this.skip()
    disk = mounted
  })
  afterEach(async () => {
    disk[Symbol.dispose]()
    await house[Symbol.asyncDispose]()
  })

  describe('of the device that backs up', () => {
    let device: Device
    let source: string
    let more: string

    beforeEach(async () => {
      more = makeLarge(house.path('more'), 4 * mebibyte)
      source = house.path('documents')
      makeTree(source, { seed: 'full disk', filesSmall: 40, largeBytes: mebibyte })
      device = house.device('desktop', { home: join(disk.path, 'home') })
      await device.init()
      await backUp(device, source)
    })

    it('a backup larger than it fails in clear words, and leaves all earlier snapshots whole', async () => {
      const large = makeLarge(house.path('too large'), 2 * diskMebibytes * mebibyte)
      const said = await device.try('backup', large)
      assert.equal(said.status, 1, said.stderr)
      assert.match(said.stderr, /full/)
      assert.match(said.stderr, /free space/)
      assert.doesNotMatch(said.stderr, /ENOSPC|\bat .*\.js:/)
      assert.equal(failedWith(await device.try('--json', 'backup', large), 1), 'STORE_FULL')
      assert.equal((await snapshotsOf(device)).length, 1)
      await checkAll(device)
      await restoreSame(device, 'latest', source, house.path('restored'))
      rmSync(large, { recursive: true })
    })

    it('to the last byte: what only reads goes on, and a backup says STORE_FULL', async () => {
      disk.fill()
      assert.equal(disk.free(), 0)
      await readingWorks(device, source, 'first')
      assert.equal(failedWith(await device.try('--json', 'backup', more), 1), 'STORE_FULL')
      // Opening and closing again and again uses nothing up.
      for (const time of ['second', 'third']) {
        disk.fill()
        await readingWorks(device, source, time)
      }
      disk.empty()
      await backUp(device, more)
      await checkAll(device)
      assert.equal((await snapshotsOf(device)).length, 2)
    })

    it('to the last byte below a running node: the same, and it goes on once there is room', async () => {
      await device.start()
      disk.fill()
      await readingWorks(device, source, 'running')
      assert.equal(failedWith(await device.try('--json', 'backup', more), 1), 'STORE_FULL')
      disk.empty()
      await backUp(device, more)
      await checkAll(device)
      assert.equal((await snapshotsOf(device)).length, 2)
      await device.stop()
      await checkAll(device)
    })
  })

  /** What a person does to get files back from a full disk. */
  async function readingWorks(device: Device, source: string, time: string): Promise<void> {
    const snapshots = await snapshotsOf(device)
    assert.equal(snapshots.length, 1)
    const listed = await device.run('--json', 'ls', 'latest', join(source, 'links'))
    assert.ok(jsonLines(listed.stdout).length > 3)
    const status = await device.json('status')
    assert.equal(status['device'] !== undefined, true)
    await device.run('check')
    await checkAll(device)
    await restoreSame(device, 'latest', source, house.path(`restored ${time}`))
  }

  it('of a peer: it says so, the backup is saved, and replication ends by itself once there is room', async () => {
    const laptop = house.device('laptop')
    const desktop = house.device('desktop', { home: join(disk.path, 'home') })
    await laptop.init()
    await laptop.start()
    await laptop.admit(desktop, 'keeper')
    await desktop.start()
    await untilLinked(laptop, desktop)
    disk.fill()
    const large = makeLarge(house.path('large'), 8 * mebibyte)
    const saved = await backUp(laptop, large)
    assert.deepEqual([saved.summary.copies, saved.summary.copies_wanted], [1, 2])
    const { problems } = await untilStatus(desktop, 'says that its disk is full', (status) =>
      status.problems.some(({ code }) => code === 'STORE_FULL'),
    )
    assert.match(problems.find(({ code }) => code === 'STORE_FULL')?.message ?? '', /full/)
    await checkAll(laptop)
    disk.empty()
    await untilAllHold([laptop, desktop], 1)
    await untilStatus(desktop, 'speaks of it no more', (status) => status.problems.length === 0)
    await checkAll(desktop)
    await restoreSame(desktop, 'latest', large, house.path('restored'), '--from', 'desktop')
  })

  it('of a peer: waiting for its copy ends soon, and names it', async () => {
    const laptop = house.device('laptop')
    const desktop = house.device('desktop', { home: join(disk.path, 'home') })
    await laptop.init()
    await laptop.start()
    await laptop.admit(desktop, 'keeper')
    await desktop.start()
    await untilLinked(laptop, desktop)
    writeFileSync(join(disk.path, 'others'), Buffer.alloc(disk.free() - 12 * mebibyte))
    const large = makeLarge(house.path('large'), 16 * mebibyte)
    const begunMs = performance.now()
    const said = await laptop.try('backup', '--wait', large)
    assert.equal(said.status, 21, said.stderr)
    assert.match(said.stderr, /1 of 2 devices hold it: desktop is full/)
    assert.ok(performance.now() - begunMs < 90_000)
    await untilStatus(
      laptop,
      'says who is full',
      ({ problems, waiting }) =>
        problems.some(({ message }) => message.startsWith('desktop is full')) && waiting[0]?.full === true,
    )
    rmSync(join(disk.path, 'others'))
    await untilAllHold([laptop, desktop], 1)
    await untilStatus(laptop, 'speaks of it no more', (status) => status.problems.length === 0)
  })

  it('where a restore goes to: it says so, and leaves no half file', async () => {
    const device = house.device('desktop')
    await device.init()
    const large = makeLarge(house.path('large'), diskMebibytes * mebibyte + 1)
    writeFileSync(join(large, 'a small one'), 'small')
    await backUp(device, large)
    const target = join(disk.path, 'target')
    const said = await device.try('restore', 'latest', '--target', target)
    assert.equal(said.status, 1, said.stderr)
    assert.match(said.stderr, /full|space/)
    assert.doesNotMatch(said.stderr, /\bat .*\.js:/)
    assert.match(
      failedWith(await device.try('--json', 'restore', 'latest', '--target', target), 1),
      /TARGET_FULL|RESTORE_INCOMPLETE/,
    )
    const restored = join(target, large)
    const left = existsSync(restored) ? readdirSync(restored).filter((name) => name !== 'a small one') : []
    assert.deepEqual(left, [])
    assert.ok(disk.free() > (diskMebibytes - 1) * mebibyte, 'room is left behind')
  })
})
