import assert from 'node:assert/strict'
import { laneOf, liveRoots } from '../../../../protocol/index.ts'
import { admitMember, changeMember, removeMember } from '../../../../protocol/index.ts'
import { accept, signListing } from '../../../../protocol/index.ts'
import { AT_MS, Device, meshOf, Node, rootOf, signerOf } from '../a-mesh.ts'

const roots = (node: Node): string[] => liveRoots(node.view, node.membership).map((live) => live.root)

describe('accept (R1)', () => {
  const membership = meshOf({ laptop: 'writer', pi: 'storer' })

  it('R1.2 takes listings one after the other', () => {
    const laptop = new Device('laptop')
    const node = new Node(membership)
    laptop.next(membership, { adds: ['a'] })
    assert.equal(node.offer(laptop).kind, 'accepted')
    laptop.next(membership, { adds: ['b'] })
    assert.equal(node.offer(laptop, 2).kind, 'accepted')
    assert.deepEqual(roots(node), [rootOf('a'), rootOf('b')])
  })

  it('R1.2 takes a chain of heads with the newest body only', () => {
    const laptop = new Device('laptop')
    const node = new Node(membership)
    laptop.next(membership, { adds: ['a'] })
    node.offer(laptop)
    for (const name of ['b', 'c', 'd']) laptop.next(membership, { adds: [name] })
    assert.equal(node.offer(laptop, 2).kind, 'accepted')
    assert.equal(roots(node).length, 4)
  })

  it('knows what it knows, and says so for older heads too', () => {
    const laptop = new Device('laptop')
    const node = new Node(membership)
    for (const name of ['a', 'b', 'c']) laptop.next(membership, { adds: [name] })
    node.offer(laptop)
    assert.equal(node.offer(laptop).kind, 'known')
    assert.equal(node.offer(laptop, 1, 2).kind, 'known')
  })

  it('R1.3 sees a gap and asks from the first head that is missing', () => {
    const laptop = new Device('laptop')
    const node = new Node(membership)
    laptop.next(membership)
    node.offer(laptop)
    laptop.next(membership)
    laptop.next(membership)
    const outcome = node.offer(laptop, 3)
    assert.deepEqual(outcome, { kind: 'gap', device: laptop.device, incarnation: 1, fromSeq: 2 })
  })

  it('R8.1 waits for a membership that it does not know, and is not wrong to', () => {
    const later = admitMember(membership, signerOf('keeper'), {
      device: signerOf('new').device,
      name: 'new',
      role: 'writer',
      atMs: AT_MS,
    })
    const laptop = new Device('laptop')
    laptop.next(later, { adds: ['a'] })
    const node = new Node(membership)
    assert.deepEqual(node.offer(laptop), { kind: 'wait', epoch: later.epoch })
    node.membership = later
    assert.equal(node.offer(laptop).kind, 'accepted')
  })

  it('R8.1 refuses a device that is no member', () => {
    const stranger = new Device('stranger')
    stranger.next(membership, { adds: ['a'] })
    assert.throws(() => new Node(membership).offer(stranger), { code: 'NOT_A_MEMBER' })
  })

  it('R8.2 refuses what a removed device signs beyond what the keeper had seen', () => {
    const laptop = new Device('laptop')
    const first = laptop.next(membership, { adds: ['a'] })
    laptop.next(membership, { adds: ['b'] })
    const cut = { seq: 1, hash: first.signed.hash }
    const node = new Node(
      removeMember(membership, signerOf('keeper'), { device: laptop.device, atMs: AT_MS, cut }),
    )
    assert.throws(() => node.offer(laptop), { code: 'NOT_A_MEMBER' })
    assert.equal(node.offer(laptop, 1, 1).kind, 'accepted')
    assert.deepEqual(roots(node), [rootOf('a')])
  })

  it('R1.4 refuses a body that dates a forget to an older listing', () => {
    const keeper = new Device('keeper')
    const laptop = new Device('laptop')
    const node = new Node(membership)
    laptop.next(membership, { adds: ['a'] })
    node.offer(laptop)
    const first = keeper.next(membership)
    node.offer(keeper)
    const { dot, root } = laptop.dotOf('a')
    const forget = { dot, root, reason: 'person' as const, seq: 1, epoch: membership.epoch }
    const lie = signListing(
      {
        mesh: membership.mesh,
        incarnation: 1,
        seq: 2,
        prev: first.signed.hash,
        epoch: membership.epoch,
        atMs: AT_MS,
        body: { ...first.body, forgets: [forget] },
      },
      keeper.signer,
    )
    assert.throws(() => accept(node.view, membership, [lie.signed], lie.bodyBytes), {
      code: 'LISTING_INVALID',
    })
  })

  it('R1.5 refuses a listing that announces a root as of an older one', () => {
    const laptop = new Device('laptop')
    const node = new Node(membership)
    const first = laptop.next(membership)
    node.offer(laptop)
    const add = { seq: 1, n: 0, root: rootOf('x'), source: new Uint8Array(16), sizeClass: 1 }
    const { mesh, epoch } = membership
    const fields = { mesh, incarnation: 1, seq: 2, prev: first.signed.hash, epoch, atMs: AT_MS }
    const lie = signListing({ ...fields, body: { ...first.body, adds: [add] } }, laptop.signer)
    assert.throws(() => accept(node.view, membership, [lie.signed], lie.bodyBytes), {
      code: 'LISTING_INVALID',
    })
  })

  it('R4.2 refuses a horizon that goes back', () => {
    const laptop = new Device('laptop')
    const pi = new Device('pi')
    const node = new Node(membership)
    laptop.next(membership)
    node.offer(laptop)
    const first = pi.next(membership, { horizon: node.horizon })
    node.offer(pi)
    const { mesh, epoch } = membership
    const fields = { mesh, incarnation: 1, seq: 2, prev: first.signed.hash, epoch, atMs: AT_MS }
    const lie = signListing({ ...fields, body: { ...first.body, horizon: [] } }, pi.signer)
    assert.throws(() => accept(node.view, membership, [lie.signed], lie.bodyBytes), {
      code: 'LISTING_INVALID',
    })
  })

  it('R4.2 takes a horizon back to where a chain was closed, nowhere else, and of who knew of it only', () => {
    const closing = (device: Device, seq: number) => {
      const cut = { seq, hash: device.listings[seq - 1]!.signed.hash }
      return removeMember(membership, signerOf('keeper'), { device: device.device, atMs: AT_MS, cut })
    }
    const offered = (to: number, isKnown: boolean, isOther = false) => {
      const laptop = new Device('laptop')
      const pi = new Device('pi')
      const node = new Node(membership)
      const places = [1, 2, 3].map((seq) => {
        const { hash } = laptop.next(membership).signed
        return { device: laptop.device, incarnation: 1, seq, hash }
      })
      node.offer(laptop)
      const first = pi.next(membership, { horizon: places.slice(2) })
      node.offer(pi)
      node.membership = closing(laptop, 2)
      const { mesh } = membership
      const epoch = isKnown ? node.membership.epoch : membership.epoch
      const fields = { mesh, incarnation: 1, seq: 2, prev: first.signed.hash, epoch, atMs: AT_MS }
      const { hash } = first.signed
      const horizon = places.slice(to - 1, to).map((place) => (isOther ? { ...place, hash } : place))
      const back = signListing({ ...fields, body: { ...first.body, horizon } }, pi.signer)
      return () => accept(node.view, node.membership, [back.signed], back.bodyBytes).kind
    }
    assert.equal(offered(2, true)(), 'accepted')
    assert.throws(offered(1, true), { code: 'LISTING_INVALID' })
    assert.throws(offered(0, true), { code: 'LISTING_INVALID' })
    assert.throws(offered(2, false), { code: 'LISTING_INVALID' })
    assert.throws(offered(2, true, true), { code: 'LISTING_INVALID' })
  })

  it('R1.1 refuses heads that are no chain', () => {
    const laptop = new Device('laptop')
    for (let count = 0; count < 3; count++) laptop.next(membership)
    const [one, , three] = laptop.heads()
    assert.ok(one !== undefined && three !== undefined)
    const body = laptop.newest?.bodyBytes ?? new Uint8Array(0)
    assert.throws(() => accept(new Node(membership).view, membership, [one, three], body), {
      code: 'LISTING_INVALID',
    })
    assert.throws(() => accept(new Node(membership).view, membership, [], body), { code: 'LISTING_INVALID' })
  })
})

