import assert from 'node:assert/strict'
import {
  gathered,
  HourlyBound,
  judgeTiding,
  quietMs,
  repeatMs,
  type Standing,
  toldInHourMax,
  type ToldRecord,
} from '../../../../node/telling/flood.ts'

const news = { on: 'failure', state: 'news' } as const
const over = { on: 'failure', state: 'over' } as const
const standing: Standing = { on: 'trouble', title: 'it is over', profile: '', device: '' }

/** Judges one after another; says which were told. */
function tell(
  steps: readonly (readonly [atMs: number, tiding: typeof news | typeof over, standing?: Standing])[],
  first?: ToldRecord,
): boolean[] {
  let record = first
  return steps.map(([atMs, tiding, holds]) => {
    const judged = judgeTiding(tiding, record, atMs, holds)
    record = judged.record
    return judged.isTold
  })
}

describe('so that nobody is flooded', () => {
  it('TE5.1: the same failure is told once in a day, then with how often it happened', () => {
    assert.deepEqual(
      tell([
        [0, news],
        [1, news],
        [repeatMs - 1, news],
        [repeatMs, news],
        [repeatMs + 1, news],
      ]),
      [true, false, false, true, false],
    )
    const again = judgeTiding(
      news,
      { atMs: 0, again: 2, isOver: false, isHeard: true, standing: undefined },
      5,
      undefined,
    )
    assert.equal(again.record?.again, 3)
  })

  it('TE5.2: what holds is told once, however long, and its end once', () => {
    assert.deepEqual(
      tell([
        [0, news, standing],
        [repeatMs * 30, news, standing],
        [repeatMs * 31, over],
        [repeatMs * 31 + 1, over],
      ]),
      [true, false, true, false],
    )
  })

  it('TE5.2: a passing trouble that turns out to hold is not told again, but its end is', () => {
    const first = judgeTiding(news, undefined, 0, undefined)
    const held = judgeTiding(news, first.record, 10, standing)
    assert.equal(held.isTold, false)
    assert.equal(held.record?.standing?.title, 'it is over')
    assert.equal(judgeTiding(over, held.record, 20, undefined).isTold, true)
  })

  it('nothing is over that was not told', () => {
    assert.deepEqual(tell([[0, over]]), [false])
  })

  it('TE5.3: what goes on and off is held back for six hours', () => {
    assert.deepEqual(
      tell([
        [0, news],
        [1, over],
        [2, news],
        [3, over],
        [1 + quietMs, news],
        [2 + quietMs, over],
      ]),
      [true, true, false, false, true, true],
    )
  })

  it('TE5.3: but a device that falls silent again is told of at once', () => {
    const record: ToldRecord = { atMs: 0, again: 0, isOver: true, isHeard: true, standing: undefined }
    assert.equal(judgeTiding({ on: 'silent', state: 'news' }, record, 1, standing).isTold, true)
  })

  it('every run is told of to those who want that', () => {
    for (const on of ['before', 'after', 'success'] as const)
      assert.deepEqual(judgeTiding({ on, state: 'news' }, undefined, 0, undefined), {
        isTold: true,
        record: undefined,
      })
  })

  it('a clock that was set back keeps nothing from being told', () => {
    const record: ToldRecord = {
      atMs: 10 * repeatMs,
      again: 0,
      isOver: false,
      isHeard: true,
      standing: undefined,
    }
    assert.equal(judgeTiding(news, record, 0, undefined).isTold, true)
  })

  it('TE5.4: in an hour 20 are told, and an hour later again', () => {
    const bound = new HourlyBound()
    for (let at = 0; at < toldInHourMax; at++) assert.equal(bound.take(at), true)
    assert.equal(bound.take(30), false)
    assert.equal(bound.waitMs(30), 3_600_000 - 30)
    assert.equal(bound.take(3_600_000), true)
    assert.equal(bound.take(3_600_000), false)
  })

  it('TE5.4: what was held back is gathered into one message', () => {
    const titles = Array.from({ length: 12 }, (_, at) => `thing ${String(at)}`)
    const { title, message } = gathered(titles, 'laptop', 0)
    assert.equal(title, '12 more messages of laptop')
    assert.match(message, /^thing 0; .*; thing 9; and 2 more\.$/)
  })
})
