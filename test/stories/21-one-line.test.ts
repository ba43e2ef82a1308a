/** Story 21: one line tells me whether I am safe. */

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Status, Verdict } from '../../node/client.ts'
import type { Device } from '../tools/cellar.ts'
import { setSettings } from '../tools/forgetting.ts'
import { backUp, Household, untilAllHold, untilStatus } from '../tools/household.ts'

/** What `cellar status --json` begins with. */
type Said = Status & { readonly verdict: Verdict; readonly sentence: string; readonly todo?: string }

describe('story 21: one line tells me whether I am safe', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let files: string

  before(async () => {
    house = new Household()
    files = house.path('files')
    mkdirSync(files)
    writeFileSync(join(files, 'letter'), 'Dear all')
    ;[desktop, laptop] = [house.device('desktop'), house.device('laptop')]
    await laptop.init()
  })
  after(() => house[Symbol.asyncDispose]())

  /** The one line, what it says to programs, and what `--check` says to scripts: always the same. */
  async function ask(device: Device): Promise<{ line: string; said: Said; status: number }> {
    const finished = await device.try('status', '-q')
    assert.equal(finished.status, 0, 'being asked is no failure')
    const lines = finished.stdout.split('\n').filter((line) => line !== '')
    assert.equal(lines.length, 1, finished.stdout)
    const said = await device.json<Said>('status')
    assert.equal(lines[0], said.sentence)
    const checked = await device.try('status', '--check', '-q')
    assert.equal(checked.stdout, finished.stdout)
    return { line: said.sentence, said, status: checked.status }
  }

  it('there is no snapshot yet', async () => {
    const { line, said, status } = await ask(laptop)
    assert.deepEqual([line, said.verdict, status], ['There is no snapshot yet.', 'empty', 1])
    assert.equal(said.todo, 'cellar backup PATH')
  })

  it('a snapshot on its own device is no finished backup', async () => {
    await backUp(laptop, files)
    const { line, said, status } = await ask(laptop)
    assert.equal(line, 'The one snapshot is on this device only, the one device of this mesh.')
    assert.deepEqual([said.verdict, said.todo, status], ['alone', 'cellar invite: pair another device', 21])
  })

  it('another device is to have it, and is away', async () => {
    await laptop.start()
    await laptop.admit(desktop, 'keeper')
    const { line, said, status } = await ask(laptop)
    assert.match(line, /^The one snapshot is on its own device only; it waits for desktop \(/)
    assert.deepEqual([said.verdict, status], ['alone', 21])
    assert.match(said.todo ?? '', /^start rootcellar on desktop/)
  })

  it('all is safe', async () => {
    await desktop.start()
    await untilAllHold([laptop, desktop], 1)
    for (const device of [laptop, desktop]) {
      const { line, said, status } = await ask(device)
      assert.equal(line, 'The one snapshot is on every device that stores.')
      assert.deepEqual([said.verdict, said.todo, status], ['safe', undefined, 0])
    }
  })

  it('something new waits for a device that went away', async () => {
    await desktop.stop()
    await untilStatus(laptop, 'desktop away', (status) =>
      status.devices.every((one) => one.self || !one.connected),
    )
    writeFileSync(join(files, 'second'), 'Dear all, again')
    await backUp(laptop, files)
    const { line, said, status } = await ask(laptop)
    assert.match(
      line,
      /^1 of 2 snapshots is on as many devices as wanted, 1 is on its own device only; 1 waits for desktop \(away\)\.$/,
    )
    assert.deepEqual(
      [said.verdict, said.todo, status],
      ['alone', 'start rootcellar on desktop; the rest goes by itself', 21],
    )
  })

  it('a backup of a profile that failed is trouble, whatever else is safe', async () => {
    await desktop.start()
    await untilAllHold([laptop, desktop], 2)
    await laptop.stop()
    setSettings(laptop, `[profile.files]\nsources = ["${files}"]\n`)
    await laptop.start()
    rmSync(files, { recursive: true })
    const failed = await laptop.try('backup', '--profile', 'files')
    assert.notEqual(failed.status, 0)
    const { line, said, status } = await ask(laptop)
    assert.match(line, /^The last backup of "files" (failed|left something out) 1 minute ago/)
    assert.deepEqual([said.verdict, said.todo, status], ['trouble', 'cellar backup --profile files', 1])
  })

  it('and safe again once it works', async () => {
    mkdirSync(files)
    writeFileSync(join(files, 'letter'), 'Dear all')
    await laptop.run('backup', '--profile', 'files')
    await untilAllHold([laptop, desktop], 3)
    assert.equal((await ask(laptop)).said.verdict, 'safe')
  })
})
