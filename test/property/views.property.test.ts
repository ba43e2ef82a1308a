/** Whatever order listings arrive in, and whoever forked, views agree where they must (rules.md). */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type LiveRoot, liveRoots } from '../../protocol/index.ts'
import { Device, meshOf, Node, rootOf } from '../unit/protocol/a-mesh.ts'

const MEMBERSHIP = meshOf({ laptop: 'writer', desktop: 'keeper' })
const NAMES = ['keeper', 'laptop', 'desktop']

/** A step of a device: announce a root, forget what another announced, or say nothing new. */
type Step = { readonly who: number; readonly what: 'add' | 'forget' | 'nothing'; readonly which: number }

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom('add', 'forget', 'nothing'),
  which: fc.nat(5),
})

/** Plays steps; returns the devices, and the live roots by a model that needs no view. */
function play(steps: readonly Step[]): { devices: Device[]; live: Set<string> } {
  const devices = NAMES.map((name) => new Device(name))
  const live = new Set<string>()
  const announced: { device: Device; name: string }[] = []
  for (const [at, { who, what, which }] of steps.entries()) {
    const device = devices[who] as Device
    const name = `root ${at}`
    const target = announced[which % Math.max(1, announced.length)]
    if (what === 'add') {
      device.next(MEMBERSHIP, { adds: [name] })
      announced.push({ device, name })
      live.add(rootOf(name))
    } else if (what === 'forget' && target !== undefined) {
      device.next(MEMBERSHIP, { forgets: [target.device.dotOf(target.name)] })
      // A writer may sign what it likes.
      if (device.name !== 'laptop') live.delete(rootOf(target.name))
    } else device.next(MEMBERSHIP)
  }
  return { devices, live }
}

const rootsOf = (node: Node): string[] =>
  liveRoots(node.view, node.membership)
    .map((one: LiveRoot) => one.root)
    .sort()

describe('views', () => {
  it('R1.2 R2.1 agree with the model, in whatever portions and order listings come', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(2), fc.nat(30)), { maxLength: 20 }),
        (steps, offers) => {
          const { devices, live } = play(steps)
          const node = new Node(MEMBERSHIP)
          for (const [who, upTo] of offers) {
            const device = devices[who] as Device
            if (upTo >= 1 && device.listings.length > 0) node.offer(device, 1, upTo)
          }
          for (const device of devices) if (device.listings.length > 0) node.offer(device)
          assert.deepEqual(rootsOf(node), [...live].sort())
        },
      ),
      { numRuns: 60 },
    )
  })

  it('R1.6 R1.7 agree about a fork, whichever branch came first', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.array(step, { maxLength: 6 }),
        fc.array(step, { maxLength: 6 }),
        (steps, left, right) => {
          const { devices } = play(steps)
          const desktop = devices[2] as Device
          const shared = desktop.listings.length
          const twin = desktop.clone()
          const roots = devices.flatMap(
            (device) => device.newest?.body.adds.map((add) => device.dotOf(add.root)) ?? [],
          )
          const grow = (device: Device, more: readonly Step[], side: string): void => {
            for (const [at, { what, which }] of more.entries()) {
              const target = roots[which % Math.max(1, roots.length)]
              if (what === 'add') device.next(MEMBERSHIP, { adds: [`${side} ${at}`] })
              else if (what === 'forget' && target !== undefined)
                device.next(MEMBERSHIP, { forgets: [target] })
              else device.next(MEMBERSHIP, { adds: [`${side} else ${at}`] })
            }
          }
          grow(desktop, [{ who: 2, what: 'add', which: 0 }, ...left], 'left')
          grow(twin, [{ who: 2, what: 'add', which: 0 }, ...right], 'right')
          const views = [
            [desktop, twin],
            [twin, desktop],
          ].map((order) => {
            const node = new Node(MEMBERSHIP)
            for (const device of [...devices.slice(0, 2), ...order])
              if (device.listings.length > 0) node.offer(device)
            return node
          })
          const [one, other] = views as [Node, Node]
          assert.deepEqual(rootsOf(one), rootsOf(other))
          for (const node of [one, other]) {
            const fork = [...node.view.lanes.values()].find((lane) => lane.device === desktop.device)?.fork
            assert.equal(fork?.sharedSeq, shared)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
