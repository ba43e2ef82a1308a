/** Story 3: with the laptop gone, the desktop or the Pi alone gives back every file, with its metadata. */

import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Device } from '../tools/cellar.ts'
import { compareTrees, describeDifferences } from '../tools/compare-trees.ts'
import { damageChunks } from '../tools/packs.ts'
import {
  assertSame,
  backUp,
  checkAll,
  failedWith,
  Household,
  restoreSame,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'

const mebibyte = 1024 * 1024

describe('story 3: restore from any peer', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let pi: Device
  let laptop: Device
  let source: string
  let snapshot: string

  before(async () => {
    house = new Household()
    source = house.path('documents')
    makeTree(source, { seed: 'story 3', filesSmall: 80, largeBytes: 3 * mebibyte })
    desktop = house.device('desktop')
    pi = house.device('pi')
    const lost = house.device('laptop')
    await desktop.init()
    await desktop.start()
    await desktop.admit(pi, 'storer')
    await desktop.admit(lost, 'writer')
    await Promise.all([pi.start(), lost.start()])
    const { summary, id } = await backUp(lost, source, '--wait')
    assert.equal(summary.copies, 3)
    snapshot = id
    await lost.lose()
    assert.ok(!existsSync(lost.home))
    laptop = house.device('new-laptop')
    await desktop.admit(laptop, 'writer')
  })
  after(() => house[Symbol.asyncDispose]())

  it('all of it from the desktop alone', async () => {
    await pi.stop()
    await restoreSame(laptop, 'latest', source, house.path('from-desktop'), '--device', 'laptop', '--verify')
    await pi.start()
  })

  it('all of it from the Pi alone', async () => {
    await untilLinked(pi, desktop)
    await desktop.stop()
    const summary = await restoreSame(laptop, snapshot, source, house.path('from-pi'), '--from', 'pi')
    assert.equal(summary.snapshot_id, snapshot)
    await desktop.start()
  })

  it('a single file', async () => {
    const target = house.path('one-file')
    await laptop.run(
      'restore',
      snapshot,
      '--target',
      target,
      '--include',
      join(source, 'large', 'photo-edited.raw'),
    )
    const only = compareTrees(join(source, 'large'), join(target, source, 'large'))
    assert.deepEqual([...new Set(only.map(({ what }) => what))], ['missing'])
    assert.deepEqual(readdirSync(join(target, source, 'large')), ['photo-edited.raw'])
    assert.deepEqual(readdirSync(join(target, source)), ['large'])
  })

  it('a directory of it, without what is above', async () => {
    const target = house.path('one-directory')
    await laptop.run('restore', `${snapshot}:${source}/odd`, '--target', target)
    const differences = compareTrees(join(source, 'odd'), target)
    assert.equal(differences.length, 0, describeDifferences(differences))
  })

  describe('when chunks of the desktop are damaged', () => {
    let bad: readonly string[]
    before(async () => {
      await Promise.all([untilLinked(pi, desktop), untilLinked(desktop, pi)])
      bad = damageChunks(desktop.home, 200_000)
    })

    it('from it alone: an error names the chunk, all other files are whole, and no half file is left', async () => {
      const target = house.path('from-damaged')
      const finished = await laptop.try(
        '--json',
        'restore',
        snapshot,
        '--from',
        'desktop',
        '--target',
        target,
      )
      assert.equal(failedWith(finished, 1), 'RESTORE_INCOMPLETE')
      assert.ok(
        bad.some((id) => finished.stderr.includes(id)),
        `no bad chunk is named in: ${finished.stderr}`,
      )
      const differences = compareTrees(source, join(target, source))
      const others = differences.filter(({ path, what }) => what !== 'missing' && !isAbove(path, differences))
      assert.equal(others.length, 0, describeDifferences(others))
      assert.ok(differences.some(({ what }) => what === 'missing'))
    })

    it('from both: the other one gives what is damaged', async () => {
      await restoreSame(laptop, snapshot, source, house.path('from-both'), '--verify')
    })

    it('what it was told of is mended from the other one without being asked; checking mends the rest', async () => {
      await untilStatus(desktop, 'has mended itself', ({ problems }) =>
        problems.every(({ code }) => code !== 'CHUNK_CORRUPT'),
      )
      await desktop.run('--json', 'check', '--read-data', '--repair')
      await checkAll(desktop)
      await pi.stop()
      await restoreSame(laptop, snapshot, source, house.path('from-repaired'), '--from', 'desktop')
      assertSame(source, join(house.path('from-repaired'), source))
    })
  })
})

/** A directory in which something is missing; a hard link whose first name is missing. */
function isAbove(
  path: string,
  differences: readonly { readonly path: string; readonly what: string }[],
): boolean {
  return differences.some((one) => one.what === 'missing' && one.path.startsWith(`${path}/`))
}
