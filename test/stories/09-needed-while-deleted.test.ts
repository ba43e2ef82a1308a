/** Story 9: the laptop begins to need a chunk at the moment it is being deleted. */

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Device, finish, jsonLines } from '../tools/cellar.ts'
import { AT_ONCE, forget, prune, setSettings, untilListed, untilSmaller } from '../tools/forgetting.ts'
import {
  backUp,
  checkAll,
  Household,
  restoreSame,
  snapshotsOf,
  untilAllHold,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'
import { seeded } from '../tools/seeded.ts'

const mebibyte = 1024 * 1024

describe('story 9: needed at the moment it is deleted', function () {
  this.timeout(300_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let first: Buffer
  let second: Buffer

  beforeEach(async () => {
    house = new Household()
    first = seeded('story 9, first').bytes(6 * mebibyte)
    second = seeded('story 9, second').bytes(6 * mebibyte)
    desktop = house.device('desktop')
    laptop = house.device('laptop')
    await desktop.init()
    setSettings(desktop, AT_ONCE)
    await desktop.start()
    await desktop.admit(laptop, 'writer')
    setSettings(laptop, AT_ONCE)
    await laptop.start()
    await untilLinked(laptop, desktop)
  })
  afterEach(() => house[Symbol.asyncDispose]())

  /** A backup of what comes through a pipe, stopped in its midst. */
  function pipe(name: string): { write: (bytes: Buffer) => void; end: () => Promise<string> } {
    const child = laptop.spawn(['--json', 'backup', '--stdin', '--stdin-filename', name], 'pipe')
    const ended = finish(child)
    return {
      write: (bytes) => child.stdin?.write(bytes),
      end: async () => {
        child.stdin?.end()
        const { status, stdout, stderr } = await ended
        assert.equal(status, 0, stderr)
        const summary = jsonLines(stdout).findLast((line) => line['message_type'] === 'summary')
        return String(summary?.['snapshot_id'])
      },
    }
  }

  async function contentOf(device: Device, snapshot: string, path: string): Promise<Buffer> {
    const target = house.path(`dump-${device.name}-${snapshot.slice(0, 8)}`)
    await device.run('dump', snapshot, path, '--target', target)
    return readFileSync(target)
  }

  it('what a backup under way found here stays, though its last snapshot is forgotten and gone elsewhere', async () => {
    const old = pipe('disk.bin')
    old.write(first)
    const forgotten = await old.end()
    await untilAllHold([desktop, laptop], 1)

    // The same content again: it is found in the store, and stored no second time.
    const session = pipe('disk-again.bin')
    session.write(first)
    await untilStatus(laptop, 'a backup is under way', ({ jobs }) =>
      jobs.some(({ method }) => method === 'backup'),
    )
    await forget(desktop, forgotten)
    await untilListed(laptop, [])
    await untilSmaller(desktop, mebibyte)
    const { snapshots_released, waiting } = await prune(laptop)
    assert.equal(snapshots_released, 0)
    assert.ok(
      waiting.some(({ block }) => block.kind === 'session'),
      JSON.stringify(waiting),
    )
    session.write(second)
    const id = await session.end()

    // The desktop has reclaimed the chunks, and gets them again from the laptop.
    await untilAllHold([desktop, laptop], 1)
    for (const device of [desktop, laptop]) {
      await prune(device)
      assert.equal((await checkAll(device)).snapshots_checked, 1)
      assert.ok((await contentOf(device, id, '/disk-again.bin')).equals(Buffer.concat([first, second])))
    }
  })

  it('a laptop that sleeps through it all, its backup unfinished, goes on without a loss', async () => {
    const files = house.path('files')
    mkdirSync(files)
    writeFileSync(join(files, 'a'), first)
    const old = (await backUp(laptop, files)).id
    await untilAllHold([desktop, laptop], 1)
    const session = laptop.try('--json', 'backup', files)
    await laptop.kill()
    await session
    // Nobody is in reach: the statement is kept, and signed and sent when the laptop wakes (R11).
    assert.equal((await forget(desktop, old)).waits_for_contact, true)
    writeFileSync(join(files, 'b'), second)
    await laptop.start()
    await untilLinked(laptop, desktop)
    const { id } = await backUp(laptop, files, '--wait')
    await prune(laptop)
    await prune(desktop)
    for (const device of [desktop, laptop]) await checkAll(device)
    await restoreSame(desktop, id, files, house.path('back'))
  })

  it('forgetting and backing up at once, again and again, never breaks a snapshot', async () => {
    const files = house.path('files')
    mkdirSync(files)
    const chance = seeded('story 9, at once')
    for (let round = 0; round < 6; round++) {
      writeFileSync(join(files, String(round % 3)), chance.bytes(mebibyte))
      const before = (await snapshotsOf(desktop)).map(({ id }) => id)
      await Promise.all([
        backUp(laptop, files),
        ...before.map((id) => forget(desktop, id)),
        prune(desktop),
        prune(laptop),
      ])
    }
    const { id } = await backUp(laptop, files, '--wait')
    await Promise.all([prune(desktop), prune(laptop)])
    for (const device of [desktop, laptop]) await checkAll(device)
    await restoreSame(desktop, id, files, house.path('back'))
  })
})
