import assert from 'node:assert/strict'
import { RateLimit, Rates } from '../../../../node/replication/rate.ts'
import type { Channel } from '../../../../node/network.ts'
import type { Clock } from '../../../../protocol/index.ts'

/** A clock that stands still but for those who sleep. */
function sleepingClock(): Clock & { readonly slept: number[] } {
  let nowMs = 1_000_000
  const slept: number[] = []
  return {
    slept,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms) => {
      slept.push(Math.round(ms))
      nowMs += ms
      return Promise.resolve()
    },
  }
}

const never = new AbortController().signal

describe('the rate of a transfer', () => {
  it('is kept on the whole: ten times a tenth of a second of bytes takes a second, less a quarter', async () => {
    const clock = sleepingClock()
    const begun = clock.monotonicMs()
    const limit = new RateLimit(clock, 1000)
    for (let i = 0; i < 10; i++) await limit.take(100, never)
    assert.equal(Math.round(clock.monotonicMs() - begun), 750)
  })

  it('is one for all channels, each direction for itself', async () => {
    const clock = sleepingClock()
    const rates = new Rates(clock, { uploadBytesPerSecond: 1000 }, never)
    const inner = { send: () => Promise.resolve(), receive: () => Promise.resolve(new Uint8Array(5000)) }
    const channels = [1, 2].map(() => rates.apply(inner as unknown as Channel))
    for (const channel of channels) await channel.send([new Uint8Array(400), new Uint8Array(100)])
    for (const channel of channels) await channel.receive()
    assert.deepEqual(clock.slept, [250, 500])
  })

  it('leaves a channel as it is where there is no limit', () => {
    const channel = {} as Channel
    assert.equal(new Rates(sleepingClock(), {}, never).apply(channel), channel)
  })
})
