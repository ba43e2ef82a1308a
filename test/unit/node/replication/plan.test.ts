import assert from 'node:assert/strict'
import type { DeviceId, RootId } from '../../../../protocol/index.ts'
import { type Candidate, planFetches, retryDelayMs } from '../../../../node/replication/plan.ts'

const device = (name: string) => name as DeviceId
const root = (name: string) => name as RootId
const candidate = (name: string, over: Partial<Candidate> = {}): Candidate => ({
  root: root(name),
  holders: [device('desktop')],
  notBeforeMs: 0,
  ...over,
})
const plan = (candidates: Candidate[], over: Partial<Parameters<typeof planFetches>[0]> = {}) =>
  planFetches({ candidates, connected: new Set([device('desktop')]), nowMs: 100, ...over })

describe('the plan of fetches', () => {
  it('takes the newest root first', () => {
    assert.deepEqual(
      plan([candidate('old'), candidate('new')]).map((one) => one.root),
      ['new', 'old'],
    )
  })

  it('asks only holders in reach', () => {
    const both = candidate('a', { holders: [device('pi'), device('desktop')] })
    assert.deepEqual(plan([both]), [{ root: 'a', peers: ['desktop'] }])
    assert.deepEqual(plan([candidate('b', { holders: [device('pi')] })]), [])
  })

  it('leaves out what failed a moment ago', () => {
    assert.deepEqual(plan([candidate('a', { notBeforeMs: 101 })]), [])
    assert.equal(plan([candidate('a', { notBeforeMs: 100 })]).length, 1)
  })

  it('waits longer after each failure, five minutes at most', () => {
    assert.deepEqual(
      [1, 2, 3, 30].map((failures) => retryDelayMs(failures)),
      [2000, 4000, 8000, 300_000],
    )
  })
})
