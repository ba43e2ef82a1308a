import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { systemWorld } from '../../node/adapters/system-world.ts'
import { findHome, type RestoreOrderInfo } from '../../node/client.ts'
import { openNode } from '../../node/node.ts'
import { type Device, finish, type Finished, jsonLines } from '../tools/cellar.ts'
import { backUp, failedWith, Household, until, untilAllHold, untilLinked } from '../tools/household.ts'
import { compareTrees, describeDifferences } from '../tools/compare-trees.ts'
import { makeTree } from '../tools/make-tree.ts'
import { mountSmallDisk } from '../tools/small-disk.ts'

const dayMs = 24 * 3_600_000

/** Puts settings above those that a home has. */
function set(device: Device, ...lines: readonly string[]): void {
  const path = join(device.home, 'config.toml')
  const keys = lines.map((line) => line.split(' ')[0])
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !keys.includes(line.split(' ')[0]))
  writeFileSync(path, [...lines, ...kept].join('\n'), { mode: 0o600 })
}

async function reset(device: Device, ...lines: readonly string[]): Promise<void> {
  set(device, ...lines)
  await device.run('config', 'reload')
}

/** Every byte and all metadata of what is in it; the directory itself is a new one, for its owner only. */
function assertSameInside(made: string, there: string): void {
  const differences = compareTrees(made, there, { roots: false })
  assert.equal(differences.length, 0, `not the same:\n${describeDifferences(differences)}`)
}

/** An order that a command has given, and goes on following. */
class Following {
  readonly ended: Promise<Finished>
  readonly #orders: RestoreOrderInfo[] = []
  #text = ''

