/** Disks that rot: what is damaged is named, never passed on as good, never written as a half file, and mended. */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckSummary, RestoreSummary } from '../../node/client.ts'
import { type Device, jsonLines } from '../tools/cellar.ts'
import { compareTrees, describeDifferences } from '../tools/compare-trees.ts'
import { damageChunks } from '../tools/packs.ts'
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
import { seeded } from '../tools/seeded.ts'

const photoBytes = 700_000
/** Nothing in the trees below has a chunk as long as this but the photo. */
const longBytes = 200_000

/** Some small files in a bundle, and one photo that is a chunk of its own. */
function makeSource(path: string): string {
  mkdirSync(join(path, 'letters'), { recursive: true })
  for (let n = 0; n < 20; n++)
    writeFileSync(join(path, 'letters', `${String(n)}.txt`), `letter ${String(n)}\n`.repeat(n))
  writeFileSync(join(path, 'photo.jpg'), seeded('photo').bytes(photoBytes))
  return path
}

/** Restores all and must fail at the photo alone: named, and nothing of it left. */
async function restoreAllButPhoto(
  device: Device,
  source: string,
  target: string,
  ...flags: string[]
): Promise<void> {
  const finished = await device.try('--json', 'restore', 'latest', '--target', target, ...flags)
  assert.equal(failedWith(finished, 1), 'RESTORE_INCOMPLETE')
  const named = jsonLines(finished.stderr).filter((line) => line['message_type'] === 'error')
  assert.deepEqual(
    named.map((line) => line['item']),
    [join(source, 'photo.jpg')],
  )
  const restored = join(target, source)
  assert.deepEqual(readdirSync(restored), ['letters'])
  const differences = compareTrees(source, restored)
  assert.deepEqual(
    differences.map(({ path, what }) => [path, what]),
    [['photo.jpg', 'missing']],
    describeDifferences(differences),
  )
}

/** Checks all bytes, must find errors. @returns ids of the chunks named */
async function chunksNamed(device: Device): Promise<string[]> {
  const finished = await device.try('--json', 'check', '--read-data')
  assert.equal(failedWith(finished, 1), 'CHECK_FAILED')
  const errors = jsonLines(finished.stderr).filter((line) => line['message_type'] === 'error')
  return [
    ...new Set(errors.flatMap((line) => (typeof line['chunk'] === 'string' ? [line['chunk']] : []))),
  ].sort()
}

/** Flips one bit in each chunk of the photo: mostly one, sometimes two. @returns their ids */
function damagePhoto(device: Device): string[] {
  return damageChunks(device.home, longBytes).sort()
}

/** Checks and mends, must succeed. */
async function repair(device: Device): Promise<CheckSummary> {
  const { stdout } = await device.run('--json', 'check', '--read-data', '--repair')
  return jsonLines(stdout).findLast((line) => line['message_type'] === 'summary') as unknown as CheckSummary
}

function packsOf(device: Device): string[] {
  const directory = join(device.home, 'store', 'packs')
  return readdirSync(directory)
    .filter((name) => name.endsWith('.pack'))
    .map((name) => join(directory, name))
}

/** Ways to lose much of a store, its last part at least: there the snapshots themselves are. */
const losses: readonly (readonly [string, (device: Device) => void])[] = [
  [
    'a truncated pack',
    (device) => {
      const [pack = ''] = packsOf(device).sort((a, b) => statSync(b).size - statSync(a).size)
      truncateSync(pack, Math.floor(statSync(pack).size / 2))
    },
  ],
  [
    'deleted packs',
    (device) => {
      for (const pack of packsOf(device)) rmSync(pack)
    },
  ],
]

