/** What a running node does by itself, as real processes: backups of profiles, stopping in the middle, going on. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { ScheduledTask } from '../../node/client.ts'
import { type Device, jsonLines } from '../tools/cellar.ts'
import { failedWith, Household, restoreSame, snapshotsOf, until, untilStatus } from '../tools/household.ts'

const mebibyte = 1024 * 1024

describe('a running node', function () {
  this.timeout(120_000)
  let house: Household
  let device: Device

  beforeEach(async () => {
    house = new Household()
    device = house.device('laptop')
    await device.init()
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const settings = (text: string) => appendFileSync(join(device.home, 'config.toml'), `\n${text}\n`)

  const taskOf = (tasks: readonly ScheduledTask[], profile: string) =>
    tasks.find((task) => task.name === 'backup' && task.profile === profile)

  /** What the log of a node that was stopped says; the process may end before all it wrote has come. */
  const logged = async () => {
    await until('the end of the log', () => (device.log.includes('has ended') ? true : undefined))
    // The messages of the command itself come before its log.
    return jsonLines(device.log).flatMap(({ message }) => (typeof message === 'string' ? [message] : []))
  }

  it('backs a profile up when it is due, and says so', async () => {
    const source = house.path('papers')
    mkdirSync(source)
    writeFileSync(join(source, 'letter.txt'), 'dear')
    writeFileSync(join(source, 'letter.tmp'), 'scratch')
    settings(
      `[profile.papers]\nsources = ["${source}"]\nexclude = ["*.tmp"]\ntags = ["by-itself"]\nschedule = "*/2 * * * * *"\nskip_if_unchanged = true`,
    )
    await device.start()
    const status = await untilStatus(
      device,
      'a backup by itself',
      ({ schedule }) => taskOf(schedule, 'papers')?.last_outcome === 'done',
    )
    assert.equal(taskOf(status.schedule, 'papers')?.due, '*/2 * * * * *')
    const [snapshot] = await snapshotsOf(device)
    assert.deepEqual(snapshot?.tags, ['by-itself'])
    await device.run('restore', snapshot.id, '--target', house.path('back'))
    assert.deepEqual(readdirSync(join(house.path('back'), source)), ['letter.txt'])
    assert.match((await device.run('status')).stdout, /backup of papers, \*\/2 \* \* \* \* \*: done now/)
    await device.stop()
    const messages = await logged()
    assert.ok(messages.includes('backup of papers done'), device.log)
    assert.equal(messages.at(-1), 'laptop has ended')
  })

  it('ends within seconds with a backup under way, which goes on at the next start (J7.1)', async () => {
    const source = house.path('films')
    mkdirSync(source)
    const fileBytes = 24 * mebibyte
    const files = 4
    for (let i = 0; i < files; i++) writeFileSync(join(source, `film-${String(i)}`), randomBytes(fileBytes))
    settings(
      `[profile.films]\nsources = ["${source}"]\nschedule = "*/2 * * * * *"\nskip_if_unchanged = true\npriority = "normal"\n[schedule]\ncheck = "off"\nscrub = "off"\ndrill = "off"`,
    )
    await device.start()
    await untilStatus(device, 'a backup on its way', ({ jobs }) =>
      jobs.some((job) => (job.percent_done ?? 0) > 0),
    )
    const startMs = performance.now()
    await device.stop()
    const seconds = (performance.now() - startMs) / 1000
    assert.ok(seconds < 5, `${String(seconds)} s`)
    assert.ok((await logged()).includes('backup of films ended early'), device.log)
    assert.deepEqual(await snapshotsOf(device), [])
    await device.start()
    const { store } = await untilStatus(
      device,
      'the backup done',
      ({ schedule }) => taskOf(schedule, 'films')?.last_outcome === 'done',
    )
    assert.ok(store.bytes_used < files * fileBytes * 1.1, `${String(store.bytes_used)} bytes`)
    const [snapshot] = await snapshotsOf(device)
    await restoreSame(device, snapshot?.id ?? '', source, house.path('back'))
    await device.stop()
  })

  it('ends within seconds with a command under way whose output it saves', async () => {
    settings(
      `[profile.dump]\nstdin_from_command = ["sh", "-c", "echo begun; exec sleep 1000"]\nschedule = "*/2 * * * * *"`,
    )
    await device.start()
    await untilStatus(device, 'a backup under way', ({ jobs }) => jobs.length > 0)
    const startMs = performance.now()
    await device.stop()
    assert.ok(performance.now() - startMs < 5000)
    assert.deepEqual(await snapshotsOf(device), [])
  })

  it('reads its settings again on SIGHUP, and goes on', async () => {
    const source = house.path('papers')
    mkdirSync(source)
    writeFileSync(join(source, 'letter.txt'), 'dear')
    await device.start()
    settings(`[profile.papers]\nsources = ["${source}"]\nschedule = "*/2 * * * * *"`)
    process.kill(device.pid ?? 0, 'SIGHUP')
    await untilStatus(device, 'the new profile', ({ schedule }) => taskOf(schedule, 'papers') !== undefined)
    await until('a snapshot', async () => (await snapshotsOf(device))[0])
    const { pid } = device
    writeFileSync(
      join(device.home, 'config.toml'),
      `${readFileSync(join(device.home, 'config.toml'), 'utf8')}\nlisten =\n`,
    )
    process.kill(pid ?? 0, 'SIGHUP')
    const status = await untilStatus(device, 'a word of the settings', ({ problems }) =>
      problems.some(({ code }) => code === 'CONFIG_INVALID'),
    )
    assert.equal(status.pid, pid)
    assert.ok(taskOf(status.schedule, 'papers') !== undefined)
  })

  it('writes lines with priorities where its errors go to the journal', async () => {
    const path = house.path('journal')
    const journal = openSync(path, 'w')
    const { dev, ino } = fstatSync(journal)
    const { file, args } = device.command(['start'])
    const env = { ...process.env, NO_COLOR: '1', JOURNAL_STREAM: `${String(dev)}:${String(ino)}` }
    const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', journal] })
    const ended = once(child, 'exit')
    closeSync(journal)
    await untilStatus(device, 'running', ({ running }) => running)
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    assert.match(lines[0] ?? '', /^<6>laptop begins as keeper /)
    assert.equal(lines.at(-1), '<6>laptop has ended')
  })

  it('is not needed for a profile to be backed up by hand', async () => {
    const source = house.path('papers')
    mkdirSync(source)
    writeFileSync(join(source, 'letter.txt'), 'dear')
    settings(`[profile.papers]\nsources = ["${source}"]\nschedule = "daily"`)
    await device.run('backup', '--profile', 'papers')
    assert.equal((await snapshotsOf(device)).length, 1)
    const { schedule } = await device.json<{ schedule: ScheduledTask[] }>('status')
    assert.equal(taskOf(schedule, 'papers')?.last_outcome, 'done')
    assert.equal(taskOf(schedule, 'papers')?.next_run, undefined)
    assert.equal(
      failedWith(await device.try('--json', 'backup', '--profile', 'nothing'), 2),
      'CONFIG_INVALID',
    )
  })
})
