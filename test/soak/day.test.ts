/** The short form of `npm run soak -- --simulated 24`, and what a day goes by. */

import assert from 'node:assert/strict'
import { day } from './day.ts'

describe('a day of three devices in simulated time', () => {
  it('schedules are kept, whatever goes wrong, and every snapshot comes back', async () => {
    const { violation, counts, gapMs } = await day({ seed: '1', hours: 9 })
    assert.equal(violation, undefined, `npm run soak -- --simulated 9 --seed 1 --trace: ${String(violation)}`)
    const count = (kind: string) => counts.get(kind) ?? 0
    // Nine hours of the desktop, four of the laptop; what was cut off by a fault was made up for.
    assert.ok(count('backup done') >= 9, `${String(count('backup done'))} backups`)
    for (const kind of ['check done', 'scrub done', 'audit done', 'retention done', 'forgotten by rule'])
      assert.ok(count(kind) > 0, `never: ${kind}`)
    assert.ok([...counts.keys()].some((kind) => kind.startsWith('fault ')))
    assert.ok(count('restores') > 6)
    assert.ok(gapMs >= 60 * 60_000)
  }).timeout(300_000)

  it('the same seed is the same day', async () => {
    const digests = [await day({ seed: '2', hours: 1 }), await day({ seed: '2', hours: 1 })].map(
      ({ digest }) => digest,
    )
    assert.equal(digests[0], digests[1])
  }).timeout(120_000)

  it('a schedule that does not come is noticed', async () => {
    const { violation } = await day({ seed: '3', hours: 4, isScheduled: false })
    assert.match(violation ?? '', /^schedule: (desktop|laptop) has not backed up for 1\d\d minutes$/)
  }).timeout(120_000)
})
