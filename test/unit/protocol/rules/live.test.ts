import assert from 'node:assert/strict'
import {
  acceptAgain,
  admitMember,
  changeMember,
  emptyView,
  isLive,
  liveRoots,
  removeMember,
} from '../../../../protocol/index.ts'
import { AT_MS, Device, meshOf, Node, rootOf, signerOf } from '../a-mesh.ts'

const keeper = signerOf('keeper')
const names = (node: Node): string[] => liveRoots(node.view, node.membership).map((live) => live.root)

describe('live roots (R2)', () => {
  const membership = meshOf({ laptop: 'writer', pi: 'storer' })

  /** A node that knows one root, `a`, of the laptop. */
  function start(): { node: Node; laptop: Device; desktop: Device } {
    const node = new Node(membership)
    const laptop = new Device('laptop')
    laptop.next(membership, { adds: ['a'] })
    node.offer(laptop)
    return { node, laptop, desktop: new Device('keeper') }
  }

  it('R2.1 stop living by the forget of a keeper', () => {
    const { node, laptop, desktop } = start()
    desktop.next(membership, { forgets: [laptop.dotOf('a')] })
    node.offer(desktop)
    assert.deepEqual(names(node), [])
    assert.equal(isLive(node.view, membership, rootOf('a')), false)
  })

  it('R2.2 outlive the forget of an append-only writer, its own too', () => {
    const { node, laptop } = start()
    laptop.next(membership, { forgets: [laptop.dotOf('a')] })
    assert.equal(node.offer(laptop).kind, 'accepted')
    assert.deepEqual(names(node), [rootOf('a')])
  })

  it('R2.2 stop living by the forget of a storer that may forget', () => {
    const { node, laptop } = start()
    const pi = new Device('pi')
    const capabilities = ['store', 'forget'] as const
    node.membership = changeMember(membership, keeper, { device: pi.device, capabilities, atMs: AT_MS })
    pi.next(node.membership, { forgets: [laptop.dotOf('a')] })
    node.offer(pi)
    assert.deepEqual(names(node), [])
  })

  it('R2.2 outlive a forget from before its signer was given the right', () => {
    const { node, laptop } = start()
    const pi = new Device('pi')
    pi.next(membership, { forgets: [laptop.dotOf('a')] })
    const capabilities = ['store', 'forget'] as const
    node.membership = changeMember(membership, keeper, { device: pi.device, capabilities, atMs: AT_MS })
    node.offer(pi)
    assert.deepEqual(names(node), [rootOf('a')])
  })

  it('R2.1 outlive an empty listing of their owner, and its removal', () => {
    const { node, laptop } = start()
    const gone = laptop.clone()
    gone.listings.splice(0, 1, ...gone.listings.map((one) => ({ ...one, body: { ...one.body, adds: [] } })))
    gone.next(membership)
    assert.equal(gone.newest?.body.adds.length, 0)
    assert.equal(node.offer(gone, 2).kind, 'accepted')
    assert.deepEqual(names(node), [rootOf('a')])
    node.membership = removeMember(membership, keeper, { device: laptop.device, atMs: AT_MS })
    assert.deepEqual(names(node), [rootOf('a')])
  })

  it('R2.3 live again by a new announcement only', () => {
    const { node, laptop, desktop } = start()
    desktop.next(membership, { forgets: [laptop.dotOf('a')] })
    node.offer(desktop)
    laptop.next(membership)
    node.offer(laptop)
    assert.deepEqual(names(node), [])
    desktop.next(membership, { adds: ['a'] })
    node.offer(desktop)
    assert.deepEqual(names(node), [rootOf('a')])
  })

  it('R2.3 outlive the forget of another root under the same dot', () => {
    const { node, laptop, desktop } = start()
    desktop.next(membership, { forgets: [{ ...laptop.dotOf('a'), root: rootOf('other') }] })
    node.offer(desktop)
    assert.deepEqual(names(node), [rootOf('a')])
  })

  it('R2.1 are none of a device without the right to announce', () => {
    const node = new Node(membership)
    const pi = new Device('pi')
    pi.next(membership, { adds: ['x'] })
    assert.equal(node.offer(pi).kind, 'accepted')
    assert.deepEqual(names(node), [])
  })

  it('R2.1 stay when the right to announce is taken later, also where only the later listing is seen', () => {
    const laptop = new Device('laptop')
    laptop.next(membership)
    const node = new Node(membership)
    node.offer(laptop)
    laptop.next(membership, { adds: ['a'] })
    node.membership = changeMember(membership, keeper, { device: laptop.device, role: 'storer', atMs: AT_MS })
    laptop.next(node.membership, { adds: ['late'] })
    assert.equal(node.offer(laptop, 2).kind, 'accepted')
    assert.deepEqual(names(node), [rootOf('a')])
  })

  it('R8.3 come back from the own record of a node after their owner was removed', () => {
    const { node, laptop } = start()
    const removed = removeMember(membership, keeper, { device: laptop.device, atMs: AT_MS })
    const body = laptop.newest?.bodyBytes as Uint8Array
    assert.throws(() => new Node(removed).offer(laptop), { code: 'NOT_A_MEMBER' })
    const outcome = acceptAgain(emptyView(), removed, laptop.heads(), body)
    assert.equal(outcome.kind, 'accepted')
    assert.equal(node.view.lanes.size, 1)
  })

  it('R1.7 die by the same forgets at every node once a fork is settled', () => {
    const { node, laptop, desktop } = start()
    laptop.next(membership, { adds: ['b'] })
    node.offer(laptop)
    desktop.next(membership, { forgets: [laptop.dotOf('a')] })
    const last = desktop.next(membership, { forgets: [laptop.dotOf('b')] })
    node.offer(desktop)
    assert.deepEqual(names(node), [])
    // This node never heard of the other branch; the admission of the next incarnation tells.
    const other = admitMember(membership, keeper, {
      device: signerOf('second').device,
      name: 'second',
      role: 'keeper',
      atMs: AT_MS,
    })
    const cut = { seq: 2, hash: last.signed.hash, forkedAfter: 1 }
    const terms = { name: 'keeper', role: 'keeper', atMs: AT_MS, cut } as const
    node.membership = admitMember(other, signerOf('second'), { device: desktop.device, ...terms })
    assert.deepEqual(names(node), [rootOf('b')])
  })
})
