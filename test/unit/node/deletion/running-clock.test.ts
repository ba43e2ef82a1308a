/** The running time of a node, by which hold windows and floors are counted (R9, spec/deletion.md §5). */
import assert from 'node:assert/strict'
import { afterGap, RunningClock } from '../../../../node/deletion/running-clock.ts'
import { formatSpan, parseSpan, spanInWords } from '../../../../node/deletion/time-span.ts'
import type { Clock } from '../../../../protocol/index.ts'
import { type Catalog, memoryCatalog } from '../../../../storage/index.ts'

const hour = 3_600_000

/** A machine whose wall clock somebody can set, and which can be off. */
class Machine implements Clock {
  wallMs = 1_700_000_000_000
  upMs = 5

  nowMs(): number {
    return this.wallMs
  }

  monotonicMs(): number {
    return this.upMs
  }

  sleep(): Promise<void> {
    return Promise.resolve()
  }

  runs(ms: number): void {
    this.wallMs += ms
    this.upMs += ms
  }

  isOff(ms: number): void {
    this.wallMs += ms
    this.upMs = 1
  }
}

const note = (catalog: Catalog, clock: RunningClock) => catalog.batch([clock.note()], { durable: true })

describe('the running time of a node', () => {
  it('U5.1 is what its process has run, whatever the wall clock is set to', () => {
    const machine = new Machine()
    const running = RunningClock.open(memoryCatalog(), machine)
    machine.runs(hour)
    machine.wallMs += 400 * 24 * hour
    assert.equal(running.nowMs, hour)
    machine.wallMs -= 4000 * 24 * hour
    machine.runs(hour)
    assert.equal(running.nowMs, 2 * hour)
  })

  it('U5.1 counts a gap between two runs, a day of it at most', async () => {
    const machine = new Machine()
    const catalog = memoryCatalog()
    const first = RunningClock.open(catalog, machine)
    machine.runs(hour)
    await note(catalog, first)
    machine.isOff(8 * hour)
    const second = RunningClock.open(catalog, machine)
    assert.equal(second.nowMs, 9 * hour)
    await note(catalog, second)
    machine.isOff(100 * 24 * hour)
    assert.equal(RunningClock.open(catalog, machine).nowMs, 33 * hour)
  })

  it('never goes back: a wall clock that was set back counts as no gap', () => {
    assert.equal(afterGap({ wallMs: 1000, runningMs: 50 }, 10), 50)
    assert.equal(afterGap({ wallMs: 1000, runningMs: 50 }, Number.NaN), 50)
  })

  it('counts a gap once, however often a start is not noted', async () => {
    const machine = new Machine()
    const catalog = memoryCatalog()
    await note(catalog, RunningClock.open(catalog, machine))
    machine.isOff(10 * hour)
    RunningClock.open(catalog, machine)
    assert.equal(RunningClock.open(catalog, machine).nowMs, 10 * hour)
  })

  it('loses no more than the time since it was noted, when a process dies', async () => {
    const machine = new Machine()
    const catalog = memoryCatalog()
    const first = RunningClock.open(catalog, machine)
    await note(catalog, first)
    machine.runs(50 * hour)
    machine.upMs = 1
    assert.equal(RunningClock.open(catalog, machine).nowMs, 24 * hour, 'what was not noted is a gap')
  })
})

describe('a span of time in the settings', () => {
  it('is a number and a unit', () => {
    assert.equal(parseSpan('7d'), 7 * 24 * hour)
    assert.equal(parseSpan('12h'), 12 * hour)
    assert.equal(parseSpan('90min'), 1.5 * hour)
    assert.equal(parseSpan('2w'), 14 * 24 * hour)
    assert.equal(parseSpan('0s'), 0)
  })

  it('is nothing else', () => {
    for (const text of ['', '7', 'd', '-1d', '1.5h', '7 d', '3m', '1d2h', '99999999d'])
      assert.equal(parseSpan(text), undefined, text)
  })

  it('is written as it was read', () => {
    for (const text of ['7d', '36h', '90min', '5s', '0s']) {
      const ms = parseSpan(text)
      assert.equal(formatSpan(ms ?? -1), text)
    }
  })

  it('is told in words, rounded up', () => {
    assert.equal(spanInWords(7 * 24 * hour), '7 days')
    assert.equal(spanInWords(47 * hour), '47 hours')
    assert.equal(spanInWords(61_000), '2 minutes')
    assert.equal(spanInWords(0), '1 minute')
  })
})
