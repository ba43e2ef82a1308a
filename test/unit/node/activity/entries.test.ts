import assert from 'node:assert/strict'
import { Entries, rewriteMs, sameTroubleMs, troublesInHourMax } from '../../../../node/activity/entries.ts'
import type { NodeEvent } from '../../../../node/events.ts'
import type { ChunkId, DeviceId } from '../../../../protocol/index.ts'

const startMs = Date.parse('2026-11-23T16:00:00Z')
const nameOf = (device: DeviceId) => `name of ${device}`

/** The entries that come of events, each at its minute. */
function entriesOf(...events: (readonly [atMs: number, NodeEvent])[]) {
  const entries = new Entries(nameOf)
  return events.flatMap(([atMs, event]) => {
    const change = entries.take(event, startMs + atMs)
    return change === undefined ? [] : [change.entry]
  })
}

const trouble = (
  message: string,
  code: 'STORE_FULL' | 'PEER_GONE' | 'INTERNAL' = 'STORE_FULL',
): NodeEvent => ({
  kind: 'trouble',
  code,
  message,
})

describe('entries of the history', () => {
  it('has of a task how it ended, and not that it began', () => {
    const summary = { files_new: 3 }
    const found = entriesOf(
      [0, { kind: 'task', name: 'backup', profile: 'home', outcome: 'began' }],
      [90_000, { kind: 'task', name: 'backup', profile: 'home', outcome: 'done', seconds: 90, summary }],
    )
    const time = '2026-11-23T16:01:30.000Z'
    assert.deepEqual(found, [
      { kind: 'task', time, task: 'backup', outcome: 'done', profile: 'home', seconds: 90, summary },
    ])
  })

  it('has why a task failed, on one line', () => {
    const message = 'TypeError: x\n    at y.ts:1'
    const [entry] = entriesOf([
      0,
      { kind: 'task', name: 'check', outcome: 'failed', code: 'INTERNAL', message },
    ])
    assert.equal(entry!.kind === 'task' && entry!.message, 'TypeError: x')
    assert.equal(entry!.kind === 'task' && entry!.code, 'INTERNAL')
  })

  it('calls cancelled what somebody ended', () => {
    const [entry] = entriesOf([
      0,
      { kind: 'task', name: 'scrub', outcome: 'failed', code: 'ABORTED', message: 'the scrub was cancelled' },
    ])
    assert.equal(entry!.kind === 'task' && entry!.outcome, 'cancelled')
  })

  it('has what a task does by a long method once, and by hand what no task does', () => {
    const job = (method: string): NodeEvent => ({ kind: 'job', method, outcome: 'done', startedMs: startMs })
    const found = entriesOf(
      [0, { kind: 'task', name: 'scrub', outcome: 'began' }],
      [500, job('restore')],
      [1000, job('scrub')],
      [1000, { kind: 'task', name: 'scrub', outcome: 'done' }],
      [2000, job('scrub')],
    )
    assert.deepEqual(
      found.map((entry) => entry.kind === 'task' && [entry.task, entry.seconds]),
      [
        ['restore', 0.5],
        ['scrub', undefined],
        ['scrub', 2],
      ],
    )
  })

  it('counts the same trouble in one entry, written once a minute, and at the end', () => {
    const entries = new Entries(nameOf)
    const take = (atMs: number) => entries.take(trouble('full'), startMs + atMs)
    const first = take(0)!
    assert.equal(first.type, 'add')
    entries.numbered(first, 41)
    assert.equal(take(1000), undefined)
    const second = take(rewriteMs)!
    assert.equal(second.type === 'change' && second.number, 41)
    assert.equal(second.entry.kind === 'trouble' && second.entry.times, 3)
    assert.deepEqual([...entries.unwritten()], [])
    take(rewriteMs + 1)
    const [last] = entries.unwritten()
    assert.equal(last!.entry.kind === 'trouble' && last!.entry.times, 4)
    assert.deepEqual([...entries.unwritten()], [])
  })

  it('begins a new entry for a trouble that comes back after an hour', () => {
    const found = entriesOf([0, trouble('full')], [sameTroubleMs, trouble('full')])
    assert.deepEqual(
      found.map((entry) => entry.kind === 'trouble' && entry.times),
      [1, 1],
    )
  })

  it('keeps so many different troubles an hour, and says how many it left out (AC2.2)', () => {
    const entries = new Entries(nameOf)
    let kept = 0
    for (let i = 0; i < troublesInHourMax + 5; i++)
      if (entries.take(trouble(`trouble ${String(i)}`), startMs + i) !== undefined) kept++
    assert.equal(kept, troublesInHourMax)
    const later = entries.take(trouble('another'), startMs + sameTroubleMs)
    assert.match(later?.entry.kind === 'trouble' ? later.entry.message : '', /5 other troubles were left out/)
  })

  it('has one entry for all chunks of a disk that fails', () => {
    const bad = (id: string): NodeEvent => ({ kind: 'bad-chunk', id: id as ChunkId })
    assert.equal(entriesOf([0, bad('aa')], [1, bad('bb')], [2, bad('cc')]).length, 1)
  })

  it('says nothing of what mends itself, and what to do about the rest', () => {
    assert.deepEqual(entriesOf([0, trouble('gone', 'PEER_GONE')]), [])
    const [entry] = entriesOf([0, { ...trouble('full'), device: 'd' } as NodeEvent])
    assert.equal(entry!.kind === 'trouble' && entry!.name, 'name of d')
    assert.match(entry!.kind === 'trouble' ? entry!.remedy! : '', /free space/)
  })
})
