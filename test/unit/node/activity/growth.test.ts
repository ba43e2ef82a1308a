import assert from 'node:assert/strict'
import { dayOf, daysMax, GrowthRecord } from '../../../../node/activity/growth.ts'
import { firstLookMs, keepActivity, lookEveryMs } from '../../../../node/activity/keep.ts'
import type { GrowthSample } from '../../../../node/api.ts'
import { memoryCatalog } from '../../../../storage/index.ts'
import { makeSnapshot, testNode } from '../../../support/node.ts'
import { household } from '../deletion/household.ts'

const dayMs = 86_400_000
const someDayMs = Date.parse('2026-01-01T12:00:00Z')

function sample(day: string, bytes_used = 1): GrowthSample {
  return { day, time: `${day}T12:00:00.000Z`, bytes_used, chunks: 1, snapshots: 1, snapshots_held: 1 }
}

describe('growth', () => {
  it('has one sample a day, the last of it', async () => {
    const growth = new GrowthRecord(memoryCatalog())
    await growth.put(sample('2026-11-22'))
    await growth.put(sample('2026-11-23', 5))
    await growth.put(sample('2026-11-23', 7))
    const found = await growth.list(undefined, '2026-11-23')
    assert.deepEqual(
      found.map(({ day, bytes_used }) => [day, bytes_used]),
      [
        ['2026-11-22', 1],
        ['2026-11-23', 7],
      ],
    )
    assert.deepEqual(
      (await growth.list('2026-11-23', '2026-11-23')).map(({ day }) => day),
      ['2026-11-23'],
    )
  })

  it('keeps three years and no more (AC3.1)', async () => {
    const growth = new GrowthRecord(memoryCatalog())
    for (let i = 0; i < daysMax + 3; i++) await growth.put(sample(dayOf(someDayMs + i * dayMs)))
    const found = await growth.list(undefined, '9999-12-31')
    assert.equal(found.length, daysMax)
    assert.equal(found[0]!.day, dayOf(someDayMs + 3 * dayMs))
  })

  it('loses nothing to a clock that is wrong for a moment (AC3.2)', async () => {
    const growth = new GrowthRecord(memoryCatalog())
    await growth.put(sample('2026-11-22'))
    await growth.put(sample('2093-01-01'))
    await growth.put(sample('2026-11-23'))
    const found = await growth.list(undefined, '2026-11-23')
    assert.deepEqual(
      found.map(({ day }) => day),
      ['2026-11-22', '2026-11-23'],
    )
  })

  it('is looked at by a running node soon after its start, and every hour', async () => {
    const node = await testNode({ number: 1, membership: household(), isRunning: true })
    const end = keepActivity(node.parts)
    await makeSnapshot(node)
    await makeSnapshot(node)
    await node.clock.advance(firstLookMs - 1)
    assert.deepEqual(await node.call('growth', {}), { samples: [] })
    await node.clock.advance(1)
    const [first] = (await node.call('growth', {})).samples
    assert.equal(first!.snapshots, 2)
    assert.equal(first!.snapshots_held, 2)
    assert.ok(first!.chunks >= 4 && first!.bytes_used >= 200)
    await makeSnapshot(node)
    await node.clock.advance(lookEveryMs)
    assert.equal((await node.call('growth', {})).samples.at(-1)!.snapshots, 3)
    await end()
    await node.close()
  })

  it('is noted by a node opened for one command when it has done something', async () => {
    const node = await testNode({ number: 1, membership: household() })
    const idle = keepActivity(node.parts)
    await idle()
    assert.equal((await node.call('growth', {})).samples.length, 0)
    const end = keepActivity(node.parts)
    node.parts.events.emit({ kind: 'task', name: 'backup', outcome: 'done' })
    await end()
    assert.equal((await node.call('growth', {})).samples.length, 1)
    await node.close()
  })
})
