import assert from 'node:assert/strict'
import { RateLimit, Rates } from '../../../../node/replication/rate.ts'
import type { Channel } from '../../../../node/network.ts'
import type { Clock } from '../../../../protocol/index.ts'

/** A clock that stands still but for those who sleep. */
function sleepingClock(
  onSleep: (nowMs: number) => void = () => undefined,
): Clock & { readonly slept: number[] } {
  let nowMs = 1_000_000
  const slept: number[] = []
  return {
    slept,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms) => {
      slept.push(Math.round(ms))
      nowMs += ms
      onSleep(nowMs)
      return Promise.resolve()
    },
  }
}

const never = new AbortController().signal

describe('the rate of a transfer', () => {
  it('is kept on the whole: ten times a tenth of a second of bytes takes a second, less a quarter', async () => {
    const clock = sleepingClock()
    const begun = clock.monotonicMs()
    const limit = new RateLimit(clock, () => 1000)
    for (let i = 0; i < 10; i++) await limit.take(100, never)
    assert.equal(Math.round(clock.monotonicMs() - begun), 750)
  })

  it('is one for all channels, each direction for itself', async () => {
    const clock = sleepingClock()
    const rates = new Rates(clock, () => ({ uploadBytesPerSecond: 1000 }), never)
    const inner = { send: () => Promise.resolve(), receive: () => Promise.resolve(new Uint8Array(5000)) }
    const channels = [1, 2].map(() => rates.apply(inner as unknown as Channel))
    for (const channel of channels) await channel.send([new Uint8Array(400), new Uint8Array(100)])
    for (const channel of channels) await channel.receive()
    assert.deepEqual(clock.slept, [250, 500])
  })

  it('lets all through at once where there is no limit', async () => {
    const clock = sleepingClock()
    const limit = new RateLimit(clock, () => undefined)
    for (let i = 0; i < 10; i++) await limit.take(1_000_000, never)
    assert.deepEqual(clock.slept, [])
  })

  it('takes note of another rate within a second, also in the middle of a large frame', async () => {
    let rate: number | undefined = 100
    const startMs = 1_000_000
    const clock = sleepingClock((nowMs) => {
      if (nowMs >= startMs + 2000) rate = 10_000
    })
    await new RateLimit(clock, () => rate).take(10_000, never)
    // A burst of 25 bytes and two seconds at 100 leave 9775, at 10,000 a second.
    assert.equal(Math.round(clock.monotonicMs() - startMs), 2978)
  })

  it('asks nothing of those who come after a time without a limit', async () => {
    let rate: number | undefined = 100
    const clock = sleepingClock(() => {
      rate = undefined
    })
    const limit = new RateLimit(clock, () => rate)
    await limit.take(1_000_000, never)
    assert.deepEqual(clock.slept, [1000])
    rate = 1000
    await limit.take(250, never)
    assert.deepEqual(clock.slept, [1000], 'what passed while there was no limit is not owed')
  })
})
