import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { profileParams } from '../../../../node/backup/profile-params.ts'
import { PROFILE_DEFAULT } from '../../../../node/config/defaults.ts'
import type { Config, ProfileConfig } from '../../../../node/config/types.ts'
import type { TaskEvent } from '../../../../node/events.ts'
import { followSchedule } from '../../../../node/operations/scheduled.ts'
import { testMembership } from '../../../support/mesh.ts'
import { every, type TestNode, testNode } from '../../../support/node.ts'
import { settle } from '../manual-clock.ts'

const dayMs = 86_400_000
const quiet = { check: 'off', scrub: 'off', drill: 'off', retention: undefined }
const { membership } = testMembership(['storer'])

describe('a profile', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-profile-'))
    mkdirSync(join(directory, 'papers'))
    writeFileSync(join(directory, 'papers', 'letter'), 'dear')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const profile = (more: Partial<ProfileConfig> = {}): ProfileConfig => ({
    ...PROFILE_DEFAULT,
    name: 'papers',
    sources: [join(directory, 'papers')],
    ...more,
  })

  it('is backed up as it says, with the lists that it names', () => {
    writeFileSync(join(directory, 'excludes'), '# caches\n*.$KIND\n\n')
    writeFileSync(join(directory, 'from'), 'papers/let*\n# none\n/etc/hosts\n')
    writeFileSync(join(directory, 'raw'), Buffer.from('caf\xe9\0../up\0', 'latin1'))
    const params = profileParams(
      profile({
        exclude: ['*.tmp'],
        excludeFile: [join(directory, 'excludes')],
        filesFrom: [join(directory, 'from')],
        filesFromRaw: [join(directory, 'raw')],
        tags: ['papers'],
        oneFileSystem: true,
        wait: 2,
      }),
      { KIND: 'cache' },
    )
    assert.deepEqual(params.excludes, ['*.tmp', '*.cache'])
    assert.deepEqual(params.paths, [
      join(directory, 'papers'),
      join(directory, 'papers', 'letter'),
      '/etc/hosts',
      { b64: Buffer.from(`${directory}/caf\xe9`, 'latin1').toString('base64') },
      join(tmpdir(), 'up'),
    ])
    assert.deepEqual(
      [params.tags, params.oneFileSystem, params.wait, params.priority],
      [['papers'], true, 2, 'low'],
    )
  })

  it('that names nothing, or a list that is not there, is refused', () => {
    assert.throws(() => profileParams(profile({ sources: [] }), {}), { code: 'CONFIG_INVALID' })
    assert.throws(() => profileParams(profile({ excludeFile: [join(directory, 'none')] }), {}), {
      code: 'USAGE',
    })
  })

  describe('of a node', () => {
    let node: TestNode
    let told: TaskEvent[]
    const around = { battery: false, metered: false }
    const surroundings = {
      isOnBattery: () => Promise.resolve(around.battery),
      isMetered: () => Promise.resolve(around.metered),
    }

    async function open(profiles: readonly ProfileConfig[], more: Partial<Config> = {}): Promise<void> {
      const config = { profiles, schedule: quiet, ...more }
      node = await testNode({ number: 1, membership, isRunning: true, surroundings, config })
      told = []
      node.parts.events.on((event) => {
        if (event.kind === 'task') told.push(event)
      })
      around.battery = around.metered = false
    }
    afterEach(() => node.close())

    const outcomes = () => told.map(({ name, profile: of, outcome }) => `${name} ${of ?? '-'} ${outcome}`)
    /** Until the bus tells that a task has ended. */
    const hasEnded = () =>
      node.parts.events.next(
        (event) => event.kind === 'task' && event.outcome !== 'began',
        AbortSignal.timeout(20_000),
      )

    it('is backed up by the schedule, which says when it did and when it will', async () => {
      await open([
        profile({ schedule: 'daily', jitterMs: 0, tags: ['mine'] }),
        profile({ name: 'base', sources: [] }),
      ])
      const close = followSchedule(node.parts)
      try {
        await settle()
        const [before, ...others] = (await node.call('schedule', {})).filter(({ name }) => name === 'backup')
        assert.deepEqual(others, [])
        assert.equal(before?.last_run, undefined)
        const nextMs = Date.parse(before?.next_run ?? '')
        assert.ok(nextMs > node.clock.nowMs() && nextMs <= node.clock.nowMs() + dayMs)
        const ended = hasEnded()
        await node.clock.advance(nextMs - node.clock.nowMs())
        await ended
        await settle()
        assert.deepEqual(outcomes(), ['backup papers began', 'backup papers done'])
        assert.equal(told[1]?.summary?.['files_new'], 1)
        const [snapshot] = await node.call('snapshots', { filter: every, snapshots: [] })
        assert.deepEqual(snapshot?.tags, ['mine'])
        const { schedule } = await node.call('status', {})
        const after = schedule.find(({ profile: of }) => of === 'papers')
        assert.equal(after?.last_outcome, 'done')
        assert.equal(Date.parse(after.last_run ?? ''), nextMs)
        assert.ok(Date.parse(after.next_run ?? '') > nextMs)
      } finally {
        await close()
      }
    })

    it('is put off on battery, unless somebody insists', async () => {
      await open([profile({ onBattery: false, onMetered: false })])
      around.battery = true
      const params = { profile: 'papers', force: false, instead: {} }
      await assert.rejects(node.call('backupProfile', params), { code: 'PUT_OFF', message: /battery/ })
      around.battery = false
      around.metered = true
      await assert.rejects(node.call('backupProfile', params), { code: 'PUT_OFF', message: /metered/ })
      assert.deepEqual(told, [])
      const summary = await node.call('backupProfile', { ...params, force: true })
      assert.equal(summary.files_new, 1)
      assert.deepEqual(outcomes(), ['backup papers began', 'backup papers done'])
    })

    it('that was backed up by hand is known to the schedule', async () => {
      await open([profile({ schedule: 'daily' })])
      await node.call('backupProfile', { profile: 'papers', force: false, instead: { tags: ['now'] } })
      const [task] = await node.call('schedule', {})
      assert.equal(task?.last_outcome, 'done')
      const dry = await node.call('backupProfile', {
        profile: 'papers',
        force: false,
        instead: { dryRun: true },
      })
      assert.equal(dry.dry_run, true)
      assert.equal(told.length, 2)
    })

    it('is done in part when a source cannot be read, and that is said without its name', async () => {
      await open([profile({ sources: [join(directory, 'papers'), join(directory, 'gone')] })])
      await node.call('backupProfile', { profile: 'papers', force: false, instead: {} })
      assert.equal(told[1]?.outcome, 'partly')
      assert.equal(told[1].message, 'one source could not be read')
      assert.doesNotMatch(JSON.stringify(told), /gone/)
    })

    it('that is not there is named beside those that are', async () => {
      await open([profile()])
      await assert.rejects(node.call('backupProfile', { profile: 'photos', force: false, instead: {} }), {
        code: 'CONFIG_INVALID',
        message: /photos.*there are papers/,
      })
    })

    it('follows the settings as they change', async () => {
      await open([])
      const close = followSchedule(node.parts)
      try {
        const { settings } = node.parts
        settings.change({ ...settings.current, profiles: [profile({ schedule: 'hourly' })] })
        await settle()
        const tasks = await node.call('schedule', {})
        const task = tasks.find(({ profile: of }) => of === 'papers')
        assert.equal(task?.due, 'hourly')
        assert.ok(task.next_run !== undefined)
      } finally {
        await close()
      }
    })

    it('by hand, with paths, is told without a profile; a dry run is not told', async () => {
      await open([])
      const params = profileParams(profile(), {})
      await node.call('backup', { ...params, dryRun: true })
      assert.deepEqual(told, [])
      await node.call('backup', params)
      assert.deepEqual(outcomes(), ['backup - began', 'backup - done'])
    })
  })

  describe('of a storer', () => {
    it('has no task: it makes no backups', async () => {
      const config = { profiles: [profile({ schedule: 'daily' })], schedule: { ...quiet, check: 'daily' } }
      const node = await testNode({ number: 2, membership, isBlind: true, config })
      try {
        const names = (await node.call('schedule', {})).map(({ name }) => name)
        assert.ok(names.includes('check') && !names.includes('backup') && !names.includes('drill'))
      } finally {
        await node.close()
      }
    })
  })
})

describe('the check of the schedule', () => {
  it('reads the structure of the store, and is remembered', async () => {
    const node = await testNode({
      number: 1,
      membership,
      isRunning: true,
      config: { schedule: { ...quiet, check: 'daily' } },
    })
    const close = followSchedule(node.parts)
    try {
      const ended = node.parts.events.next(
        (event) => event.kind === 'task' && event.outcome === 'done',
        AbortSignal.timeout(20_000),
      )
      await node.clock.advance(dayMs + 3_600_000)
      assert.equal((await ended).kind, 'task')
      await settle()
      const check = (await node.call('schedule', {})).find(({ name }) => name === 'check')
      assert.equal(check?.last_outcome, 'done')
    } finally {
      await close()
      await node.close()
    }
  })
})
