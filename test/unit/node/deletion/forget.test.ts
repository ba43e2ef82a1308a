import assert from 'node:assert/strict'
import type { ForgetParams, RetentionRules } from '../../../../node/api.ts'
import { every, makeSnapshot, publish, tell, type TestNode } from '../../../support/node.ts'
import { withCode } from '../../../support/mesh.ts'
import { dayMs, hourMs, openHousehold, replicate } from './household.ts'

type Household = Awaited<ReturnType<typeof openHousehold>>

function named(...snapshots: string[]): ForgetParams {
  return { snapshots, filter: every, dryRun: false }
}

function ruled(rules: RetentionRules, more: Partial<ForgetParams> = {}): ForgetParams {
  return { snapshots: [], filter: every, rules, dryRun: false, ...more }
}

function liveRoots(node: TestNode): string[] {
  return node.parts.ledger.live().map(({ root }) => root)
}

describe('forgetting', () => {
  let house: Household
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  /** So many snapshots of the laptop, a day apart, held by all. */
  async function daily(count: number): Promise<string[]> {
    const roots: string[] = []
    for (let at = 0; at < count; at++) {
      roots.push(await makeSnapshot(house.laptop))
      await replicate(house.laptop, house.desktop)
      await replicate(house.laptop, house.pi)
      await house.clock.advance(dayMs)
    }
    await tell(house.pi, house.desktop)
    await tell(house.desktop, house.pi)
    return roots
  }

  describe('by name', () => {
    it('puts a snapshot into the trash at once, and says that signing waits for others', async () => {
      const [first = '', second = ''] = await daily(2)
      const done = await house.desktop.call('forget', named(first.slice(0, 8)))
      assert.deepEqual(done, {
        message_type: 'forgotten',
        dry_run: false,
        groups: [],
        snapshot_ids: [first],
        refused: [],
        waits_for_contact: true,
      })
      assert.deepEqual(liveRoots(house.desktop), [second])
      const [entry] = await house.desktop.call('trash', {})
      assert.equal(entry?.snapshot.id, first)
      assert.equal(entry.forgotten_by, 'desktop')
      assert.equal(entry.reason, 'person')
      assert.equal(entry.held_here, true)
      assert.deepEqual(entry.holders, ['laptop', 'pi'])
      assert.deepEqual(entry.snapshot.paths, ['/home'])
    })

    it('holds for every device once it is signed', async () => {
      const [first = ''] = await daily(2)
      await house.desktop.call('forget', named(first))
      await publish(house.desktop)
      for (const node of [house.laptop, house.pi]) {
        await tell(house.desktop, node)
        assert.ok(!liveRoots(node).includes(first))
      }
      const [entry] = await house.pi.call('trash', {})
      assert.equal(entry?.forgotten_by, 'desktop')
      assert.equal(entry.snapshot.device_name, 'laptop')
    })

    it('takes the newest that fits for latest', async () => {
      const roots = await daily(3)
      const done = await house.desktop.call('forget', named('latest'))
      assert.deepEqual(done.snapshot_ids, [roots[2]])
    })

    it('forgets those that are there, and says which are not (U1.4)', async () => {
      const [first = ''] = await daily(1)
      const asking = house.desktop.call('forget', named('ffffffff', first, `${first}:/home`, 'no id'))
      await house.clock.advance(hourMs) // nobody has news
      const done = await asking
      assert.deepEqual(done.snapshot_ids, [first])
      assert.deepEqual(
        done.refused.map(({ snapshot, code }) => [snapshot, code]),
        [
          ['ffffffff', 'SNAPSHOT_NOT_FOUND'],
          [`${first}:/home`, 'USAGE'],
          ['no id', 'USAGE'],
        ],
      )
    })

    it('says of what is forgotten already that it is', async () => {
      const [first = ''] = await daily(1)
      await house.desktop.call('forget', named(first))
      const { refused } = await house.desktop.call('forget', named(first))
      assert.match(refused[0]?.message ?? '', /forgotten already/)
    })

    it('changes nothing in a dry run', async () => {
      const [first = ''] = await daily(1)
      const done = await house.desktop.call('forget', { ...named(first), dryRun: true })
      assert.deepEqual(done.snapshot_ids, [first])
      assert.deepEqual(liveRoots(house.desktop), [first])
      assert.deepEqual(await house.desktop.call('trash', {}), [])
    })

    it('goes through pins: a person has said so (U1.2)', async () => {
      const [first = ''] = await daily(1)
      await house.desktop.call('pin', { snapshots: [first] })
      const done = await house.desktop.call('forget', named(first))
      assert.deepEqual(done.snapshot_ids, [first])
      assert.deepEqual(liveRoots(house.desktop), [])
    })

    it('forgets every announcement of a snapshot, whoever made it', async () => {
      const [first = ''] = await daily(1)
      const [live] = house.laptop.parts.ledger.live()
      await house.desktop.parts.ledger.announce({
        root: first as never,
        source: live?.source ?? new Uint8Array(16),
        sizeClass: 10,
      })
      assert.equal(liveRoots(house.desktop).length, 2)
      await house.desktop.call('forget', named(first))
      assert.deepEqual(liveRoots(house.desktop), [])
    })

    it('needs snapshots or rules, and not both', async () => {
      await assert.rejects(house.desktop.call('forget', named()), withCode('USAGE'))
      const both = { ...named('latest'), rules: { last: 1 } }
      await assert.rejects(house.desktop.call('forget', both), withCode('USAGE'))
    })
  })

  describe('on a device that only adds', () => {
    it('is refused, naming those that may (U1.1)', async () => {
      const [first = ''] = await daily(1)
      await assert.rejects(house.laptop.call('forget', named(first)), (error: Error) => {
        assert.match(error.message, /laptop is a writer.*do it on desktop or pi/)
        return withCode('NOT_ENTITLED')(error as never)
      })
      assert.deepEqual(liveRoots(house.laptop), [first])
    })

    it('is refused for rules too, and for a dry run', async () => {
      await daily(2)
      const params = ruled({ last: 1 }, { dryRun: true })
      await assert.rejects(house.laptop.call('forget', params), withCode('NOT_ENTITLED'))
    })
  })

  describe('by rules', () => {
    it('keeps what they keep, and says why', async () => {
      const roots = await daily(4)
      const done = await house.desktop.call('forget', ruled({ last: 2 }))
      const [group] = done.groups
      assert.equal(group?.device, 'laptop')
      assert.deepEqual(group.paths, ['/home'])
      assert.deepEqual(
        group.keep.map(({ id }) => id),
        [roots[3], roots[2]],
      )
      assert.deepEqual(
        group.remove.map(({ id }) => id),
        [roots[1], roots[0]],
      )
      assert.deepEqual(group.reasons[0]?.matches, ['last snapshot'])
      assert.deepEqual(done.snapshot_ids, [roots[1], roots[0]])
      assert.deepEqual(liveRoots(house.desktop), [roots[2], roots[3]])
      assert.equal((await house.desktop.call('trash', {}))[0]?.reason, 'retention')
    })

    it('changes nothing in a dry run, and says the same (U1.3)', async () => {
      const roots = await daily(3)
      const done = await house.desktop.call('forget', ruled({ last: 1 }, { dryRun: true }))
      assert.deepEqual(done.snapshot_ids, [roots[1], roots[0]])
      assert.equal(liveRoots(house.desktop).length, 3)
      assert.equal(done.waits_for_contact, false)
    })

    it('groups by device and source where nothing can be read', async () => {
      const roots = await daily(3)
      await makeSnapshot(house.laptop, { path: '/music' })
      await replicate(house.laptop, house.pi)
      const done = await house.pi.call('forget', ruled({ last: 1 }))
      assert.deepEqual(done.snapshot_ids, [roots[1], roots[0]])
      assert.deepEqual(
        done.groups.map(({ device, keep, remove }) => [device, keep.length, remove.length]),
        [
          ['laptop', 1, 2],
          ['laptop', 1, 0],
        ],
      )
    })

    it('cannot go by what is sealed where nothing can be read (U1.8)', async () => {
      await daily(1)
      await assert.rejects(house.pi.call('forget', ruled({ tags: [['x']] })), withCode('USAGE'))
      const params = ruled({ last: 1 }, { groupBy: ['host'] })
      await assert.rejects(house.pi.call('forget', params), withCode('USAGE'))
    })

    it('are refused when they keep nothing', async () => {
      await daily(1)
      await assert.rejects(house.desktop.call('forget', ruled({})), withCode('USAGE'))
      await assert.rejects(house.desktop.call('forget', ruled({ last: 0 })), withCode('USAGE'))
    })

    it('keep a whole group rather than none of it (U1.9)', async () => {
      await daily(2)
      const [group] = (await house.desktop.call('forget', ruled({ tags: [['kept']] }))).groups
      assert.equal(group?.remove.length, 0)
      assert.match(group.stopped ?? '', /keep nothing/)
      assert.equal(liveRoots(house.desktop).length, 2)
    })

    it('keep what anybody pinned, and what is below the floors (U1.7)', async () => {
      const roots = await daily(3)
      await house.laptop.call('pin', { snapshots: [roots[0] ?? ''] })
      await publish(house.laptop)
      await tell(house.laptop, house.desktop)
      const { desktop } = house
      Object.assign(desktop.parts.config, { floorAgeMs: 30 * hourMs, floorNewest: 1 })
      await house.clock.advance(hourMs)
      const done = await desktop.call('forget', ruled({ tags: [['none']], within: '1h' }, { dryRun: true }))
      const reasons = new Map(done.groups[0]?.reasons.map((one) => [one.snapshot.id, one.matches]))
      assert.deepEqual(reasons.get(roots[0] ?? ''), ['pinned'])
      assert.deepEqual(reasons.get(roots[2] ?? ''), [
        'within 1h',
        'younger than 30 hours',
        'newest of its source',
      ])
      assert.deepEqual(done.snapshot_ids, [roots[1]])
    })

    it('keep, and do not count, what nobody but its device is said to have (U1.6)', async () => {
      const roots = await daily(2)
      for (let at = 0; at < 5; at++) await makeSnapshot(house.laptop, { isHeld: false })
      await tell(house.laptop, house.pi)
      const done = await house.pi.call('forget', ruled({ last: 2 }))
      assert.deepEqual(done.snapshot_ids, [])
      assert.ok(roots.every((root) => liveRoots(house.pi).includes(root)))
    })

    it('keep, and do not count, what cannot be read on a device that reads', async () => {
      const roots = await daily(2)
      // The Pi says that it holds them, and is away: the root chunks are not here.
      for (let at = 0; at < 3; at++) await makeSnapshot(house.laptop)
      await replicate(house.laptop, house.pi)
      await tell(house.pi, house.desktop)
      const asking = house.desktop.call('forget', ruled({ last: 2 }))
      await house.clock.advance(hourMs) // nobody who has them can be reached
      const done = await asking
      assert.deepEqual(done.snapshot_ids, [])
      const reasons = done.groups.flatMap((group) => group.reasons)
      assert.deepEqual(reasons.flatMap(({ matches }) => matches).sort(), [
        'its description is not here',
        'its description is not here',
        'its description is not here',
        'last snapshot',
        'last snapshot',
      ])
      const first = reasons.find(({ snapshot }) => snapshot.id === roots[0])
      assert.deepEqual(first?.matches, ['last snapshot'])
    })
  })

  it('may be done on two devices at once', async () => {
    const [first = '', second = '', third = ''] = await daily(3)
    await house.desktop.call('forget', named(first, second))
    await house.pi.call('forget', named(second, third))
    await publish(house.desktop)
    await publish(house.pi)
    await tell(house.desktop, house.pi)
    await tell(house.pi, house.desktop)
    await tell(house.pi, house.laptop)
    for (const node of [house.desktop, house.pi, house.laptop]) assert.deepEqual(liveRoots(node), [])
  })
})
