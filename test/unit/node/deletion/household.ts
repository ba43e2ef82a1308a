/** A household for the tests of deletion: a keeper, a laptop that only adds, a box in the cupboard that may forget. */
import { admitMember, foundMesh, type Membership } from '../../../../protocol/index.ts'
import type { Config } from '../../../../node/config.ts'
import { testSigner } from '../../../support/mesh.ts'
import { carry, publish, tell, type TestNode, testNode } from '../../../support/node.ts'
import { ManualClock } from '../manual-clock.ts'

export const dayMs = 86_400_000
export const hourMs = 3_600_000

/** Three devices, in numbers: 1 desktop, 2 laptop, 3 pi. */
export function household(): Membership {
  const keeper = testSigner(1)
  const founded = foundMesh(keeper, { name: 'desktop', nonce: new Uint8Array(16), atMs: 0 })
  const laptop = { device: testSigner(2).device, name: 'laptop', role: 'writer', atMs: 0 } as const
  const pi = { device: testSigner(3).device, name: 'pi', role: 'storer', atMs: 0 } as const
  const withLaptop = admitMember(founded, keeper, laptop)
  return admitMember(withLaptop, keeper, { ...pi, capabilities: new Set(['store', 'forget']) })
}

/** All three, on one clock, and not among one another. */
export async function openHousehold(config: Partial<Config> = {}) {
  const membership = household()
  const clock = new ManualClock()
  // Floors stand in the way of what is not about them.
  const settings = { floorAgeMs: 0, floorNewest: 0, ...config }
  const desktop = await testNode({ number: 1, membership, clock, config: settings })
  const laptop = await testNode({ number: 2, membership, clock, config: settings })
  const pi = await testNode({ number: 3, membership, clock, config: settings, isBlind: true })
  const all = [desktop, laptop, pi]
  return {
    clock,
    desktop,
    laptop,
    pi,
    close: async () => {
      for (const node of all) await node.close()
    },
  }
}

/** Lets a node hold what another has, and hear of it; says so to that one. */
export async function replicate(from: TestNode, to: TestNode): Promise<void> {
  await tell(from, to)
  for (const root of from.parts.store.holds())
    if (!to.parts.store.isHeld(root) && to.parts.ledger.isLive(root)) await carry(from, to, root)
  await publish(to)
  await tell(to, from)
}
