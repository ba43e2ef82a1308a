/** Story 12: I write down once what, when, and how long to keep, per device. */

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupSummary, ConfigReloaded, ProfileInfo, SnapshotInfo } from '../../node/client.ts'
import type { Device, Finished } from '../tools/cellar.ts'
import { Household, snapshotsOf, until, untilLinked } from '../tools/household.ts'
import { projectText } from '../tools/project.ts'
import { seeded } from '../tools/seeded.ts'

const kibibyte = 1024

/** What `config show --json` prints. */
interface Shown {
  readonly running: boolean
  readonly settings: Readonly<Record<string, unknown>>
  readonly origins: Readonly<Record<string, string>>
}

describe('story 12: what, when and how long, written down once', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let wanted: string
  let config: string
  /** Lines that keep the device off real networks; what is written below goes behind them. */
  let fixed: string

  before(async () => {
    house = new Household()
    const sources = house.path('documents')
    mkdirSync(join(sources, 'cache'), { recursive: true })
    writeFileSync(join(sources, 'letter'), 'Dear all')
    writeFileSync(join(sources, 'draft.tmp'), 'nothing')
    writeFileSync(join(sources, 'cache', 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55')
    writeFileSync(join(sources, 'cache', 'page'), 'cached')
    mkdirSync(house.path('photos'))
    writeFileSync(join(house.path('photos'), 'photo'), seeded('photo').bytes(1200 * kibibyte))
    wanted = house.path('wanted.toml')
    const editor = house.path('editor')
    // A person who knows what to write: what is wanted is in a file.
    writeFileSync(editor, `#!/bin/sh\ncat "${wanted}" > "$2"\n`)
    chmodSync(editor, 0o700)
    desktop = house.device('desktop')
    laptop = house.device('laptop', {
      env: { EDITOR: `${editor} --wait`, VISUAL: '', ONE_TAG: 'from-the-environment' },
    })
    await desktop.init()
    await desktop.start()
    await desktop.admit(laptop, 'keeper')
    config = join(laptop.home, 'config.toml')
    await laptop.start()
    await untilLinked(laptop, desktop)
    fixed = readFileSync(config, 'utf8')
      .split('\n')
      .filter((line) => /^(listen|mdns) =/.test(line))
      .join('\n')
  })
  after(() => house[Symbol.asyncDispose]())

  /** Writes settings with `cellar config edit`, as a person would. */
  async function edit(text: string): Promise<Finished> {
    writeFileSync(wanted, `${fixed}\n${text}`)
    return await laptop.try('config', 'edit')
  }

  const good = () => `limit_upload = 4000
floor_age = "0s"
floor_newest = 0
[profile.default]
exclude = ["*.tmp"]
exclude_caches = true
tags = ["\${ONE_TAG}"]

[profile.documents]
inherits = "default"
sources = ["${house.path('documents')}"]
schedule = "daily"
retention = { keep_last = 1 }

[profile.photos]
inherits = "default"
sources = ["${house.path('photos')}"]
tags = { append = ["photos"] }
schedule = "0 3 * * sun"
`

  it('a mistake is told with its line and the right name, and the settings stay as they were', async () => {
    const before = readFileSync(config, 'utf8')
    const refused = await edit('[profile.documents]\nsorces = ["/x"]\nschedule = "dayly"\n')
    assert.equal(refused.status, 2)
    assert.match(
      refused.stdout,
      /line 4: "profile\.documents\.sorces" is not a setting .*did you mean "sources"\?/,
    )
    assert.match(refused.stdout, /line 5: "profile\.documents\.schedule" must be off, hourly, daily, /)
    assert.match(refused.stderr, /2 mistakes: the settings stay as they were/)
    assert.equal(readFileSync(config, 'utf8'), before)
    assert.match(readFileSync(`${config}.draft`, 'utf8'), /sorces/, 'what was written is not lost')
  })

  it('right settings take the place of the old, and the running node follows at once', async () => {
    const edited = await edit(good())
    assert.equal(edited.status, 0, edited.stderr)
    assert.match(edited.stdout, /The running node follows: limit_upload, floor_age, floor_newest, profile\./)
    assert.ok(!existsSync(`${config}.draft`))
    assert.match((await laptop.run('config', 'check')).stdout, /is in order/)
    const profiles = await laptop.json<ProfileInfo[]>('profile', 'list')
    assert.deepEqual(
      profiles.map(({ name, schedule, has_sources, tags }) => [name, schedule, has_sources, tags]),
      [
        ['default', 'off', false, ['from-the-environment']],
        ['documents', 'daily', true, ['from-the-environment']],
        ['photos', '0 3 * * sun', true, ['from-the-environment', 'photos']],
      ],
    )
  })

  it('what is in force is shown, with where it comes from', async () => {
    const shown = await laptop.json<Shown>('config', 'show')
    assert.equal(shown.running, true)
    assert.equal(shown.settings['limit_upload'], 4000)
    assert.equal(shown.origins['limit_upload'], 'line 3')
    assert.equal(shown.origins['hold_window'], 'default')
    assert.equal(shown.origins['profile.documents.exclude'], 'inherited')
    assert.equal(shown.origins['profile.documents.schedule'], 'line 14')
    const { stdout } = await laptop.run('config', 'show')
    assert.match(stdout, /^limit_upload = 4000 {2}# line 3$/m)
    assert.match(stdout, /^\[profile\.documents\]$/m)
  })

  it('a profile is backed up by its name, with all that it says', async () => {
    const { snapshot_id: id } = await laptop.json<BackupSummary>('backup', '--profile', 'documents')
    const snapshot = (await snapshotsOf(laptop)).find((one) => one.id === id)
    assert.deepEqual(snapshot?.tags, ['from-the-environment'])
    const listed = await laptop.run('ls', String(id))
    assert.match(listed.stdout, /letter/)
    assert.doesNotMatch(listed.stdout, /draft\.tmp|page/)
    const unknown = await laptop.try('backup', '--profile', 'dokuments')
    assert.equal(unknown.status, 2)
    assert.match(unknown.stderr, /no profile dokuments \(there are default, documents, photos\)/)
  })

  it('options of the command line go before the profile', async () => {
    const { snapshot_id: id } = await laptop.json<BackupSummary>(
      'backup',
      '-P',
      'documents',
      '--tag',
      'by-hand',
    )
    const snapshot = (await snapshotsOf(laptop)).find((one) => one.id === id)
    assert.deepEqual(snapshot?.tags, ['by-hand'])
  })

  it('its rules keep what they say of its own snapshots, and touch no others', async () => {
    for (let round = 0; round < 2; round++) await laptop.run('backup', house.path('photos'))
    const of = async (path: string) => (await snapshotsOf(laptop)).filter(isOf(path)).length
    assert.equal(await of(house.path('documents')), 2)
    const forgotten = await laptop.run('forget', '--profile', 'documents')
    assert.match(forgotten.stdout, /Forgot 1 snapshot/)
    assert.equal(await of(house.path('documents')), 1)
    assert.equal(await of(house.path('photos')), 2)
    const unruled = await laptop.try('forget', '--profile', 'photos')
    assert.match(unruled.stderr, /neither profile photos nor \[retention\] has rules/)
  })

  it('a file that becomes wrong changes nothing in the running node; SIGHUP and reload say so (Q5.1)', async () => {
    writeFileSync(config, `${fixed}\nlimit_upload = "fast"\n`)
    const refused = await laptop.try('config', 'reload')
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /line 3: "limit_upload" must be a whole number of KiB a second/)
    process.kill(laptop.pid ?? 0, 'SIGHUP')
    const profiles = await laptop.json<ProfileInfo[]>('profile', 'list')
    assert.equal(profiles.length, 3)
  })

  it('SIGHUP has the node read it again', async () => {
    writeFileSync(config, `${fixed}\n${good()}\n[profile.more]\nsources = ["/etc"]\n`)
    process.kill(laptop.pid ?? 0, 'SIGHUP')
    await until('the new profile is there', async () => {
      const profiles = await laptop.json<ProfileInfo[]>('profile', 'list')
      return profiles.some(({ name }) => name === 'more')
    })
  })

  it('what needs a restart is said (Q5.2)', async () => {
    const other = fixed.replace('mdns = false', 'mdns = false\nstore = "/elsewhere"')
    writeFileSync(config, `${other}\n${good()}`)
    const reloaded = await laptop.json<ConfigReloaded>('config', 'reload')
    assert.deepEqual(reloaded.needs_restart, ['store'])
    writeFileSync(config, `${fixed}\n${good()}`)
    assert.deepEqual((await laptop.json<ConfigReloaded>('config', 'reload')).needs_restart, [])
  })

  it('limits by time of day slow the running node, and let go of it again', async () => {
    const rule = 'limits = [{ from = "00:00", to = "24:00", upload = 200 }]\n'
    writeFileSync(config, `${fixed}\n${rule}${good()}`)
    await laptop.run('config', 'reload')
    writeFileSync(join(house.path('photos'), 'photo'), seeded('slowly').bytes(1200 * kibibyte))
    const slowly = await laptop.run('backup', '--profile', 'photos', '--wait')
    // 1200 KiB that compress to nothing less, at 200 a second and a quarter of a second for nothing.
    assert.ok(slowly.seconds > 5, `it took ${slowly.seconds.toFixed(1)} seconds`)
    writeFileSync(join(house.path('photos'), 'photo'), seeded('another').bytes(40_000 * kibibyte))
    const begunMs = performance.now()
    const lines = laptop.spawn(['--json', 'backup', '--profile', 'photos', '--wait'])
    let said = ''
    lines.stdout?.on('data', (text: string) => (said += text))
    const ended = new Promise<number | null>((resolve) => lines.once('close', resolve))
    await until('the slow transfer goes on', () => Promise.resolve(said.includes('"saved"')))
    writeFileSync(config, `${fixed}\n${good().replace('limit_upload = 4000\n', '')}`)
    await laptop.run('config', 'reload')
    // At 200 KiB a second it would take more than three minutes.
    assert.equal(await ended, 0)
    assert.ok(performance.now() - begunMs < 120_000, `it took ${String(performance.now() - begunMs)} ms`)
  })

  it('the schema that is printed is the one that is published', async () => {
    const { stdout } = await laptop.run('config', 'schema')
    assert.deepEqual(JSON.parse(stdout), JSON.parse(projectText('docs/config.schema.json')))
  })

  it('without a node the file is shown and checked all the same', async () => {
    await laptop.stop()
    const shown = await laptop.json<Shown>('config', 'show')
    assert.equal(shown.running, false)
    const reload = await laptop.try('config', 'reload')
    assert.equal(reload.status, 1)
    assert.match(reload.stderr, /no node runs/)
  })
})

function isOf(path: string): (snapshot: SnapshotInfo) => boolean {
  return ({ paths }) => paths.length === 1 && paths[0] === path
}

describe('story 12: settings written before there is a device', () => {
  it('stay as they are; what flags take the place of is kept beside', async () => {
    await using house = new Household()
    const [device, other] = [house.device('laptop'), house.device('desktop')]
    const text = '# mine\nlisten = ["127.0.0.1:0"]\nmdns = false\nhold_window = "3d" # long\n'
    for (const { home } of [device, other]) {
      mkdirSync(home, { mode: 0o700, recursive: true })
      writeFileSync(join(home, 'config.toml'), text, { mode: 0o600 })
    }
    const init = ['--json', 'init', '--no-recovery', '--name']
    await device.run(...init, 'laptop')
    assert.equal(readFileSync(join(device.home, 'config.toml'), 'utf8'), text)
    await other.run(...init, 'desktop', '--listen', '127.0.0.1:4999')
    assert.equal(readFileSync(join(other.home, 'config.toml.old'), 'utf8'), text)
    assert.match(readFileSync(join(other.home, 'config.toml'), 'utf8'), /^listen = \["127\.0\.0\.1:4999"\]$/m)
  })
})
