/**
 * Story 17: a flipped bit is found by scrubbing or reading, mended from a peer or the source, never handed out; I am
 * told.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DrillSummary, ScrubSummary } from '../../node/client.ts'
import { type Device, type Finished, jsonLines } from '../tools/cellar.ts'
import { damageChunks } from '../tools/packs.ts'
import {
  backUp,
  checkAll,
  failedWith,
  Household,
  restoreSame,
  untilAllHold,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { seeded } from '../tools/seeded.ts'

const photoBytes = 900_000
/** Nothing in the tree below has a chunk as long as this but the photo. */
const longBytes = 150_000

/** Some small files, and one photo that has chunks of its own. */
function makeSource(path: string): string {
  mkdirSync(join(path, 'letters'), { recursive: true })
  for (let n = 0; n < 30; n++)
    writeFileSync(join(path, 'letters', `${String(n)}.txt`), `letter ${String(n)}\n`.repeat(n + 1))
  writeFileSync(join(path, 'photo.jpg'), seeded('photo of story 17').bytes(photoBytes))
  return path
}

/** What a command with `--json` said of a type, on standard output or standard error. */
function said({ stdout, stderr }: Finished, type: string) {
  return [...jsonLines(stdout), ...jsonLines(stderr)].filter((line) => line['message_type'] === type)
}

function summaryOf(finished: Finished): ScrubSummary {
  return said(finished, 'summary').at(-1) as unknown as ScrubSummary
}

describe('story 17: a disk rots', function () {
  this.timeout(300_000)
  let house: Household
  let desktop: Device
  let pi: Device
  let laptop: Device
  let source: string

  beforeEach(async () => {
    house = new Household()
    source = makeSource(house.path('documents'))
    desktop = house.device('desktop')
    pi = house.device('pi')
    laptop = house.device('laptop')
    await desktop.init()
    await desktop.start()
    await desktop.admit(pi, 'storer')
    await desktop.admit(laptop, 'writer')
    await Promise.all([pi.start(), laptop.start()])
    await Promise.all([untilLinked(pi, desktop), untilLinked(laptop, desktop)])
    await backUp(laptop, source, '--wait')
    await untilAllHold([desktop, pi, laptop], 1)
  })
  afterEach(() => house[Symbol.asyncDispose]())

  it('a flipped bit in the store of a running node is found by scrubbing, and mended from a peer', async () => {
    const bad = damageChunks(pi.home, longBytes)
    const finished = await pi.run('--json', 'scrub')
    const summary = summaryOf(finished)
    assert.deepEqual([summary.chunks_bad, summary.chunks_mended], [bad.length, bad.length])
    assert.deepEqual(
      said(finished, 'error')
        .map((line) => line['chunk'])
        .sort(),
      [...bad].sort(),
    )
    assert.deepEqual([...new Set(said(finished, 'mended').map((line) => line['from']))], ['peer'])
    const { watching, problems } = await untilStatus(
      pi,
      'says what it found',
      ({ watching: now }) => now.scrub.chunks_mended > 0,
    )
    assert.deepEqual([watching.scrub.chunks_bad, watching.scrub.chunks_mended], [bad.length, bad.length])
    assert.equal(watching.bad_chunks, 0)
    assert.ok(
      problems.some(({ code }) => code === 'DISK_ROTS'),
      'a person is told, though all is well again',
    )
    await checkAll(pi)
    await Promise.all([desktop.stop(), laptop.stop()])
    await desktop.start()
    await untilLinked(desktop, pi)
    await restoreSame(desktop, 'latest', source, house.path('from-pi'), '--from', 'pi')
  })

  it('what reading comes upon is not handed out, and is mended without being asked', async () => {
    const bad = damageChunks(desktop.home, longBytes)
    await restoreSame(desktop, 'latest', source, house.path('restored'), '--verify')
    const { watching } = await untilStatus(
      desktop,
      'has mended itself',
      ({ watching: now }) => now.scrub.chunks_mended === bad.length,
    )
    assert.equal(watching.bad_chunks, 0)
    await checkAll(desktop)
  })

  it('bad wherever it is: made again from the file, and passed on', async () => {
    const bad = damageChunks(laptop.home, longBytes)
    damageChunks(desktop.home, longBytes)
    damageChunks(pi.home, longBytes)
    const finished = await laptop.run('--json', 'scrub')
    assert.deepEqual([...new Set(said(finished, 'mended').map((line) => line['from']))], ['source'])
    assert.equal(summaryOf(finished).chunks_mended, bad.length)
    for (const device of [desktop, pi]) {
      const { chunks_bad, chunks_mended } = summaryOf(await device.run('--json', 'scrub'))
      assert.equal(chunks_mended, chunks_bad)
      await checkAll(device)
    }
    await untilAllHold([desktop, pi, laptop], 1)
    await restoreSame(desktop, 'latest', source, house.path('restored'), '--from', 'pi')
  })

  it('nothing gives it back: it is told with what needs it, never handed out; the rest can be restored', async () => {
    rmSync(join(source, 'photo.jpg'))
    for (const device of [laptop, desktop, pi]) damageChunks(device.home, longBytes)
    for (const device of [laptop, desktop, pi]) {
      const finished = await device.try('--json', 'scrub')
      assert.equal(failedWith(finished, 1), 'CHUNK_LOST')
    }
    for (const device of [laptop, desktop, pi]) {
      const { problems, watching } = await untilStatus(
        device,
        'tells of what is lost',
        ({ problems: told }) => told.some(({ code }) => code === 'CHUNK_LOST'),
      )
      assert.ok(watching.bad_chunks > 0)
      assert.match(problems.find(({ code }) => code === 'CHUNK_LOST')?.message ?? '', /snapshot [0-9a-f]{8}/)
    }
    for (const flags of [[], ['--from', 'pi']]) {
      const target = house.path(`target ${flags.join('')}`)
      const finished = await desktop.try('--json', 'restore', 'latest', '--target', target, ...flags)
      assert.equal(failedWith(finished, 1), 'RESTORE_INCOMPLETE')
      assert.deepEqual(
        said(finished, 'error').map((line) => line['item']),
        [join(source, 'photo.jpg')],
      )
      const restored = join(target, source)
      assert.ok(!existsSync(join(restored, 'photo.jpg')))
      for (const name of readdirSync(join(source, 'letters')))
        assert.equal(
          readFileSync(join(restored, 'letters', name), 'utf8'),
          readFileSync(join(source, 'letters', name), 'utf8'),
        )
    }
  })

  it('V4.1 V4.2 a drill restores from another device alone, leaves nothing, and tells when it could not', async () => {
    const passed = await laptop.json<DrillSummary>('drill', '--from', 'desktop', '--files', '40')
    assert.deepEqual(passed.from, ['desktop'])
    assert.ok(passed.files_restored >= 20 && passed.files_failed === 0, JSON.stringify(passed))
    assert.equal(passed.files_compared, passed.files_restored)
    assert.deepEqual(
      readdirSync(laptop.home).filter((name) => name.startsWith('drill-')),
      [],
    )
    await untilStatus(laptop, 'says that it passed', ({ watching }) => watching.drill?.outcome === 'passed')
    damageChunks(desktop.home, 1)
    const failed = await laptop.try('--json', 'drill', 'latest', '--from', 'desktop', '--files', '40')
    assert.equal(failedWith(failed, 1), 'DRILL_FAILED')
    const { problems } = await untilStatus(
      laptop,
      'says that it failed',
      ({ watching }) => watching.drill?.outcome === 'failed',
    )
    assert.ok(problems.some(({ code }) => code === 'DRILL_FAILED'))
  })
})
