/** The short form of `npm run soak`, and what it goes by. */

import assert from 'node:assert/strict'
import { growthOf, type Sample } from './health.ts'
import { soak } from './soak.ts'

const MiB = 1024 * 1024

describe('soak', () => {
  it('three devices live through changes, forgetting and kills; every snapshot comes back exactly', async () => {
    const told: string[] = []
    const report = await soak({
      minutes: 0,
      roundsMin: 12,
      seed: 'short',
      lookEveryMs: 500,
      tell: (line) => told.push(line),
    })
    assert.equal(report.backups, 24)
    assert.ok(report.kills >= 2)
    assert.ok(report.forgotten > 0)
    assert.equal(report.restores, 2 * report.snapshots)
    assert.ok(told.length > 0)
    const handles = report.growth.flatMap(({ name, faults }) =>
      faults.filter((fault) => fault.includes('handles')).map((fault) => `${name}: ${fault}`),
    )
    assert.deepEqual(handles, [])
  })
})

describe('what a soak goes by', () => {
  const life = (rss: (n: number) => number, handles: (n: number) => number = () => 40): Sample[] =>
    Array.from({ length: 100 }, (_, n) => ({
      atMs: n * 1000,
      rssBytes: rss(n) * MiB,
      handles: handles(n),
      threads: 11,
    }))

  it('memory that rises at first and then goes up and down is flat', () => {
    assert.deepEqual(growthOf({ samples: life((n) => Math.min(n * 10, 180) + (n % 7) * 4) })?.faults, [])
  })

  it('memory that grows on and on is a fault', () => {
    const [fault] = growthOf({ samples: life((n) => 100 + n) })?.faults ?? []
    assert.match(fault ?? '', /^memory grew from 1\d\d MiB to 1\d\d MiB$/)
  })

  it('handles that are never closed are a fault', () => {
    const growth = growthOf({
      samples: life(
        () => 100,
        (n) => 40 + Math.floor(n / 4),
      ),
    })
    assert.deepEqual(growth?.faults, ['open handles grew from 49 to 61'])
  })

  it('nothing is said of a life that was too short', () => {
    assert.equal(growthOf({ samples: life(() => 1).slice(0, 11) }), undefined)
  })
})
