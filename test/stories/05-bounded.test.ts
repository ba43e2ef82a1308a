/**
 * Story 5: the laptop needs space for what is new, not for all. Here: a first backup larger than its disk streams
 * through to the box in the cupboard, whoever crashes meanwhile.
 */

import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Device } from '../tools/cellar.ts'
import {
  backUp,
  checkAll,
  failedWith,
  Household,
  restoreSame,
  until,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { seeded } from '../tools/seeded.ts'
import { mountSmallDisk, type SmallDisk } from '../tools/small-disk.ts'

const MiB = 1024 * 1024
const diskMebibytes = 128
const stagingBytes = 32 * MiB
/** What may lie in packs beside content that waits: trees, and what is on its way to the disk. */
const beside = 8 * MiB
const fileBytes = 12 * MiB
const files = 16

describe('story 5: a first backup larger than the disk', function () {
  this.timeout(600_000)
  let house: Household
  let disk: SmallDisk | undefined
  let desktop: Device
  let box: Device
  let laptop: Device
  let source: string

  before(async function () {
    house = new Household()
    disk = mountSmallDisk(house.path('small'), diskMebibytes)
    if (disk === undefined) this.skip()
    source = house.path('films')
    makeTree(source, { seed: 'bounded', filesSmall: 60, largeBytes: MiB })
    makeFilms(source, 'film')
    desktop = house.device('desktop')
    box = house.device('box')
    laptop = house.device('laptop', { home: join(disk.path, 'home') })
    await desktop.init()
    await desktop.start()
    await desktop.admit(box, 'storer')
    await box.start()
    await untilLinked(desktop, box)
    await desktop.admit(laptop, 'writer')
    appendFileSync(join(laptop.home, 'config.toml'), `staging = "${String(stagingBytes / MiB)}MiB"\n`)
    await laptop.start()
    await untilLinked(laptop, desktop)
    await desktop.run('devices', 'thin', 'laptop')
    await untilStatus(laptop, 'knows that it is thin', ({ thin }) => thin !== undefined)
    await untilLinked(laptop, box)
  })
  after(async () => {
    disk?.[Symbol.dispose]()
    await house[Symbol.asyncDispose]()
  })

  /** Films do not compress. */
  function makeFilms(directory: string, name: string): void {
    mkdirSync(directory, { recursive: true })
    for (let at = 0; at < files; at++)
      writeFileSync(
        join(directory, `${name} ${String(at)}`),
        seeded(`${name} ${String(at)}`).bytes(fileBytes),
      )
  }

  /** Watches the packs of the laptop while something is done. @returns the most that was in them, bytes */
  async function mostWhile<T>(work: Promise<T>): Promise<{ most: number; done: T }> {
    let most = 0
    const timer = setInterval(() => {
      most = Math.max(most, packsOf(laptop))
    }, 20)
    try {
      return { done: await work, most: Math.max(most, packsOf(laptop)) }
    } finally {
      clearInterval(timer)
    }
  }

  it('with nobody in reach ends in clear words, and keeps what it has', async () => {
    await Promise.all([box.stop(), desktop.stop()])
    const { most, done } = await mostWhile(laptop.try('--json', 'backup', source))
    assert.equal(failedWith(done, 20), 'NO_PEER')
    assert.match(done.stderr, /no room for more/)
    assert.ok(most <= stagingBytes + beside, `${String(most)} bytes`)
    assert.ok(packsOf(laptop) > stagingBytes / 4, 'what it has is kept')
    await checkAll(laptop)
    await box.start()
    await untilLinked(laptop, box)
  })

  it('goes on from there once the box is in reach, and survives a crash of the box', async () => {
    const backup = laptop.try('--json', 'backup', source)
    const watched = mostWhile(backup)
    await untilUploaded(60 * MiB)
    await box.kill()
    await box.start()
    const { most, done } = await watched
    assert.equal(done.status, 0, done.stderr)
    assert.ok(most <= stagingBytes + beside, `${String(most)} bytes`)
    await untilStatus(
      box,
      'holds it',
      (status) => status.snapshots.total === 1 && packsOf(box) > files * fileBytes,
    )
    assert.ok(packsOf(box) < 1.1 * files * fileBytes, 'nothing was stored twice')
  })

  it('gives every byte back from the box', async () => {
    await desktop.start()
    await untilLinked(desktop, box)
    await untilStatus(
      desktop,
      'sees the copy',
      ({ snapshots }) => snapshots.total === 1 && snapshots.complete === 1,
    )
    await restoreSame(desktop, 'latest', source, house.path('restored'), '--from', 'box')
    await checkAll(box)
    rmSync(house.path('restored'), { recursive: true })
  })

  it('survives a crash of the laptop in the middle, and sends nothing again', async () => {
    makeFilms(source, 'series')
    await desktop.stop() // or it might be the one that takes it
    const before = packsOf(box)
    const broken = laptop.try('--json', 'backup', source)
    await untilUploaded(before + 60 * MiB)
    await laptop.kill()
    assert.notEqual((await broken).status, 0)
    await laptop.start()
    await untilLinked(laptop, box)
    const { most } = await mostWhile(backUp(laptop, source))
    assert.ok(most <= stagingBytes + beside, `${String(most)} bytes`)
    await desktop.start()
    await untilLinked(desktop, box)
    await untilStatus(
      desktop,
      'sees the copies',
      ({ snapshots }) => snapshots.total === 2 && snapshots.complete === 2,
    )
    assert.ok(packsOf(box) - before < 1.1 * files * fileBytes, 'nothing was stored twice')
    await restoreSame(desktop, 'latest', source, house.path('restored'), '--from', 'box')
    await checkAll(box)
  })

  /** Waits until so many bytes lie in the packs of the box. */
  async function untilUploaded(bytes: number): Promise<void> {
    await until(`the box has ${String(bytes)} bytes`, () => (packsOf(box) >= bytes ? true : undefined))
  }
})

/** Bytes in the packs of a device. */
function packsOf(device: Device): number {
  const packs = join(device.home, 'store', 'packs')
  let bytes = 0
  for (const name of readdirSync(packs))
    bytes += statSync(join(packs, name), { throwIfNoEntry: false })?.size ?? 0
  return bytes
}
