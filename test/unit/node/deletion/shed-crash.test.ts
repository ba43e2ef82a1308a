/** R7 over crashes, and with everything in any order: what is wanted is never let go. */
import assert from 'node:assert/strict'
import { CellarError, type DeviceId, type RootId } from '../../../../protocol/index.ts'
import type { Catalog, ChunkStore } from '../../../../storage/index.ts'
import { seeded } from '../../../tools/seeded.ts'
import { goal, scene, type ShedDevice, ShedMesh, type Wrap } from './shed-mesh.ts'

describe('letting go (R7)', () => {
  describe('over a crash', () => {
    /** Counts what is written for good, and dies at one of these. */
    class Dying {
      left: number
      constructor(left: number) {
        this.left = left
      }

      /** Dies before it, or after it and before anybody hears of it. */
      async do<T>(step: () => Promise<T>): Promise<T> {
        const at = this.left--
        if (at <= 0) throw new CellarError('ABORTED', 'dead')
        const done = await step()
        if (at === 1) throw new CellarError('ABORTED', 'dead')
        return done
      }

      wrap: Wrap = ({ catalog, store }) => ({
        catalog: Object.assign(Object.create(catalog) as Catalog, {
          get: catalog.get.bind(catalog),
          iterate: catalog.iterate.bind(catalog),
          batch: (...args: Parameters<Catalog['batch']>) => this.do(() => catalog.batch(...args)),
        }),
        store: new Proxy(store, {
          get: (target, key: keyof ChunkStore) => {
            const value = target[key] as unknown
            if (typeof value !== 'function') return value
            const bound = value.bind(target) as (...args: unknown[]) => Promise<unknown>
            const isWrite = key === 'release' || key === 'hold' || key === 'reclaim' || key === 'compact'
            return isWrite ? (...args: unknown[]) => this.do(() => bound(...args)) : bound
          },
        }),
      })
    }

    it('at each step loses nothing, says nothing false, and goes on', async () => {
      let died = 0
      for (let at = 1; at < 60; at++) {
        const { mesh, root, first, third } = await scene()
        const dying = new Dying(at)
        await mesh.restart(third, dying.wrap)
        const others = mesh.devices.filter((one) => one !== third)
        let isDead = false
        for (let round = 0; round < 6 && !isDead; round++) {
          try {
            await mesh.step(third)
            await third.reaper.reap({ signal: AbortSignal.timeout(5000) })
            await mesh.publish(third)
            for (const one of others) await mesh.tell(one, third)
          } catch {
            isDead = true
          }
          for (const one of others) await mesh.tell(third, one)
          await mesh.gossip(1, others)
          checkWord(mesh, first, third, root)
        }
        if (!isDead) break
        died++
        await mesh.restart(third)
        checkWord(mesh, first, third, root)
        await mesh.clock.advance(61_000)
        await mesh.gossip()
        await mesh.settle()
        checkWord(mesh, first, third, root)
        assert.equal(third.store.isHeld(root), false, `it does not go on after write ${String(at)}`)
        assert.equal(third.store.has(root), false)
        assert.equal(mesh.keeping(root).length, goal)
      }
      assert.ok(died > 6, String(died))
    })

    /** Who is said to hold the root does. */
    function checkWord(mesh: ShedMesh, by: ShedDevice, one: ShedDevice, root: RootId): void {
      if (mesh.said(by, root).includes(one.device)) assert.equal(one.store.isHeld(root), true, 'a false word')
      assert.ok(mesh.keeping(root).length >= goal)
    }
  })

  it('never goes below the goal, whatever is heard when', async () => {
    let letGo = 0
    for (let seed = 0; seed < 25; seed++) letGo += await playAtRandom(seed)
    assert.ok(letGo > 25, `only ${String(letGo)} copies were let go`)
  })
})
/** Devices do what they may in any order; wanted ones fetch. @returns how many copies were let go */
async function playAtRandom(seed: number): Promise<number> {
  const chance = seeded(`shed ${String(seed)}`)
  const mesh = await ShedMesh.open(3 + chance.below(3), 1 + chance.below(2))
  const goalCopies = mesh.membership.copiesGoal as number
  const seeds = [0, 1, 2].map((n) => `random ${String(seed)} ${String(n)}`)
  const owner = chance.pick(mesh.devices)
  const roots: RootId[] = []
  for (const name of seeds) {
    roots.push(await mesh.announce(owner, name, 'one source'))
    for (const one of mesh.devices) if (chance.below(3) > 0) await mesh.hold(one, name)
    await mesh.clock.advance(5)
  }
  await mesh.gossip()
  const least = new Map(roots.map((root) => [root, Math.min(goalCopies, mesh.keeping(root).length)]))
  let letGo = 0
  for (let step = 0; step < 220; step++) {
    const one = chance.pick(mesh.devices)
    const before = roots.filter((root) => one.store.isHeld(root)).length
    switch (chance.below(7)) {
      case 0:
      case 1:
        await mesh.publish(one)
        break
      case 2:
      case 3:
        await mesh.tell(one, chance.pick(mesh.devices))
        break
      case 4:
        await mesh.clock.advance(61_000)
        await mesh.step(one)
        break
      case 5:
        await one.reaper.reap({ signal: AbortSignal.timeout(5000) })
        break
      default:
        await fetchOne(mesh, one, roots, seeds)
    }
    const after = roots.filter((root) => one.store.isHeld(root)).length
    if (after < before) letGo += before - after
    for (const root of roots) {
      const kept = mesh.keeping(root).length
      const said = `seed ${String(seed)}, step ${String(step)}: ${String(kept)} copies`
      assert.ok(kept >= (least.get(root) ?? 0), said)
      least.set(root, Math.max(least.get(root) ?? 0, Math.min(goalCopies, kept)))
    }
  }
  return letGo
}

/** What the replicator does: what should be here and is not comes from who has it. */
async function fetchOne(mesh: ShedMesh, one: ShedDevice, roots: readonly RootId[], seeds: readonly string[]) {
  for (const [n, root] of roots.entries()) {
    const from: DeviceId[] = mesh.said(one, root)
    if (one.ledger.isWanted(root) && !one.store.isHeld(root) && from.length > 0)
      await mesh.hold(one, seeds[n] as string)
  }
}
