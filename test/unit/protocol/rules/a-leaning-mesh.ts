/** A mesh in which a laptop leans, for the tests of deletion. */

import {
  type Capability,
  chainEnds,
  changeMember,
  type DeadRoot,
  deadRoots,
  endAtCuts,
  horizonOf,
  type Membership,
  vectorOf,
} from '../../../../protocol/index.ts'
import { AT_MS, Device, meshOf, type Next, Node, rootOf, signerOf } from '../a-mesh.ts'

export const keeper = signerOf('keeper')

/** The membership with other capabilities for a device. */
export function withCapabilities(
  membership: Membership,
  name: string,
  capabilities: readonly Capability[],
  cut?: Parameters<typeof changeMember>[2]['cut'],
): Membership {
  const options = { device: signerOf(name).device, capabilities, atMs: AT_MS, ...(cut && { cut }) }
  return changeMember(membership, keeper, options)
}

export const WRITES: readonly Capability[] = ['backup', 'read', 'store']
export const LEANS: readonly Capability[] = [...WRITES, 'lean']

/** A keeper that forgets, a laptop that leans, and two that store. */
export function leaningMesh(): Membership {
  return withCapabilities(meshOf({ laptop: 'writer', nas: 'storer', box: 'storer' }), 'laptop', LEANS)
}

/** A device with what it knows. */
export class Peer extends Node {
  readonly self: Device
  /** Vectors of the view at the start of each open session. */
  readonly pins: ReturnType<typeof vectorOf>[] = []

  constructor(name: string, membership: Membership) {
    super(membership)
    this.self = new Device(name)
  }

  get id() {
    return this.self.device
  }

  /** Opens a session; the function closes it. */
  open(): () => void {
    const pin = vectorOf(this.view)
    this.pins.push(pin)
    return () => {
      this.pins.splice(this.pins.indexOf(pin), 1)
    }
  }

  /** Signs and knows the next listing, its horizon as R4 has it. */
  say(next: Next = {}): this {
    const horizon = endAtCuts(this.view, this.membership, horizonOf(this.view, this.pins))
    const closed = chainEnds(this.membership, this.membership.epoch)
    this.self.next(this.membership, { horizon, closed, ...next })
    this.offer(this.self)
    return this
  }

  /** Hears all that others said. */
  hear(...others: readonly Peer[]): this {
    for (const other of others) if (other.self.newest !== undefined) this.offer(other.self)
    return this
  }

  /** The dead root of a name. */
  dead(name: string): DeadRoot {
    const dead = deadRoots(this.view, this.membership).find(({ root }) => root === rootOf(name))
    if (dead === undefined) throw new RangeError(`${name} is not dead`)
    return dead
  }
}

/** A mesh in which `r0` of the keeper is held by keeper and nas, and everybody knows. */
export function start(membership = leaningMesh()) {
  const [desktop, laptop, nas, box] = ['keeper', 'laptop', 'nas', 'box'].map(
    (name) => new Peer(name, membership),
  ) as [Peer, Peer, Peer, Peer]
  const all = [desktop, laptop, nas, box]
  desktop.say({ adds: ['r0'], holds: [rootOf('r0')] })
  nas.hear(desktop).say({ holds: [rootOf('r0')] })
  const meet = (): void => {
    for (const one of all) one.hear(...all).say()
    for (const one of all) one.hear(...all)
  }
  meet()
  return { membership, desktop, laptop, nas, box, all, meet }
}
