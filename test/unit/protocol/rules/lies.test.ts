/** Listings that are well formed and rightly signed, and that no honest device signs. */

import assert from 'node:assert/strict'
import {
  accept,
  admitMember,
  digestSteps,
  type Forget,
  type Listing,
  type ListingFields,
  liveRoots,
  type Membership,
  signListing,
} from '../../../../protocol/index.ts'
import { AT_MS, Device, meshOf, Node, rootOf, signerOf } from '../a-mesh.ts'

const keeper = signerOf('keeper')
const membership = meshOf({ laptop: 'writer' })
const later = admitMember(membership, keeper, {
  device: signerOf('pi').device,
  name: 'pi',
  role: 'storer',
  atMs: AT_MS,
})

/** Signs what follows `before`, with some fields as a liar would have them. */
function lie(device: Device, before: Listing, changes: Partial<ListingFields>): Listing {
  const { mesh, incarnation, seq, epoch, atMs } = before.signed.head
  const fields = { mesh, incarnation, seq: seq + 1, prev: before.signed.hash, epoch, atMs, body: before.body }
  return signListing({ ...fields, ...changes }, device.signer)
}

function forgetAt(seq: number, epoch: number): Forget {
  const dot = { device: signerOf('laptop').device, incarnation: 1, seq: 1, n: 0 }
  return { dot, root: rootOf('a'), reason: 'person', seq, epoch }
}

/** A node that knows the first listing of a device. */
function start(known: Membership = later): { node: Node; device: Device; first: Listing } {
  const node = new Node(known)
  const device = new Device('keeper')
  const first = device.next(known)
  node.offer(device)
  return { node, device, first }
}

function refuses(node: Node, heads: readonly Listing[]): void {
  const last = heads.at(-1) as Listing
  const signed = heads.map((listing) => listing.signed)
  assert.throws(() => accept(node.view, node.membership, signed, last.bodyBytes), { code: 'LISTING_INVALID' })
}

describe('lies', () => {
  it('R1.4 that leave out forgets which were never shown are refused', () => {
    const { node, device, first } = start()
    const forgets = [forgetAt(2, later.epoch)]
    const second = lie(device, first, { body: { ...first.body, forgets } })
    const base = { seq: 2, digest: digestSteps(first.body.forgetBase, forgets).at(2) ?? '' }
    const third = lie(device, second, { body: { ...first.body, forgetBase: base } })
    refuses(node, [second, third])
    const shown = lie(device, second, {})
    assert.equal(accept(node.view, later, [second.signed, shown.signed], shown.bodyBytes).kind, 'accepted')
  })

  it('R1.4 that move a forget to another membership are refused', () => {
    const { node, device, first } = start(later)
    const body = { ...first.body, forgets: [forgetAt(2, later.epoch - 1)] }
    const second = lie(device, first, { body: { ...first.body, forgets: [forgetAt(2, later.epoch)] } })
    // The second head carries the digest of the lie, too: a signer makes both.
    const liar = signListing({ ...second.signed.head, body }, device.signer)
    const third = lie(device, liar, { body })
    refuses(node, [liar, third])
  })

  it('R1.1 that go back in their membership are refused, within a chain and after the known head', () => {
    const { node, device, first } = start(later)
    refuses(node, [lie(device, first, { epoch: later.epoch - 1 })])
    const second = lie(device, first, {})
    refuses(node, [second, lie(device, second, { epoch: later.epoch - 1 })])
  })

  it('R1.1 of another mesh are refused', () => {
    const { node, device, first } = start()
    const other = { ...meshOf(), mesh: 'f'.repeat(64) as Membership['mesh'] }
    refuses(node, [signListing({ ...first.signed.head, mesh: other.mesh, body: first.body }, device.signer)])
  })
})

describe('what a view remembers', () => {
  it('R2.1 is made anew when a forget comes in after it was asked', () => {
    const { node, device } = start()
    const laptop = new Device('laptop')
    laptop.next(later, { adds: ['a', 'b'] })
    node.offer(laptop)
    assert.equal(liveRoots(node.view, later).length, 2)
    device.next(later, { forgets: [laptop.dotOf('a')] })
    node.offer(device)
    assert.deepEqual(
      liveRoots(node.view, later).map((live) => live.root),
      [rootOf('b')],
    )
    assert.equal(liveRoots(node.view, later), liveRoots(node.view, later))
  })
})
