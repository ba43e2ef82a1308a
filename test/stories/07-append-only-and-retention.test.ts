/** Story 7: the laptop can only add; the box in the cupboard applies retention while the laptop sleeps. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ForgetGroup } from '../../node/client.ts'
import type { Device } from '../tools/cellar.ts'
import { AT_ONCE, prune, setSettings, trashOf, untilListed, untilSmaller } from '../tools/forgetting.ts'
import {
  backUp,
  checkAll,
  failedWith,
  Household,
  restoreSame,
  snapshotsOf,
  untilAllHold,
} from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { seeded } from '../tools/seeded.ts'

const mebibyte = 1024 * 1024

describe('story 7: the laptop only adds, the box in the cupboard tidies up', function () {
  this.timeout(300_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let pi: Device
  let files: string
  let ids: string[]

  before(async () => {
    house = new Household()
    files = house.path('files')
    makeTree(files, { seed: 'story 7', filesSmall: 40, largeBytes: mebibyte })
    ;[desktop, laptop, pi] = [house.device('desktop'), house.device('laptop'), house.device('pi')]
    await desktop.init()
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await desktop.admit(pi, 'storer', '--may-forget')
    await Promise.all([laptop.start(), pi.start()])
    ids = []
    for (let day = 0; day < 5; day++) {
      writeFileSync(join(files, 'diary'), seeded(`day ${String(day)}`).bytes(mebibyte))
      ids.push((await backUp(laptop, files, '--wait')).id)
    }
    await untilAllHold([desktop, laptop, pi], 5)
  })
  after(() => house[Symbol.asyncDispose]())

  it('the laptop can forget nothing, by id or by rule, and is told who can', async () => {
    for (const args of [
      ['forget', 'latest'],
      ['forget', '--keep-last', '1'],
    ]) {
      const finished = await laptop.try('--json', ...args)
      assert.equal(failedWith(finished, 1), 'NOT_ENTITLED')
      assert.match(finished.stderr, /desktop/)
    }
    assert.equal((await snapshotsOf(desktop)).length, 5)
  })

  it('with the laptop off, the box keeps what its rules say, and reads nothing to do so', async () => {
    await laptop.stop()
    await pi.stop()
    setSettings(pi, `${AT_ONCE}\n[retention]\nkeep_last = 2\nevery = "1h"\n`)
    await pi.start()
    await untilListed(pi, ids.slice(3))
    // Three diaries of a mebibyte are gone from its disk.
    await untilSmaller(pi, 4.5 * mebibyte)
    assert.equal((await checkAll(pi)).snapshots_checked, 2)
  })

  it('the desktop hears of it, and keeps the bytes for its own hold window', async () => {
    await untilListed(desktop, ids.slice(3))
    const trash = await trashOf(desktop)
    assert.deepEqual(trash.map(({ snapshot }) => snapshot.id).sort(), ids.slice(0, 3).sort())
    for (const { forgotten_by, reason, held_here } of trash)
      assert.deepEqual([forgotten_by, reason, held_here], ['pi', 'retention', true])
    assert.equal((await prune(desktop)).snapshots_released, 0)
  })

  it('the laptop wakes and agrees; its newest snapshot comes back from the box', async () => {
    await laptop.start()
    await untilListed(laptop, ids.slice(3))
    await restoreSame(desktop, ids[4] ?? '', files, house.path('back'), '--from', 'pi')
  })

  it('what is pinned stays, whatever the rules say', async () => {
    await desktop.run('pin', ids[3] ?? '')
    for (const day of ['one more day', 'the day after']) {
      writeFileSync(join(files, 'diary'), seeded(day).bytes(mebibyte))
      ids.push((await backUp(laptop, files, '--wait')).id)
    }
    const kept = [ids[3], ids[5], ids[6]].map((id) => id ?? '')
    await pi.run('forget', '--keep-last', '2')
    for (const device of [pi, desktop, laptop]) await untilListed(device, kept)
  })

  it('the desktop may forget by rule too, and a dry run says why each is kept and changes nothing', async () => {
    const groups = await desktop.json<ForgetGroup[]>('forget', '--keep-last', '1', '--dry-run')
    assert.equal(groups.length, 1)
    assert.deepEqual(
      groups[0]?.reasons.map(({ snapshot, matches }) => [snapshot.id, matches.length > 0]),
      groups[0]?.keep.map(({ id }) => [id, true]),
    )
    assert.equal((await snapshotsOf(desktop)).length, 3)
  })
})
