/** Memory given back after work: soon after the first chunk, once for many, and not by a node that does nothing. */
import assert from 'node:assert/strict'
import { Events } from '../../../../node/events.ts'
import { trimAfterWork } from '../../../../node/trim.ts'
import { testSigner } from '../../../support/mesh.ts'
import { ManualClock } from '../manual-clock.ts'

describe('giving memory back', () => {
  const served = { kind: 'served', device: testSigner(2).device, bytes: 1 } as const

  function setting() {
    const clock = new ManualClock()
    let slept = 0
    const counting = Object.assign(Object.create(clock) as ManualClock, {
      sleep: (ms: number, signal: AbortSignal) => {
        slept++
        return clock.sleep(ms, signal)
      },
    })
    const events = new Events()
    const world = { clock: counting, random: { bytes: (length: number) => new Uint8Array(length) } }
    const close = trimAfterWork({ events, world })
    return { clock, events, close, slept: () => slept }
  }

  it('happens once after the start, and not again in a node that does nothing', async () => {
    const { clock, events, close, slept } = setting()
    events.emit({ kind: 'view' })
    await clock.advance(3_600_000)
    assert.equal(slept(), 1)
    await clock.advance(3_600_000)
    assert.equal(slept(), 1)
    await close()
  })

  it('happens once for many chunks, and again while more come', async () => {
    const { clock, events, close, slept } = setting()
    await clock.advance(60_000)
    for (let n = 0; n < 1000; n++) events.emit(served)
    await clock.advance(60_000)
    assert.equal(slept(), 2)
    events.emit(served)
    await clock.advance(60_000)
    assert.equal(slept(), 3)
    await close()
  })

  it('ends at once with the node', async () => {
    const { events, close } = setting()
    events.emit(served)
    await close()
  })
})
