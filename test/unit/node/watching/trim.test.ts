/** Memory given back: when the process has grown, and only then. */
import assert from 'node:assert/strict'
import { grownBytesMin, keepTrimmed, lookEveryMs } from '../../../../node/trim.ts'
import { ManualClock } from '../manual-clock.ts'

describe('giving memory back', () => {
  it('happens when the process has grown since the last time, and not otherwise', async () => {
    const clock = new ManualClock()
    let resident = 100 * grownBytesMin
    let trims = 0
    const close = keepTrimmed({
      clock,
      residentBytes: () => resident,
      trim: () => {
        trims++
        resident /= 2
      },
    })
    await clock.advance(lookEveryMs - 1)
    assert.equal(trims, 0)
    await clock.advance(1)
    assert.equal(trims, 1)
    await clock.advance(100 * lookEveryMs)
    assert.equal(trims, 1)
    resident += grownBytesMin - 1
    await clock.advance(lookEveryMs)
    assert.equal(trims, 1)
    resident += 1
    await clock.advance(lookEveryMs)
    assert.equal(trims, 2)
    await close()
  })
})
