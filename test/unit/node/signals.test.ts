/** Signals that end with others, and leave nothing behind. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { limitTime } from '../../../node/mesh/time-limit.ts'
import { Events } from '../../../node/events.ts'
import { anyOf, underAnyOf } from '../../../node/signals.ts'
import { ManualClock } from './manual-clock.ts'

/** How many wait for a signal. */
function waiting(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length
}

describe('signals that end with others', () => {
  it('the first that is aborted says why', () => {
    const [first, second] = [new AbortController(), new AbortController()]
    const either = anyOf([first.signal, second.signal])
    assert.equal(either.aborted, false)
    second.abort(new Error('second'))
    first.abort(new Error('first'))
    assert.equal((either.reason as Error).message, 'second')
    assert.equal(anyOf([first.signal]).aborted, true)
  })

  it('nothing is left on a signal that lives on, however the work ended', async () => {
    const { signal } = new AbortController()
    await underAnyOf([signal], async () => {
      assert.equal(waiting(signal), 1)
    })
    await assert.rejects(
      underAnyOf([signal], () => Promise.reject(new RangeError('no'))),
      RangeError,
    )
    assert.equal(waiting(signal), 0)
  })

  it('a thousand waits and limits of time leave nothing on the signal of the node', async () => {
    const { signal } = new AbortController()
    const clock = new ManualClock()
    const events = new Events()
    for (let count = 0; count < 1000; count++) {
      const wait = events.nextWithin(({ kind }) => kind === 'view', { clock, ms: 1000, signal })
      events.emit({ kind: 'view' })
      await wait
      await limitTime(clock, 1000, () => Promise.resolve(), signal)
    }
    assert.equal(waiting(signal), 0)
    // AbortSignal.any leaves no listener either, but a trace of each of its signals (in Node 20).
    for (const key of Object.getOwnPropertySymbols(signal)) {
      const trace: unknown = Reflect.get(signal, key)
      if (typeof trace !== 'object' || trace === null || !('size' in trace)) continue
      assert.ok(Number(trace.size) <= 1, `${String(key)}: ${String(trace.size)}`) // one kind of event, at most
    }
  })
})
