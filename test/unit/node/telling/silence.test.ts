import assert from 'node:assert/strict'
import { lackOf, lookEveryMs } from '../../../../node/telling/silence.ts'

const dayMs = 86_400_000
const fine = { sinceSignMs: 0, sinceBackupMs: undefined, sinceBackMs: undefined, afterMs: 7 * dayMs }

describe('when a device is silent', () => {
  it('TE8.1: when nothing was heard of it for as long as it may', () => {
    assert.equal(lackOf({ ...fine, sinceSignMs: 7 * dayMs - 1 }), undefined)
    assert.equal(lackOf({ ...fine, sinceSignMs: 7 * dayMs }), 'sign')
  })

  it('TE8.4: when it is heard of, but makes no new snapshot', () => {
    assert.equal(lackOf({ ...fine, sinceBackupMs: 7 * dayMs - 1 }), undefined)
    assert.equal(lackOf({ ...fine, sinceBackupMs: 7 * dayMs }), 'backup')
  })

  it('TE8.4: one that is back has its time again to back up', () => {
    const back = { ...fine, sinceBackupMs: 30 * dayMs }
    assert.equal(lackOf({ ...back, sinceBackMs: dayMs }), undefined)
    assert.equal(lackOf({ ...back, sinceBackMs: 7 * dayMs }), 'backup')
  })

  it('nothing heard is said before no backup', () => {
    assert.equal(lackOf({ ...fine, sinceSignMs: 8 * dayMs, sinceBackupMs: 9 * dayMs }), 'sign')
  })

  it('it is looked often enough for the shortest time, and not too often', () => {
    assert.equal(lookEveryMs(7 * dayMs), 600_000)
    assert.equal(lookEveryMs(60_000), 15_000)
    assert.equal(lookEveryMs(1), 1000)
  })
})
