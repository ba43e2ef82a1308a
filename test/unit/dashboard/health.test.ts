import assert from 'node:assert/strict'
import type { Status, WatchingStatus } from '../../../node/api.ts'
import { bytesStep, chartOf, countStep, SIZE, thinned } from '../../../node/dashboard/page/health/chart.ts'
import { auditText, drillText, healthSentence, scrubText } from '../../../node/dashboard/page/health/words.ts'

const DRILL = {
  last_run: '2026-11-21T10:00:00Z',
  last_passed: '2026-11-21T10:00:00Z',
  outcome: 'passed',
  ...{
    snapshot_id: 'a',
    from: ['pi'],
    files_restored: 20,
    bytes_restored: 2048,
    files_compared: 18,
    files_failed: 0,
  },
} as const

function watching(more: Partial<WatchingStatus> = {}): WatchingStatus {
  return {
    scrub: {
      last_run: '2026-11-22T10:00:00Z',
      round_percent: 0.2,
      bytes_read: 1024,
      chunks_bad: 0,
      chunks_mended: 0,
    },
    bad_chunks: 0,
    audit: { proven: 0, failed: 0, doubted: [] },
    ...more,
  }
}

function say(found: WatchingStatus, chunks = 5) {
  const status = { watching: found, store: { chunks }, devices: [] } as unknown as Status
  return healthSentence(status, () => 'two days ago')
}

describe('what the screen of health says', () => {
  it('says the gravest: damage here, then copies in doubt, then a drill that failed', () => {
    const doubted = { proven: 1, failed: 2, doubted: [{ device: 'p', name: 'pi', snapshots: 2 }] }
    const drill = { ...DRILL, outcome: 'failed', files_failed: 3 } as const
    assert.match(
      say(watching({ bad_chunks: 1, audit: doubted, drill })).sentence,
      /^1 stored chunk is damaged/,
    )
    const second = say(watching({ audit: doubted, drill }))
    assert.deepEqual(
      [second.tone, second.sentence],
      ['warn', 'pi could not prove 2 snapshots that it says it holds.'],
    )
    const third = say(watching({ drill }))
    assert.deepEqual([third.tone, /could not restore 3 files from pi/.test(third.sentence)], ['bad', true])
  })

  it('is good only once something was looked at', () => {
    const { last_run: _, ...never } = watching().scrub
    assert.equal(say(watching({ scrub: never })).tone, 'plain')
    assert.equal(say(watching({ scrub: never }), 0).sentence, 'Nothing is stored on this device yet.')
    const good = say(watching({ drill: DRILL }))
    assert.deepEqual(
      [good.tone, good.sentence],
      ['good', 'All that was read again is good; files were last restored two days ago from pi.'],
    )
  })

  it('says what came of each look', () => {
    assert.equal(scrubText(watching()), '1.00 KiB read so far: nothing damaged.')
    const rot = { ...watching().scrub, chunks_bad: 2, chunks_mended: 1 }
    assert.match(scrubText(watching({ scrub: rot })), /2 chunks damaged, 1 of them mended/)
    assert.equal(auditText(watching()), 'No proof was asked for yet.')
    assert.equal(
      auditText(watching({ audit: { proven: 1, failed: 1, doubted: [] } })),
      '1 copy proven so far, 1 proof failed.',
    )
    assert.match(
      drillText(watching({ drill: DRILL })),
      /^20 files \(2\.00 KiB\) restored from pi, 18 files of them/,
    )
  })
})

describe('the picture of growth', () => {
  const points = [
    { day: '2026-11-01', value: 100 },
    { day: '2026-11-02', value: 200 },
    { day: '2026-11-05', value: 400 },
  ]

  it('begins at nothing, and lies where the days and the values are', () => {
    const { line, yTicks, xTicks, last } = chartOf(points, countStep)
    assert.deepEqual(yTicks[0], { x: SIZE.left, y: SIZE.height - SIZE.bottom, value: 0 })
    assert.equal(yTicks.at(-1)!.value, 400)
    assert.equal(yTicks.at(-1)!.y, SIZE.top)
    assert.deepEqual(last, { x: SIZE.width - SIZE.right, y: SIZE.top })
    const xs = [...line.matchAll(/[ML]([0-9.]+) /g)].map(([, x]) => Number(x))
    // Days without a sample take their place too.
    assert.ok(Math.abs((xs[1]! - xs[0]!) * 4 - (xs[2]! - xs[0]!)) < 1)
    assert.deepEqual(
      xTicks.map(({ day }) => day),
      ['2026-11-01', '2026-11-03', '2026-11-05'],
    )
  })

  it('draws one day, many equal ones, and none', () => {
    assert.equal(chartOf([], countStep).last, undefined)
    assert.doesNotMatch(chartOf([], countStep).line, /NaN/)
    for (const chart of [
      chartOf(points.slice(0, 1), countStep),
      chartOf([{ day: '2026-11-01', value: 0 }], bytesStep),
    ])
      assert.doesNotMatch(JSON.stringify(chart), /null|NaN/)
  })

  it('has steps that are round to people', () => {
    assert.deepEqual([0.3, 1, 3, 11, 70, 512].map(countStep), [1, 1, 5, 20, 100, 1000])
    assert.deepEqual([1, 300, 600, 1500, 1024 ** 3 * 3].map(bytesStep), [1, 500, 1024, 2048, 1024 ** 3 * 5])
  })

  it('has a table of no more rows than a person reads, the first and last among them', () => {
    const list = Array.from({ length: 1100 }, (_, i) => i)
    const shown = thinned(list, 40)
    assert.equal(shown.length, 40)
    assert.deepEqual([shown[0], shown.at(-1)], [0, 1099])
    assert.deepEqual(thinned([1, 2], 40), [1, 2])
  })
})
