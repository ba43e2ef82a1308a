/**
 * Devices as separate hosts on a local network: they find one another by multicast DNS, over a bridge between network
 * namespaces that nothing leaves. Where namespaces are not permitted, the tests are skipped and say so.
 */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Device, finish } from '../tools/cellar.ts'
import {
  admittedBy,
  backUp,
  checkAll,
  Household,
  openInvitation,
  restoreSame,
  sees,
  until,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { Lan } from '../tools/lan.ts'
import { makeTree } from '../tools/make-tree.ts'
import { seeded } from '../tools/seeded.ts'

const mebibyte = 1024 * 1024

describe('devices on a local network', function () {
  this.timeout(300_000)
  let lan: Lan | undefined
  let house: Household
  let desktop: Device
  let laptop: Device
  let pi: Device
  let source: string

  before(async function () {
    const made = Lan.lay(3)
    if (typeof made === 'string') {
      process.stderr.write(`  skipped: no network namespaces here (${made})\n`)
      this.skip()
    }
    lan = made
    house = new Household()
    const [one, two, three] = ['desktop', 'laptop', 'pi'].map((name, n) =>
      house.device(name, { listen: '0.0.0.0:4517', namespace: made.hosts[n] ?? '' }),
    )
    assert.ok(one !== undefined && two !== undefined && three !== undefined)
    desktop = one
    laptop = two
    pi = three
    source = house.path('documents')
    makeTree(source, { seed: 'namespaces', filesSmall: 40, largeBytes: mebibyte })
    await desktop.init()
    await desktop.start()
  })
  after(async () => {
    // Skipped: there is neither.
    if (lan === undefined) return
    await house[Symbol.asyncDispose]()
    lan[Symbol.dispose]()
  })

  /** Pairs by what is typed alone. */
  async function pair(newcomer: Device, role: string): Promise<void> {
    const invitation = await openInvitation(desktop, '--role', role)
    await newcomer.join(invitation.code)
    assert.equal((await admittedBy(invitation)).name, newcomer.name)
    await newcomer.start()
    await untilLinked(newcomer, desktop)
  }

  it('pair by the code alone, back up, and restore', async () => {
    await pair(laptop, 'writer')
    const { summary, id } = await backUp(laptop, source, '--wait')
    assert.equal(summary.copies, 2)
    await restoreSame(laptop, id, source, house.path('from-desktop'), '--from', 'desktop')
  })

  it('a third one comes, finds both, and gets what there was', async () => {
    await pair(pi, 'storer')
    await untilLinked(pi, laptop)
    await untilStatus(
      pi,
      'has the snapshot',
      ({ snapshots }) => snapshots.total === 1 && snapshots.complete === 1,
    )
    const { summary } = await backUp(laptop, source, '--wait')
    assert.equal(summary.copies, 3)
  })

  it('one whose address changes is found again', async () => {
    lan?.readdress(lan.hosts[1] ?? '', 101)
    writeFileSync(join(source, 'after moving'), 'moved')
    const { summary } = await backUp(laptop, source, '--wait')
    assert.equal(summary.copies, 3)
    for (const other of [desktop, pi])
      await untilStatus(other, 'sees the laptop', (status) => sees(status, 'laptop'))
  })

  it('one that is cut off in the middle of getting a snapshot finishes it, and gets nothing twice', async () => {
    assert.ok(lan !== undefined)
    const bytes = 24 * mebibyte
    writeFileSync(join(source, 'large and new'), seeded('large and new').bytes(bytes))
    const [host = ''] = lan.hosts
    const wires = lan
    const before = wires.bytesReceived(host)
    const child = laptop.spawn(['--json', 'backup', source, '--wait'])
    const ended = finish(child)
    await until('a part has come', () =>
      wires.bytesReceived(host) - before > bytes * 0.6 ? true : undefined,
    )
    wires.plug(host, false)
    const cut = wires.bytesReceived(host) - before
    assert.ok(cut < bytes, 'the cable was pulled too late to prove anything')
    await untilStatus(laptop, 'the desktop is gone', (status) => !sees(status, 'desktop'))
    wires.plug(host, true)
    const { status, stdout, stderr } = await ended
    assert.equal(status, 0, `${stdout.slice(-500)}${stderr}`)
    const received = wires.bytesReceived(host) - before
    // What was on its way when the cable was pulled comes again, and headers take some.
    assert.ok(received < bytes * 1.4, `${String(received)} bytes for ${String(bytes)}`)
    await checkAll(desktop)
  })
})
