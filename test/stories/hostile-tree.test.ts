/** A tree of 200,000 files with everything that a file system can hold comes back from another device as it was. */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { RestoreSummary } from '../../node/client.ts'
import type { Device } from '../tools/cellar.ts'
import { assertSame, backUp, checkAll, Household, untilAllHold, untilLinked } from '../tools/household.ts'
import { type MadeTree, makeTree } from '../tools/make-tree.ts'

const filesAll = 200_000

describe('a hostile tree of 200,000 files', function () {
  this.timeout(600_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let source: string
  let made: MadeTree

  before(async () => {
    house = new Household()
    source = house.path('home of hostile files')
    made = makeTree(source, { seed: 'hostile', filesSmall: 400, filesTiny: filesAll, largeBytes: 4_000_000 })
    desktop = house.device('desktop')
    laptop = house.device('laptop')
    await desktop.init()
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await laptop.start()
    await untilLinked(laptop, desktop)
  })
  after(async function () {
    this.timeout(0) // a disk that is busy takes long to remove half a million files
    await house[Symbol.asyncDispose]()
  })

  it('has every kind of file', function () {
    if (made.leftOut.length === 0) return
    process.stderr.write(`    not made on this machine: ${made.leftOut.join('; ')}\n`)
    if (process.getuid?.() !== 0) this.skip()
    assert.fail('root can make all of it')
  })

  it('is backed up without a complaint, and held by the other device', async () => {
    const { summary, stderr } = await backUp(laptop, source, '--wait')
    assert.deepEqual(summary.unread, [])
    assert.equal(stderr, '')
    assert.ok(summary.files_new > filesAll, `${String(summary.files_new)} files`)
    assert.deepEqual(summary.waited, { wanted: 2, reached: true })
    await untilAllHold([laptop, desktop], 1)
  })

  it('is not sealed again when nothing changed', async () => {
    const { summary } = await backUp(laptop, source, '--dry-run')
    assert.deepEqual(
      [summary.files_new, summary.files_changed, summary.dirs_new, summary.dirs_changed],
      [0, 0, 0, 0],
    )
  })

  it('comes back from the other device to a new one, the same in every byte and all metadata', async () => {
    await laptop.lose()
    await checkAll(desktop)
    const next = house.device('next-laptop')
    await desktop.admit(next, 'writer')
    const target = house.path('restored')
    const summary = await next.json<RestoreSummary>(
      'restore',
      'latest',
      '--from',
      'desktop',
      '--target',
      target,
    )
    assert.deepEqual(summary.errors, [])
    assertSame(source, join(target, source))
  })
})
