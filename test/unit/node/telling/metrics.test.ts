import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { parse } from 'smol-toml'
import { formatMetrics } from '../../../../node/telling/metrics/exposition.ts'
import { METRICS } from '../../../../node/telling/metrics/names.ts'
import { type MetricFacts, samplesOf } from '../../../../node/telling/metrics/samples.ts'
import { pushAddress } from '../../../../node/telling/outlets.ts'
import { projectText } from '../../../tools/project.ts'
import { STATUS } from '../../cli/fixtures.ts'

const task = {
  runs: { done: 3, partly: 0, failed: 1, 'put-off': 2 },
  lastMs: 2000,
  lastOutcome: 'failed',
  lastSuccessMs: 1000,
  seconds: 1.5,
  code: 'STORE_FULL',
  message: '',
  root: '',
  copiedMs: 0,
} as const

const FACTS: MetricFacts = {
  status: STATUS,
  hooks: [['discord', { told: 5, failures: 2, lastSuccessMs: 3000, lastFailureMs: 4000, message: 'no' }]],
  tasks: [
    ['backup/photos', task],
    ['scrub', task],
  ],
  profiles: [{ name: 'photos', silentAfterMs: 86_400_000, copies: 2 }],
  profileCopies: new Map([['photos', 1]]),
  silentAfterSeconds: new Map(STATUS.devices.map(({ id }) => [id, 604_800])),
  snapshotsByCopies: new Map([
    [2, 3],
    [1, 2],
  ]),
  unreplicatedBytes: 12,
  reclaimWaitingBytes: 34,
  damagedChunks: 1,
  told: 7,
  heldBack: 8,
  process: { residentBytes: 100, cpuSeconds: 0.5 },
}

const text = (facts: Partial<MetricFacts> = {}) => formatMetrics(METRICS, samplesOf({ ...FACTS, ...facts }))
const lineOf = (start: string, all = text()) => all.split('\n').find((line) => line.startsWith(start))

describe('metrics', () => {
  it('say when each profile was last backed up, and after how long that is too long', () => {
    assert.equal(
      lineOf('rootcellar_profile_last_success_timestamp_seconds'),
      'rootcellar_profile_last_success_timestamp_seconds{profile="photos"} 1',
    )
    assert.equal(
      lineOf('rootcellar_profile_silent_after_seconds'),
      'rootcellar_profile_silent_after_seconds{profile="photos"} 86400',
    )
    assert.equal(lineOf('rootcellar_profile_copies{'), 'rootcellar_profile_copies{profile="photos"} 1')
  })

  it('say 0 of a profile that never was backed up: it is late', () => {
    assert.match(lineOf('rootcellar_profile_last_success', text({ tasks: [] })) ?? '', / 0$/)
  })

  it('say how tasks ended, how hooks fared, what waits', () => {
    assert.equal(
      lineOf('rootcellar_task_runs_total{task="backup",profile="photos",outcome="put-off"}'),
      'rootcellar_task_runs_total{task="backup",profile="photos",outcome="put-off"} 2',
    )
    assert.equal(
      lineOf('rootcellar_task_last_failed{task="scrub"'),
      'rootcellar_task_last_failed{task="scrub",profile=""} 1',
    )
    assert.equal(lineOf('rootcellar_hook_failures_total'), 'rootcellar_hook_failures_total{hook="discord"} 2')
    assert.equal(lineOf('rootcellar_hook_failing'), 'rootcellar_hook_failing{hook="discord"} 1')
    assert.equal(lineOf('rootcellar_unreplicated_bytes'), 'rootcellar_unreplicated_bytes 12')
    assert.equal(lineOf('rootcellar_reclaim_waiting_bytes'), 'rootcellar_reclaim_waiting_bytes 34')
    assert.equal(lineOf('rootcellar_snapshot_copies'), 'rootcellar_snapshot_copies{copies="1"} 2')
  })

  it('say which device is silent', () => {
    const other = STATUS.devices.find(({ self }) => !self)
    assert.ok(other !== undefined)
    const silent = [
      { device: other.id, name: other.name, lacks: 'sign', since: '2026-01-01T00:00:00Z' },
    ] as const
    const all = text({ status: { ...STATUS, telling: { hooks: [], silent } } })
    assert.equal(lineOf(`rootcellar_device_silent{device="${other.name}"}`, all)?.endsWith(' 1'), true)
    assert.equal(lineOf(`rootcellar_device_silent{device="${other.name}"}`)?.endsWith(' 0'), true)
  })

  it('take any name as a label', () => {
    const written = formatMetrics(
      { a: { type: 'gauge', help: 'two\nlines' } },
      { a: [{ labels: { x: 'q"\\\n' }, value: Number.NaN }] },
    )
    assert.equal(written, '# HELP a two\\nlines\n# TYPE a gauge\na{x="q\\"\\\\\\n"} NaN\n')
  })

  it('are named as Prometheus wants: counters, and they only, end in _total', () => {
    for (const [name, { type }] of Object.entries(METRICS)) {
      assert.match(name, /^(rootcellar|process)_[a-z_]+$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
    }
  })

  it('all have a value where all is known', () => {
    const watching = {
      ...STATUS.watching,
      audit: { proven: 1, failed: 1, doubted: [{ device: 'x', name: 'pi', snapshots: 1 }] },
      drill: {
        last_run: '2026-01-01T00:00:00Z',
        outcome: 'failed',
        snapshot_id: '',
        from: [],
        files_restored: 0,
        bytes_restored: 0,
        files_compared: 0,
        files_failed: 1,
      },
    } as const
    const store = { path: '/x', bytes_used: 1, bytes_free: 1, quota_bytes: 1, chunks: 1 }
    const trash = { snapshots: 1, waiting: [{ kind: 'hold-window', message: 'm' }] } as const
    const devices = STATUS.devices.map((device) => ({
      ...device,
      last_seen: '2026-01-01T00:00:00Z',
      last_backup: '2026-01-01T00:00:00Z',
    }))
    const last_backup = { snapshot_id: 'x', time: '2026-01-01T00:00:00Z', copies: 1, copies_wanted: 2 }
    const all = samplesOf({ ...FACTS, status: { ...STATUS, watching, store, trash, devices, last_backup } })
    assert.deepEqual(
      Object.keys(METRICS).filter((name) => !(name in all)),
      [],
    )
  })

  it('pass promtool, where there is one', function () {
    const { status, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
      input: text(),
      encoding: 'utf8',
    })
    if (error !== undefined) return void this.skip()
    assert.equal(status, 0, stderr)
  })
})

