import assert from 'node:assert/strict'
import {
  type DeadRoot,
  type EffectFacts,
  judgeEffect,
  pinnedRoots,
  removeMember,
  type SignedForget,
} from '../../../../protocol/index.ts'
import { AT_MS, rootOf, signerOf } from '../a-mesh.ts'
import { keeper, start, withCapabilities } from './a-leaning-mesh.ts'

const DAY = 86_400_000

function deadBy(...reasons: readonly (readonly SignedForget['reason'][])[]): DeadRoot {
  const { device } = signerOf('keeper')
  const announcements = reasons.map((each, n) => {
    const dot = { device, incarnation: 1, seq: n + 1, n: 0 }
    const forgets = each.map(
      (reason, at): SignedForget => ({
        dot,
        root: rootOf('a'),
        reason,
        seq: 10 * (n + 1) + at,
        epoch: 0,
        by: device,
        incarnation: 1,
      }),
    )
    return { dot, owner: device, source: new Uint8Array(16), sizeClass: 1, forgets }
  })
  return { root: rootOf('a'), announcements }
}

function facts(changes: Partial<EffectFacts> = {}): EffectFacts {
  return {
    hadForMs: () => 8 * DAY,
    seenForMs: () => 30 * DAY,
    isAmongNewest: () => false,
    isPinned: () => false,
    holdWindowMs: 7 * DAY,
    floorAgeMs: DAY,
    ...changes,
  }
}

describe('the effect of a forget (R9)', () => {
  it('R9.1 race 33, 34: comes when this node itself has had it for the hold window', () => {
    assert.deepEqual(judgeEffect(deadBy(['person']), facts()), { isEffective: true })
    assert.deepEqual(judgeEffect(deadBy(['person']), facts({ hadForMs: () => 5 * DAY })), {
      isEffective: false,
      why: 'hold-window',
      remainingMs: 2 * DAY,
    })
    assert.deepEqual(judgeEffect(deadBy(['person']), facts({ hadForMs: () => 0, holdWindowMs: 0 })), {
      isEffective: true,
    })
  })

  it('R9.1 needs a forget in effect of every announcement, and one of each is enough', () => {
    const had = (forget: SignedForget): number => (forget.seq % 10 === 0 ? 1 : 8) * DAY
    assert.equal(judgeEffect(deadBy(['person', 'person']), facts({ hadForMs: had })).isEffective, true)
    assert.deepEqual(judgeEffect(deadBy(['person', 'person'], ['person']), facts({ hadForMs: had })), {
      isEffective: false,
      why: 'hold-window',
      remainingMs: 6 * DAY,
    })
  })

  it('R9.2 race 37: comes by rule only to what is old enough here', () => {
    const young = facts({ seenForMs: () => DAY / 2 })
    const effect = { isEffective: false, why: 'floor-age', remainingMs: DAY / 2 }
    assert.deepEqual(judgeEffect(deadBy(['retention']), young), effect)
    assert.deepEqual(judgeEffect(deadBy(['person']), young), { isEffective: true })
    // Whichever ends later is told.
    const both = facts({ seenForMs: () => DAY / 2, hadForMs: () => 0 })
    assert.equal((judgeEffect(deadBy(['retention']), both) as { why: string }).why, 'hold-window')
  })

  it('R9.2 race 10, 37: comes by rule never to the newest held here', () => {
    const newest = facts({ isAmongNewest: () => true })
    assert.deepEqual(judgeEffect(deadBy(['retention']), newest), { isEffective: false, why: 'floor-newest' })
    assert.deepEqual(judgeEffect(deadBy(['person']), newest), { isEffective: true })
    assert.deepEqual(judgeEffect(deadBy(['retention', 'person']), newest), { isEffective: true })
  })

  it('R9.3 comes by rule never to what is pinned, which is told before any time', () => {
    const pinned = facts({ isPinned: () => true, hadForMs: () => 0 })
    assert.deepEqual(judgeEffect(deadBy(['retention']), pinned), { isEffective: false, why: 'pinned' })
    assert.deepEqual(judgeEffect(deadBy(['person'], ['retention']), pinned), {
      isEffective: false,
      why: 'pinned',
    })
    assert.equal((judgeEffect(deadBy(['person', 'retention']), pinned) as { why: string }).why, 'hold-window')
  })
})

describe('pins', () => {
  it('R9.3 count of every member that reads, as its newest listing has them', () => {
    const { desktop, laptop, nas, box, membership } = start()
    desktop.say({ pins: [rootOf('a'), rootOf('b'), rootOf('a')] })
    laptop.say({ pins: [rootOf('a')] })
    nas.say({ pins: [rootOf('c')] })
    box.hear(desktop, laptop, nas)
    const pinned = pinnedRoots(box.view, membership)
    assert.deepEqual([...(pinned.get(rootOf('a')) ?? [])].sort(), [desktop.id, laptop.id].sort())
    assert.equal(pinned.has(rootOf('b')), true)
    // A storer reads nothing and has no say.
    assert.equal(pinned.has(rootOf('c')), false)
    assert.equal(pinnedRoots(box.view, withCapabilities(membership, 'nas', ['store', 'read'])).size, 3)
    const gone = removeMember(membership, keeper, { device: laptop.id, atMs: AT_MS })
    assert.deepEqual(pinnedRoots(box.view, gone).get(rootOf('a')), [desktop.id])
    laptop.say({ pins: [] })
    box.hear(laptop)
    assert.deepEqual(pinnedRoots(box.view, membership).get(rootOf('a')), [desktop.id])
  })
})
