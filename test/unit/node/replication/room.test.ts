/** R12: who is full says so, takes no more, and says when that has ended. */
import assert from 'node:assert/strict'
import { Events } from '../../../../node/events.ts'
import {
  type Fullness,
  fullnessNow,
  Room,
  roomEveryMs,
  roomRetryMs,
} from '../../../../node/replication/room.ts'
import { ManualClock } from '../manual-clock.ts'

const mebibyte = 1024 * 1024

describe('the room of a store', () => {
  const now = (roomBytes: number, before?: Fullness, nowMs = 0) =>
    fullnessNow(before, { roomBytes, usedBytes: 1000 * mebibyte, nowMs }) !== undefined

  it('is used up when little is left: 16 MiB, or the fiftieth part', () => {
    assert.equal(now(17 * mebibyte), false)
    assert.equal(now(16 * mebibyte), true)
    assert.equal(now(-5), true)
    const small = (roomBytes: number) =>
      fullnessNow(undefined, { roomBytes, usedBytes: 98, nowMs: 0 }) !== undefined
    assert.deepEqual([small(2), small(3)], [true, false])
    assert.equal(fullnessNow(undefined, { roomBytes: Infinity, usedBytes: 0, nowMs: 0 }), undefined)
  })

  it('is there again when it has plainly grown, and not for one chunk that went', () => {
    const before = { roomBytes: 10 * mebibyte, failedMs: undefined }
    assert.equal(now(20 * mebibyte, before), true)
    assert.equal(now(40 * mebibyte, before), false)
  })

  it('is used up when something could not be stored, until it has grown or time has passed', () => {
    const before = { roomBytes: 500 * mebibyte, failedMs: 1000 }
    assert.equal(now(500 * mebibyte, before, 2000), true)
    assert.equal(now(520 * mebibyte, before, 2000), false)
    assert.equal(now(500 * mebibyte, before, 1000 + roomRetryMs), false)
    assert.equal(now(mebibyte, before, 1000 + roomRetryMs), true)
  })

  it('is looked at again and again, and told when it changes', async () => {
    const clock = new ManualClock()
    const events = new Events()
    const told: boolean[] = []
    events.on((event) => {
      if (event.kind === 'room') told.push(event.isFull)
    })
    let roomBytes = 1000
    const room = new Room({ roomBytes: () => roomBytes, stats: () => ({ packBytes: 1000 }) }, clock, events)
    const end = new AbortController()
    const watching = room.watch(end.signal)
    await clock.advance(roomEveryMs)
    roomBytes = 0
    await clock.advance(roomEveryMs)
    assert.deepEqual([room.isFull, ...told], [true, true])
    roomBytes = 1000
    await clock.advance(roomEveryMs)
    assert.deepEqual([room.isFull, ...told], [false, true, false])
    room.failed()
    assert.deepEqual([room.isFull, ...told], [true, true, false, true])
    end.abort()
    await watching
  })
})
