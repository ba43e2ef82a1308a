/** Story 2: my laptop backs itself up to my desktop over the LAN. */

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Status } from '../../node/client.ts'
import type { Device } from '../tools/cellar.ts'
import {
  backUp,
  checkAll,
  exitError,
  failedWith,
  Household,
  sees,
  snapshotsOf,
  statusOf,
  tryBackup,
  until,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { makeTree } from '../tools/make-tree.ts'
import { seeded } from '../tools/seeded.ts'

const mebibyte = 1024 * 1024

describe('story 2: the laptop backs itself up to the desktop', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let documents: string

  before(async () => {
    house = new Household()
    documents = house.path('documents')
    makeTree(documents, { seed: 'story 2', filesSmall: 80, largeBytes: 4 * mebibyte })
    desktop = house.device('desktop')
    laptop = house.device('laptop')
    await desktop.init()
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    await laptop.start()
    await untilLinked(laptop, desktop)
  })
  after(() => house[Symbol.asyncDispose]())

  /** Bytes of the store of a running device. */
  async function bytesUsed(device: Device): Promise<number> {
    const status: Status | undefined = await statusOf(device)
    return status?.store.bytes_used ?? Number.NaN
  }

  it('a snapshot is held on the other device, and waiting for it says so', async () => {
    const { summary, id } = await backUp(laptop, documents, '--wait')
    assert.deepEqual([summary.copies, summary.copies_wanted], [2, 2])
    assert.deepEqual(summary.waited, { wanted: 2, reached: true })
    const [seen] = await snapshotsOf(desktop)
    assert.equal(seen?.id, id)
    assert.equal(seen.device_name, 'laptop')
    assert.deepEqual([...seen.holders].sort(), ['desktop', 'laptop'])
    assert.equal(seen.here, true)
    await checkAll(desktop)
  })

  it('what has not changed moves once: a second backup stores and sends almost nothing', async () => {
    const before = await bytesUsed(desktop)
    const { summary } = await backUp(laptop, documents, '--wait')
    assert.equal(summary.files_new + summary.files_changed, 0)
    assert.ok(summary.data_added_packed < 10_000, `stored ${String(summary.data_added_packed)} bytes`)
    const sent = (await bytesUsed(desktop)) - before
    assert.ok(sent < 10_000, `sent ${String(sent)} bytes`)
  })

  it('what is new moves, and not much more', async () => {
    const before = await bytesUsed(desktop)
    writeFileSync(join(documents, 'new'), seeded('something new').bytes(mebibyte))
    const { summary } = await backUp(laptop, documents, '--wait')
    assert.deepEqual([summary.files_new, summary.files_changed], [1, 0])
    const sent = (await bytesUsed(desktop)) - before
    assert.ok(sent >= mebibyte && sent < 1.2 * mebibyte, `sent ${String(sent)} bytes`)
  })

  it('the same content on another device is not sent to it again', async () => {
    const before = await bytesUsed(laptop)
    const { summary } = await backUp(desktop, documents, '--wait')
    assert.ok(summary.data_added_packed < 60_000, `stored ${String(summary.data_added_packed)} bytes`)
    const sent = (await bytesUsed(laptop)) - before
    assert.ok(sent < 60_000, `sent ${String(sent)} bytes`)
  })

  it('without a running node here the backup is made and travels all the same', async () => {
    await laptop.stop()
    writeFileSync(join(documents, 'made while the node was down'), 'x')
    const { summary } = await backUp(laptop, documents, '--wait')
    assert.equal(summary.copies, 2)
  })

  it('exits 10 where there is no mesh, and 12 for a wrong code', async () => {
    const nobody = house.device('nobody')
    assert.equal(failedWith(await nobody.try('--json', 'backup', documents), 10), 'NO_MESH')
    assert.equal(
      failedWith(await nobody.try('--json', 'join', '1234-no-such-words-here', '--at', '127.0.0.1:1'), 12),
      'CODE_WRONG',
    )
  })

  it('exits 1 where something failed, and 2 where the usage is wrong', async () => {
    assert.equal(
      failedWith(await laptop.try('--json', 'restore', 'ffffffff', '-t', house.path('none')), 1),
      'SNAPSHOT_NOT_FOUND',
    )
    const wrong = await laptop.try('--json', 'backup', documents, '--no-such-flag')
    assert.equal(wrong.status, 2, wrong.stderr)
  })

  it('exits 3 when a source could not be read; all else is in the snapshot', async () => {
    const partly = house.path('partly')
    mkdirSync(partly)
    writeFileSync(join(partly, 'good'), 'good')
    // Unreadable even for root: what a link to itself leads to.
    const missing = join(house.path('no-such-directory'), 'below')
    const { status, summary, stderr } = await laptop
      .try('--json', 'backup', partly, missing)
      .then((finished) => ({ ...finished, summary: finished.stdout }))
    assert.equal(status, 3, stderr)
    assert.match(summary, /"snapshot_id"/)
    assert.match(stderr, /no-such-directory/)
    if (process.getuid?.() !== 0) {
      writeFileSync(join(partly, 'closed'), 'closed')
      chmodSync(join(partly, 'closed'), 0)
      const second = await tryBackup(laptop, partly)
      assert.equal(second.status, 3)
      assert.equal(second.summary.unread.length, 1)
    }
  })

  it('with the other device away: saved, exit 21 from waiting; later it travels by itself', async () => {
    await untilStatus(desktop, 'rests', (status) => status.jobs.length === 0)
    await desktop.stop()
    await laptop.start()
    writeFileSync(join(documents, 'made alone'), 'alone')
    symlinkSync('made alone', join(documents, 'link made alone'))
    const waiting = tryBackup(laptop, documents, '--wait')
    const fetching = laptop.try('--json', 'restore', 'latest', '--from', 'desktop', '-t', house.path('none'))
    const waited = await waiting
    assert.equal(waited.status, 21, waited.stderr)
    assert.equal(exitError(waited)['error_code'], 'COPIES_MISSING')
    assert.equal(waited.summary.waited?.reached, false)
    assert.notEqual(waited.id, '')
    assert.equal(failedWith(await fetching, 20), 'NO_PEER')
    const alone = await statusOf(laptop)
    assert.equal(alone?.last_backup?.copies, 1)
    assert.ok(alone.waiting.some((one) => one.name === 'desktop' && one.snapshots > 0 && !one.connected))

    await desktop.start()
    await untilStatus(desktop, 'sees the laptop', (status) => sees(status, 'laptop'))
    await until('the desktop holds what was made alone', async () => {
      const last = (await snapshotsOf(desktop)).at(-1)
      return last?.id === waited.id && last.here ? last : undefined
    })
  })
})