describe('a fork (R1)', () => {
  const membership = meshOf({ laptop: 'writer', desktop: 'keeper' })

  /** A laptop whose second listing exists twice: one adds b, the other c. */
  function forked(): { laptop: Device; twin: Device } {
    const laptop = new Device('laptop')
    laptop.next(membership, { adds: ['a'] })
    const twin = laptop.clone()
    laptop.next(membership, { adds: ['b'] })
    twin.next(membership, { adds: ['c'] })
    return { laptop, twin }
  }

  it('R1.6 lets the announcements of both branches live, whichever came first', () => {
    for (const swap of [false, true]) {
      const { laptop, twin } = forked()
      const node = new Node(membership)
      node.offer(swap ? twin : laptop)
      assert.equal(node.offer(swap ? laptop : twin).kind, 'fork')
      assert.deepEqual(roots(node).sort(), [rootOf('a'), rootOf('b'), rootOf('c')].sort())
    }
  })

  it('R1.6 keeps the other head as proof, knows it again, and follows both branches', () => {
    const { laptop, twin } = forked()
    const node = new Node(membership)
    node.offer(laptop)
    node.offer(twin)
    const lane = laneOf(node.view, laptop.device, 1)
    assert.equal(lane?.fork?.sharedSeq, 1)
    assert.deepEqual(
      lane.fork.tips.map((tip) => tip.hash),
      [twin.newest?.signed.hash],
    )
    assert.equal(node.offer(twin).kind, 'known')
    twin.next(membership, { adds: ['d'] })
    laptop.next(membership, { adds: ['e'] })
    assert.equal(node.offer(twin, 3).kind, 'fork')
    assert.equal(node.offer(laptop, 3).kind, 'accepted')
    assert.equal(roots(node).length, 5)
    assert.equal(laneOf(node.view, laptop.device, 1)?.fork?.tips.length, 1)
  })

  it('R1.6 is seen from a head that names another one before it', () => {
    const { laptop, twin } = forked()
    const node = new Node(membership)
    node.offer(laptop)
    twin.next(membership, { adds: ['d'] })
    assert.equal(node.offer(twin, 3).kind, 'fork')
    assert.equal(roots(node).length, 4)
  })

  it('R1.7 voids forgets outside the common prefix, and only those', () => {
    const { laptop } = forked()
    const desktop = new Device('desktop')
    const node = new Node(membership)
    node.offer(laptop)
    desktop.next(membership, { forgets: [laptop.dotOf('a')] })
    const twin = desktop.clone()
    desktop.next(membership, { forgets: [laptop.dotOf('b')] })
    node.offer(desktop)
    assert.deepEqual(roots(node), [])
    twin.next(membership)
    assert.equal(node.offer(twin).kind, 'fork')
    assert.deepEqual(roots(node), [rootOf('b')])
  })

  it('R2.4 takes back a right with effect from a listing on, whatever epoch is claimed', () => {
    const laptop = new Device('laptop')
    const desktop = new Device('desktop')
    const node = new Node(membership)
    laptop.next(membership, { adds: ['a', 'b'] })
    node.offer(laptop)
    const seen = desktop.next(membership, { forgets: [laptop.dotOf('a')] })
    const cut = { seq: 1, hash: seen.signed.hash }
    const device = desktop.device
    node.membership = changeMember(membership, signerOf('keeper'), {
      device,
      role: 'writer',
      atMs: AT_MS,
      cut,
    })
    // It goes on under the old epoch.
    desktop.next(membership, { forgets: [laptop.dotOf('b')] })
    node.offer(desktop)
    assert.deepEqual(roots(node), [rootOf('b')])
  })
})
