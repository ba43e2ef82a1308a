/** Story 4: a Raspberry Pi without a screen stores for us all and can read nothing. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Device, finish, jsonLines } from '../tools/cellar.ts'
import { FakeSystemd } from '../tools/fake-systemd.ts'
import {
  admittedBy,
  backUp,
  checkAll,
  failedWith,
  Household,
  openInvitation,
  restoreSame,
  snapshotsOf,
  statusOf,
} from '../tools/household.ts'
import { searchLeaks } from '../tools/leaks.ts'
import { type MadeTree, makeTree } from '../tools/make-tree.ts'

const mebibyte = 1024 * 1024
/** Of a node that has taken and given some dozens of megabytes; it needs about a third of this. */
const residentBytesMax = 350 * mebibyte

/** The most memory a process has had, bytes; undefined where the system does not tell. */
function residentBytesPeak(pid: number | undefined): number | undefined {
  const path = `/proc/${String(pid)}/status`
  if (!existsSync(path)) return undefined
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(path, 'utf8')) ?? []
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

describe('story 4: a storer reads nothing', function () {
  this.timeout(240_000)
  let house: Household
  let laptop: Device
  let pi: Device
  let source: string
  let made: MadeTree
  let snapshot: string
  let systemd: FakeSystemd

  before(async () => {
    house = new Household()
    source = house.path('quince-documents')
    made = makeTree(source, { seed: 'story 4', filesSmall: 80, largeBytes: 16 * mebibyte })
    laptop = house.device('laptop')
    systemd = new FakeSystemd(house.path('systemd'))
    pi = house.device('pi', { env: systemd.env })
    await laptop.init()
    await laptop.start()
    const invitation = await openInvitation(laptop, '--role', 'storer', '--token', '--name', 'pi')
    const child = pi.spawn(['--json', 'join', '-', '--listen', '127.0.0.1:0'], 'pipe')
    const ended = finish(child)
    child.stdin?.end(`${invitation.code}\n`)
    const { status, stdout, stderr } = await ended
    assert.equal(status, 0, stderr)
    pi.keepOffNetworks()
    assert.equal(jsonLines(stdout).at(-1)?.['role'], 'storer')
    assert.equal((await admittedBy(invitation)).name, 'pi')
    await pi.start()
    snapshot = (await backUp(laptop, source, '--wait', '--tag', 'quince-tag')).id
  })
  after(async () => {
    systemd.end()
    await house[Symbol.asyncDispose]()
  })

  it('it holds the snapshot and can check every byte of it', async () => {
    const [seen] = await snapshotsOf(pi)
    assert.equal(seen?.id, snapshot)
    assert.equal(seen.here, true)
    assert.deepEqual(seen.paths, [])
    const checked = await checkAll(pi)
    assert.ok(checked.bytes_read > 16 * mebibyte, `read ${String(checked.bytes_read)} bytes`)
  })

  it('it holds no vault key, and no name and no content is on its disk', () => {
    assert.ok(!existsSync(join(pi.home, 'vault.key')))
    const texts = [
      ...made.names,
      ...made.contents,
      'quince-documents',
      'quince-tag',
      source,
      'islands.img',
      'diary.txt',
    ]
    const host = hostname()
    if (host.length >= 8) texts.push(host)
    const needles = texts.map((text) => Buffer.from(text))
    needles.push(readFileSync(join(source, 'large', 'photo.raw')).subarray(1_000_000, 1_000_024))
    needles.push(readFileSync(join(source, 'large', 'diary.txt')).subarray(5000, 5024))
    const [, vaultKey = ''] = readFileSync(join(laptop.home, 'vault.key'), 'utf8').split('\n')
    needles.push(Buffer.from(vaultKey), Buffer.from(vaultKey, 'base64'))
    const { leaks, bytes } = searchLeaks(pi.home, needles)
    assert.deepEqual(leaks, [])
    assert.ok(bytes > 16 * mebibyte)
    // The search must be able to find: names and contents of the source.
    const found = new Set(searchLeaks(join(source, 'large'), needles).leaks.map((leak) => leak.found))
    assert.ok(found.has('photo-edited.raw') && found.has('diary.txt') && found.size >= 4)
  })

  it('it can restore nothing, list nothing inside and back up nothing, and says why', async () => {
    const target = house.path('none')
    for (const args of [
      ['restore', snapshot, '--target', target],
      ['ls', snapshot],
      ['dump', snapshot, '/'],
      ['backup', source],
    ]) {
      const finished = await pi.try('--json', ...args)
      assert.match(failedWith(finished, 1), /^(VAULT_UNKNOWN|NOT_ENTITLED)$/)
      assert.match(finished.stderr, /pi is a storer/)
    }
    assert.ok(!existsSync(target))
  })

  it('it admits nobody', async () => {
    assert.equal(failedWith(await pi.try('--json', 'invite'), 1), 'NOT_ENTITLED')
  })

  it('it serves restores, on little memory', async function () {
    await restoreSame(laptop, snapshot, source, house.path('from-pi'), '--from', 'pi')
    const peak = residentBytesPeak(pi.pid)
    if (peak === undefined) this.skip()
    assert.ok(peak < residentBytesMax, `${String(Math.round(peak / mebibyte))} MiB`)
    process.stdout.write(`      (its node had at most ${String(Math.round(peak / mebibyte))} MiB)\n`)
  })

  it('it runs as a service, which takes what is new, and ends within seconds', async () => {
    await pi.stop()
    await pi.run('service', 'install')
    assert.match(readFileSync(systemd.unitPath, 'utf8'), /^NoNewPrivileges=yes$/m)
    const status = await statusOf(pi)
    assert.equal(status?.running, true)
    assert.equal(status.pid, systemd.pid)
    assert.equal((await pi.json('service', 'status'))['up_to_date'], true)
    const { id } = await backUp(laptop, join(source, 'large'), '--wait')
    assert.ok((await snapshotsOf(pi)).some((one) => one.id === id && one.here))
    const { seconds } = await pi.run('service', 'uninstall')
    assert.ok(seconds < 10, `${String(seconds)} s`)
    assert.equal(await statusOf(pi), undefined)
    assert.ok(!existsSync(systemd.unitPath))
    assert.equal((await pi.try('service', 'status')).status, 1)
  })

  it('the log of its service names no file and holds no key (J6.1)', () => {
    const lines = jsonLines(systemd.log)
    assert.ok(lines.some(({ message }) => String(message).startsWith('holds snapshot')))
    assert.equal(lines.at(-1)?.['message'], 'pi has ended')
    const secrets = [...made.names.filter((name) => name.length >= 6), 'quince']
    const [, deviceKey = ''] = readFileSync(join(pi.home, 'device.key'), 'utf8').split('\n')
    for (const secret of [...secrets, deviceKey]) assert.ok(!systemd.log.includes(secret), secret)
  })
})