describe('what uses the metrics', () => {
  const known = (name: string) => name in METRICS
  const named = (text: string) => [...new Set(text.match(/\b(rootcellar|process)_[a-z_]+\b/g) ?? [])]

  it('alert rules name only metrics and labels that there are', () => {
    const rules = projectText('contrib/prometheus/rootcellar-alerts.yml')
    const expressions = [...rules.matchAll(/expr: (\|\n(?: {10,}.*\n)+|.*)/g)].map((match) => match[1] ?? '')
    assert.ok(expressions.length > 10)
    assert.deepEqual(
      expressions.flatMap(named).filter((name) => !known(name)),
      [],
    )
    for (const alert of rules.split(/^ {6}- alert: /m).slice(1)) {
      assert.match(alert, /^Rootcellar\w+\n {8}expr: /)
      assert.match(alert, /severity: (info|warning|critical)\n/)
      assert.match(alert, /summary: ".+"/)
    }
  })

  it('alert rules pass promtool, where there is one', function () {
    const rules = 'contrib/prometheus/rootcellar-alerts.yml'
    const { status, stderr, stdout, error } = spawnSync('promtool', ['check', 'rules', rules], {
      encoding: 'utf8',
    })
    if (error !== undefined) return void this.skip()
    assert.equal(status, 0, `${stdout}${stderr}`)
  })

  it('every matter of a hook has an alert: a late backup, a silent device, damage, a hook that fails', () => {
    const used = new Set(named(projectText('contrib/prometheus/rootcellar-alerts.yml')))
    for (const name of [
      'rootcellar_profile_last_success_timestamp_seconds',
      'rootcellar_task_last_failed',
      'rootcellar_device_silent',
      'rootcellar_store_damaged_chunks',
      'rootcellar_snapshots_unreplicated',
      'rootcellar_suspicions',
      'rootcellar_hook_failing',
    ])
      assert.ok(used.has(name), name)
  })

  it('the dashboard names only metrics that there are, in panels that do not overlap', () => {
    const { panels } = JSON.parse(projectText('contrib/grafana/rootcellar.json')) as {
      panels: {
        id: number
        title: string
        targets: { expr: string }[]
        gridPos: { x: number; y: number; w: number; h: number }
      }[]
    }
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    assert.ok(expressions.length > 15)
    assert.deepEqual(
      expressions.flatMap(named).filter((name) => !known(name)),
      [],
    )
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${String(x + (at % w))} ${String(y + Math.floor(at / w))}`),
    )
    assert.equal(new Set(cells).size, cells.length)
    assert.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24))
  })

  it('the document names every metric, its kind and its help', () => {
    const rows = Object.entries(METRICS).map(
      ([name, { type, help }]) => `| \`${name}\` | ${type} | ${help} |`,
    )
    const doc = projectText('docs/monitoring.md')
    assert.deepEqual(
      rows.filter((row) => !doc.includes(row)),
      [],
    )
    assert.deepEqual(
      named(doc).filter((name) => !known(name)),
      [],
    )
  })

  it('examples of settings in the document are TOML', () => {
    const blocks = [...projectText('docs/monitoring.md').matchAll(/```toml\n([\s\S]*?)```/g)]
    assert.ok(blocks.length >= 7)
    for (const [, block = ''] of blocks) parse(block)
  })
})

describe('where figures are pushed', () => {
  for (const [address, device, expected] of [
    ['http://gw:9091', 'pi', 'http://gw:9091/metrics/job/rootcellar/instance/pi'],
    ['http://gw:9091/base/', 'pi', 'http://gw:9091/base/metrics/job/rootcellar/instance/pi'],
    ['http://gw:9091', 'a/b', 'http://gw:9091/metrics/job/rootcellar/instance@base64/YS9i'],
    ['http://gw:9091/metrics/job/home/instance/x', 'pi', 'http://gw:9091/metrics/job/home/instance/x'],
    ['http://gw:9091/metrics/job/rootcellar', 'pi', 'http://gw:9091/metrics/job/rootcellar/instance/pi'],
  ] as const)
    it(`of ${device} at ${address}`, () => {
      assert.equal(pushAddress(address, device), expected)
    })
})
