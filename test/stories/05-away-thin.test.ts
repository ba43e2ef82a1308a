/**
 * Story 5: backups go on when nothing else can be reached, and travel later by themselves; the laptop needs space for
 * what is new, not for all. Here: a thin laptop, its desktop and the box in the cupboard.
 */

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckSummary } from '../../node/client.ts'
import { type Device, jsonLines } from '../tools/cellar.ts'
import {
  backUp,
  checkAll,
  Household,
  restoreSame,
  tryBackup,
  untilAllHold,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { damageChunks, packBytes, storedBy } from '../tools/packs.ts'
import { seeded } from '../tools/seeded.ts'

const MiB = 1024 * 1024
const photoBytes = 6 * MiB

describe('story 5: a thin laptop, away and back', function () {
  this.timeout(600_000)
  let house: Household
  let desktop: Device
  let pi: Device
  let laptop: Device
  let files: string
  /** Bytes on the laptop's disk once it has dropped what is in its files. */
  let treesBytes: number
  const ids: string[] = []

  before(async () => {
    house = new Household()
    files = house.path('files')
    makeTree(files, { seed: 'story 5', filesSmall: 60, largeBytes: 20 * MiB })
    ;[desktop, pi, laptop] = ['desktop', 'pi', 'laptop'].map((name) => house.device(name)) as [
      Device,
      Device,
      Device,
    ]
    await desktop.init()
    await desktop.start()
    await desktop.admit(pi, 'storer')
    await pi.start()
    await untilLinked(desktop, pi)
    // Who is admitted is told where those in reach are.
    await desktop.admit(laptop, 'writer')
    await laptop.start()
    await Promise.all([untilLinked(laptop, desktop), untilLinked(laptop, pi)])
    const { stdout } = await desktop.run('devices', 'thin', 'laptop')
    assert.match(stdout, /^laptop is thin/)
    await untilStatus(laptop, 'knows that it is thin', ({ thin }) => thin !== undefined)
  })
  after(() => house[Symbol.asyncDispose]())

  function write(name: string, bytes: number): void {
    writeFileSync(join(files, name), seeded(`${name} of story 5`).bytes(bytes))
  }

  /** Waits until the laptop has left all its snapshots to others, and has given the space back. */
  async function untilLeft(snapshots: number, bytesMax: number): Promise<void> {
    await untilStatus(
      laptop,
      `has left ${String(snapshots)} snapshots to others`,
      ({ thin, store }) => thin?.snapshots === snapshots && thin.kept === 0 && store.bytes_used < bytesMax,
    )
  }

  it('drops what is in its files once desktop and box have proven to hold it', async () => {
    ids.push((await backUp(laptop, files)).id)
    assert.ok(packBytes(laptop.home) > 20 * MiB)
    await untilAllHold([desktop, pi], 1)
    await untilLeft(1, 2 * MiB)
    treesBytes = packBytes(laptop.home)
    await checkAll(laptop)
    const { stdout } = await laptop.run('status')
    assert.match(stdout, /^The one snapshot is on every device that stores\./)
    assert.match(stdout, /of 1 snapshot only the folders are here/)
    assert.match((await laptop.run('devices')).stdout, /laptop +writer, thin/)
  })

  it('backs up with nobody in reach, storing only what is new, and says so', async () => {
    await Promise.all([desktop.stop(), pi.kill()])
    write('photo 1', photoBytes)
    const first = await tryBackup(laptop, files)
    assert.equal(first.status, 0, first.stderr)
    assert.deepEqual([first.summary.copies, first.summary.copies_wanted], [0, 2])
    assert.deepEqual([first.summary.files_new, first.summary.files_changed], [1, 0])
    ids.push(first.id)
    write('photo 2', photoBytes)
    ids.push((await backUp(laptop, files)).id)
    const grown = packBytes(laptop.home) - treesBytes
    assert.ok(grown > 2 * photoBytes && grown < 2 * photoBytes + MiB, String(grown))
    const status = await untilStatus(laptop, 'keeps two', ({ thin }) => thin?.kept === 2)
    assert.deepEqual(
      [status.thin?.snapshots, status.thin?.trees_only, status.own_snapshots.only_on_owner],
      [3, 1, 2],
    )
    assert.match((await laptop.run('ls', 'latest')).stdout, /photo 2/)
    const away = await laptop.try('--json', 'restore', ids[0] ?? '', '--target', house.path('away'))
    assert.notEqual(away.status, 0)
    assert.equal(jsonLines(away.stderr).at(-1)?.['error_code'], 'NO_PEER')
  })

  it('gives it to them as they return, one after the other, interrupted too', async () => {
    await pi.start()
    await untilStatus(pi, 'hears of the new snapshots', ({ snapshots }) => snapshots.total === 3)
    await pi.kill()
    await desktop.start()
    await untilStatus(desktop, 'holds all three', ({ device, devices, snapshots }) => {
      const own = devices.find(({ id }) => id === device.id)
      return snapshots.total === 3 && own?.snapshots_held === 3
    })
    await pi.start()
    await untilAllHold([desktop, pi], 3)
    await untilLeft(3, treesBytes + 2 * MiB)
    assert.equal(storedBy(desktop.home).bytesTwice, 0)
    for (const device of [desktop, pi, laptop]) await checkAll(device)
  })

  it('restores from each of them, every byte and all metadata', async () => {
    for (const [at, from] of ['desktop', 'pi', undefined].entries()) {
      const flags = from === undefined ? [] : ['--from', from]
      await restoreSame(laptop, ids[2] ?? '', files, house.path(`back ${String(at)}`), ...flags)
    }
    const { stdout } = await laptop.run('--json', 'check', '--read-data', ids[2] ?? '')
    const summary = jsonLines(stdout).findLast((line) => line['message_type'] === 'summary')
    assert.deepEqual(
      [(summary as CheckSummary | undefined)?.num_errors, summary?.['snapshots_checked']],
      [0, 1],
    )
    assert.match((await laptop.run('diff', ids[0] ?? '', ids[2] ?? '')).stdout, /photo 1/)
    const dumped = await laptop.run('dump', 'latest', join(files, 'photo 1'))
    assert.equal(dumped.status, 0)
  })

  it('makes a chunk again that desktop and box have both lost', async () => {
    await Promise.all([desktop.stop(), pi.stop()])
    write('photo 3', photoBytes)
    ids.push((await backUp(laptop, files)).id)
    rmSync(house.path('back 0'), { recursive: true })
    const lost = new Set(damageChunks(desktop.home, 300_000))
    assert.ok(damageChunks(pi.home, 300_000).some((id) => lost.has(id)))
    // They find it while the laptop is not in reach: nobody has those chunks any more.
    await laptop.stop()
    await Promise.all([desktop.start(), pi.start()])
    await untilLinked(desktop, pi)
    for (const device of [desktop, pi]) await device.try('scrub')
    await laptop.start()
    await untilAllHold([desktop, pi], 4)
    await untilLeft(4, treesBytes + 3 * MiB)
    for (const device of [desktop, pi]) await checkAll(device)
    await restoreSame(laptop, ids[3] ?? '', files, house.path('whole again'))
  })
})