describe('damage on a device alone', function () {
  this.timeout(240_000)
  let house: Household
  let device: Device
  let source: string

  beforeEach(async () => {
    house = new Household()
    source = makeSource(house.path('documents'))
    device = house.device('desktop')
    await device.init()
    await backUp(device, source)
  })
  afterEach(() => house[Symbol.asyncDispose]())

  it('one flipped bit: the check names the chunk, all other files come back, the source mends it', async () => {
    const bad = damagePhoto(device)
    assert.deepEqual(await chunksNamed(device), bad)
    await restoreAllButPhoto(device, source, house.path('without'))
    const only = house.path('only letters')
    await device.run('restore', 'latest', '--target', only, '--include', join(source, 'letters'))
    assert.deepEqual(compareTrees(join(source, 'letters'), join(only, source, 'letters')), [])
    const mended = await repair(device)
    assert.deepEqual([mended.num_errors, mended.num_mended], [bad.length, bad.length])
    await checkAll(device)
    await restoreSame(device, 'latest', source, house.path('mended'))
  })

  it('one flipped bit and no source: it stays named, a later backup of the file mends it', async () => {
    const bad = damagePhoto(device)
    const kept = seeded('photo').bytes(photoBytes)
    rmSync(join(source, 'photo.jpg'))
    const finished = await device.try('--json', 'check', '--read-data', '--repair')
    assert.equal(failedWith(finished, 1), 'CHECK_FAILED')
    assert.deepEqual(await chunksNamed(device), bad)
    writeFileSync(join(source, 'photo.jpg'), kept)
    await backUp(device, source)
    await checkAll(device)
    await restoreSame(device, 'latest', source, house.path('again'))
  })

  for (const [what, lose] of losses) {
    it(`${what}: what is lost is named, and a new backup brings it all back`, async () => {
      const [old] = await snapshotsOf(device)
      lose(device)
      const lost = await chunksNamed(device)
      assert.ok(lost.includes(old?.id ?? ''))
      const restored = await device.try('--json', 'restore', 'latest', '--target', house.path('nothing'))
      assert.equal(failedWith(restored, 20), 'NO_PEER')
      const { id } = await backUp(device, source)
      await restoreSame(device, id, source, house.path('again'))
      // The old snapshot itself, and what differs in it, was nowhere else: that stays named.
      const bad = await device.try('--json', 'check', '--read-data', '--repair')
      assert.equal(failedWith(bad, 1), 'CHECK_FAILED')
      const left = await chunksNamed(device)
      assert.ok(
        left.includes(old?.id ?? '') && left.length < lost.length,
        `${String(left.length)} of ${String(lost.length)}`,
      )
    })
  }

  it('a lost index is made again by itself, and all snapshots are still held', async () => {
    rmSync(join(device.home, 'store', 'index'), { recursive: true })
    const [snapshot] = await snapshotsOf(device)
    assert.equal(snapshot?.here, true)
    await checkAll(device)
    await restoreSame(device, 'latest', source, house.path('restored'))
  })

  for (const [name, bytes] of [
    ['garbled', Buffer.from('this is no index')],
    ['empty', Buffer.alloc(0)],
  ] as const) {
    it(`an index of ${name} files is made again by itself, and all snapshots are still held`, async () => {
      garble(join(device.home, 'store', 'index'), bytes)
      const [snapshot] = await snapshotsOf(device)
      assert.equal(snapshot?.here, true)
      await checkAll(device)
      await restoreSame(device, 'latest', source, house.path('restored'))
      const { summary } = await backUp(device, source)
      assert.deepEqual([summary.files_new, summary.files_changed], [0, 0])
    })
  }
})

/** Writes the same bytes into every file of a directory. */
function garble(directory: string, bytes: Uint8Array): void {
  for (const name of readdirSync(directory)) writeFileSync(join(directory, name), bytes)
}

describe('damage on a device whose peers are whole', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let source: string

  beforeEach(async () => {
    house = new Household()
    source = makeSource(house.path('documents'))
    desktop = house.device('desktop')
    laptop = house.device('laptop')
    await desktop.init()
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await laptop.start()
    await backUp(laptop, source, '--wait')
  })
  afterEach(() => house[Symbol.asyncDispose]())

  it('a restore takes what is damaged from the peer, without being asked', async () => {
    damagePhoto(laptop)
    await restoreSame(laptop, 'latest', source, house.path('restored'))
    await laptop.stop()
    await restoreSame(laptop, 'latest', source, house.path('restored without a node'))
  })

  it('a restore from the damaged device alone names the file', async () => {
    damagePhoto(laptop)
    await restoreAllButPhoto(laptop, source, house.path('restored'), '--from', 'laptop')
  })

  it('check --repair mends from the peer where the source is gone', async () => {
    const bad = damagePhoto(laptop)
    rmSync(join(source, 'photo.jpg'))
    const mended = await repair(laptop)
    assert.deepEqual([mended.num_errors, mended.num_mended], [bad.length, bad.length])
    await checkAll(laptop)
    await desktop.stop()
    const target = house.path('mended')
    await laptop.run('restore', 'latest', '--target', target)
    const photo = readFileSync(join(target, source, 'photo.jpg'))
    assert.ok(photo.equals(seeded('photo').bytes(photoBytes)), 'the photo is not what it was')
  })

  for (const [what, lose] of losses) {
    it(`${what}: check --repair brings all of it back from the peer`, async () => {
      await laptop.stop()
      lose(laptop)
      rmSync(join(source, 'letters', '7.txt')) // the source is not what it was
      const mended = await repair(laptop)
      assert.ok(mended.num_mended > 0)
      assert.equal(mended.num_mended, mended.num_errors)
      await checkAll(laptop)
      await desktop.stop()
      const { errors } = await laptop.json<RestoreSummary>(
        'restore',
        'latest',
        '--target',
        house.path('mended'),
      )
      assert.deepEqual(errors, [])
    })
  }

  it('a damaged chunk is not passed on as good: newcomer and damaged one have it from the other', async () => {
    damagePhoto(laptop)
    const pi = house.device('pi')
    await desktop.admit(pi, 'storer')
    await untilStatus(laptop, 'knows the newcomer', ({ devices }) =>
      devices.some(({ name }) => name === 'pi'),
    )
    await desktop.stop()
    await pi.start()
    await untilLinked(pi, laptop)
    await untilStatus(laptop, 'knows that a chunk is damaged', ({ problems }) =>
      problems.some(({ code }) => code === 'CHUNK_CORRUPT'),
    )
    await desktop.start()
    await untilStatus(pi, 'holds the snapshot', ({ devices }) =>
      devices.some((one) => one.self && one.snapshots_held === 1),
    )
    await checkAll(pi)
    await untilStatus(laptop, 'has mended itself', ({ problems }) =>
      problems.every(({ code }) => code !== 'CHUNK_CORRUPT'),
    )
    await checkAll(laptop)
    await untilAllHold([laptop, desktop, pi], 1)
  })
})