  constructor(device: Device, ...args: readonly string[]) {
    const child = device.spawn(['--json', 'restore', ...args])
    child.stdout?.on('data', (text: string) => {
      this.#text += text
      const end = this.#text.lastIndexOf('\n') + 1
      for (const line of jsonLines(this.#text.slice(0, end)))
        if (line['order'] !== undefined) this.#orders.push(line['order'] as RestoreOrderInfo)
      this.#text = this.#text.slice(end)
    })
    this.ended = finish(child)
  }

  /** The order once it stands so. */
  async when(what: string, isSo: (order: RestoreOrderInfo) => boolean): Promise<RestoreOrderInfo> {
    const over = { isSo: false }
    void this.ended.then(() => (over.isSo = true))
    return await until(what, () => {
      const found = this.#orders.find(isSo)
      if (found === undefined && over.isSo) throw new Error(`it ended before: ${what}`)
      return found
    })
  }
}

describe('story: a device has something restored on another one', () => {
  let house: Household
  let desktop: Device
  let tower: Device
  let source: string
  let snapshot: string
  const restored = (device: Device) => join(device.home, 'restored')

  before(async function () {
    this.timeout(300_000)
    house = new Household()
    desktop = house.device('desktop')
    tower = house.device('tower')
    await desktop.init()
    await desktop.start()
    await desktop.admit(tower, 'keeper')
    set(tower, `restores = "${restored(tower)}"`)
    await tower.start()
    await untilLinked(desktop, tower)
    source = house.path('photos')
    makeTree(source, { seed: 68, largeBytes: 1024 * 1024 })
    snapshot = (await backUp(desktop, source)).id
    await untilAllHold([desktop, tower], 1)
  })
  after(async () => {
    await house[Symbol.asyncDispose]()
  })

  it('the person there says no: nothing is restored, and who asked is told', async () => {
    const following = new Following(desktop, `${snapshot}:${source}`, '--on', 'tower')
    const { short_id: id } = await following.when('waiting', ({ state, sent }) => state === 'waiting' && sent)
    const status = await tower.run('status')
    assert.match(status.stdout, /restores +1 asked of this device, waiting for a yes \(cellar restores\)/)
    assert.match(
      status.stdout,
      new RegExp(`to do: cellar restores accept ${id}, or cellar restores refuse ${id}`),
    )
    const list = await tower.run('restores')
    assert.match(
      list.stdout,
      new RegExp(`${id}.*desktop.*this device.*${snapshot.slice(0, 8)}.*${source}.*waits`),
    )
    await tower.run('restores', 'refuse', id)
    assert.equal(failedWith(await following.ended, 1), 'ORDER_REFUSED')
    assert.equal(existsSync(restored(tower)), false)
  }).timeout(120_000)

  it('says yes: every byte is there, in a new directory; what has its name stays as it is', async () => {
    mkdirSync(join(restored(tower), 'photos'), { recursive: true })
    writeFileSync(join(restored(tower), 'photos', 'mine'), 'mine')
    symlinkSync(house.path('elsewhere'), join(restored(tower), 'photos-2'))
    mkdirSync(house.path('elsewhere'))
    const following = new Following(desktop, `${snapshot}:${source}`, '--on', 'tower')
    const { id } = await following.when('waiting', ({ state, sent }) => state === 'waiting' && sent)
    await tower.run('restores', 'accept', id.slice(0, 6))
    const { status, stderr } = await following.ended
    assert.equal(status, 0, stderr)
    const done = await following.when('done', ({ state }) => state === 'done')
    assert.equal(done.target, 'photos-3', 'the name, and not where it is')
    assertSameInside(source, join(restored(tower), 'photos-3'))
    assert.deepEqual(readdirSync(join(restored(tower), 'photos')), ['mine'])
    assert.deepEqual(readdirSync(house.path('elsewhere')), [])
    assert.equal(lstatSync(join(restored(tower), 'photos-3')).mode & 0o777, 0o700)
    const [, here] = await tower.json<RestoreOrderInfo[]>('restores')
    assert.equal(here?.target, join(restored(tower), 'photos-3'))
  }).timeout(120_000)

  it('a name that leads elsewhere, and a path that does, come to nothing outside', async () => {
    await reset(tower, 'restores_from = ["desktop"]')
    const named = new Following(desktop, `${snapshot}:${source}`, '--on', 'tower', '--as', '../../../outside')
    assert.equal((await named.ended).status, 0)
    const { target } = await named.when('done', ({ state }) => state === 'done')
    assert.equal(target, 'outside')
    assertSameInside(source, join(restored(tower), 'outside'))
    const led = new Following(desktop, `${snapshot}:${source}/../../etc`, '--on', 'tower')
    assert.equal(failedWith(await led.ended, 1), 'PATH_NOT_FOUND')
    assert.equal(existsSync(join(tower.home, 'outside')), false)
  }).timeout(120_000)

  it('no such file: it fails there, and the reason comes back', async () => {
    const following = new Following(desktop, `${snapshot}:/not/there`, '--on', 'tower')
    assert.equal(failedWith(await following.ended, 1), 'PATH_NOT_FOUND')
  }).timeout(120_000)

  it('a full disk there: it fails, nothing is half there, and the reason comes back', async function () {
    using disk = mountSmallDisk(house.path('small'), 8)
    if (disk === undefined) return this.skip()
    const large = house.path('large')
    mkdirSync(large)
    writeFileSync(join(large, 'noise'), randomBytes(12 * 1024 * 1024))
    const { id } = await backUp(desktop, large)
    await reset(tower, `restores = "${disk.path}"`, 'restores_from = "keepers"')
    const following = new Following(desktop, `${id}:${large}`, '--on', 'tower')
    assert.equal(failedWith(await following.ended, 1), 'TARGET_FULL')
    assert.deepEqual(readdirSync(join(disk.path, basename(large))), [])
    await reset(tower, `restores = "${restored(tower)}"`)
  }).timeout(120_000)

  it('a restart there in the middle: it goes on, and who asked hears of the end', async () => {
    const large = house.path('many')
    mkdirSync(large)
    for (let n = 0; n < 16; n++) writeFileSync(join(large, `noise ${String(n)}`), randomBytes(1024 * 1024))
    // Slow enough to be in the middle of it: the chunks have to come from the desktop first.
    await reset(tower, 'restores_from = ["desktop"]', 'limit_download = 1500')
    const { id } = await backUp(desktop, large)
    const following = new Following(desktop, `${id}:${large}`, '--on', 'tower')
    await following.when('under way', ({ state, files_restored: files }) => state === 'running' && files > 1)
    await tower.kill()
    const middle = readdirSync(join(restored(tower), 'many'))
    assert.ok(middle.length > 0 && middle.length < 17, middle.join())
    // what the killed one may leave, it leaves here for certain
    writeFileSync(join(restored(tower), 'many', '.rootcellar-restore-4194999-0123456789abcdef-1-7'), '')
    set(tower, 'limit_download = "none"')
    await tower.start()
    const { status, stderr } = await following.ended
    assert.equal(status, 0, stderr)
    const done = await following.when('done', ({ state }) => state === 'done')
    assert.equal(done.target, 'many', 'no second directory')
    assertSameInside(large, join(restored(tower), 'many'))
  }).timeout(240_000)

  it('a writer may not ask, and a storer is not asked', async () => {
    const laptop = house.device('laptop')
    const pi = house.device('pi')
    await desktop.admit(laptop, 'writer')
    await desktop.admit(pi, 'storer')
    await laptop.start()
    await pi.start()
    await untilLinked(laptop, tower)
    const asked = await laptop.try('--json', 'restore', snapshot, '--on', 'tower')
    assert.equal(failedWith(asked, 1), 'NOT_ENTITLED')
    const ofStorer = await desktop.try('--json', 'restore', snapshot, '--on', 'pi')
    assert.equal(failedWith(ofStorer, 1), 'NOT_ENTITLED')
    // A writer reads: its person may say yes. Its disk is its own.
    set(laptop, `restores = "${restored(laptop)}"`)
    await laptop.run('config', 'reload')
    const following = new Following(desktop, `${snapshot}:${source}`, '--on', 'laptop')
    const { id } = await following.when('waiting', ({ state, sent }) => state === 'waiting' && sent)
    await laptop.run('restores', 'accept', id)
    assert.equal((await following.ended).status, 0)
    assertSameInside(source, join(restored(laptop), 'photos'))
    await laptop.stop()
    await pi.stop()
  }).timeout(240_000)

  it('with --target, or nothing to say where to, it is a wrong usage', async () => {
    for (const flags of [['--on', 'tower', '--target', '/tmp/x'], ['--on', 'tower', '--delete'], []])
      assert.equal(failedWith(await desktop.try('--json', 'restore', snapshot, ...flags), 2), 'USAGE')
  }).timeout(60_000)

  it('a device that is away is asked nothing', async () => {
    await tower.stop()
    const asked = await desktop.try('--json', 'restore', snapshot, '--on', 'tower')
    assert.equal(failedWith(asked, 20), 'NO_PEER')
  }).timeout(120_000)

  it('nobody answers for a day: it is over on both', async () => {
    const clock = { aheadMs: 0 }
    const world = {
      ...systemWorld,
      clock: {
        nowMs: () => systemWorld.clock.nowMs() + clock.aheadMs,
        monotonicMs: () => systemWorld.clock.monotonicMs(),
        sleep: (ms: number, signal: AbortSignal) => systemWorld.clock.sleep(ms, signal),
      },
    }
    set(tower, 'restores_from = []')
    await using opened = await openHere(tower, world)
    const following = new Following(desktop, `${snapshot}:${source}`, '--on', 'tower')
    await following.when('waiting', ({ state, sent }) => state === 'waiting' && sent)
    clock.aheadMs = dayMs
    const orders = await opened.node.call('restoreOrders', {}, { signal: AbortSignal.timeout(30_000) })
    assert.equal(orders.at(-1)?.state, 'expired')
    assert.equal(failedWith(await following.ended, 1), 'ORDER_EXPIRED')
  }).timeout(120_000)
})

/** The node of a device in this process, with a clock of the test. */
async function openHere(device: Device, world: typeof systemWorld) {
  const node = await openNode(await findHome(device.home, process.env), { mode: 'running', world })
  return { node, [Symbol.asyncDispose]: () => node.close() }
}
