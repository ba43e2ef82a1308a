import assert from 'node:assert/strict'
import {
  admitMember,
  changeMember,
  copiesOf,
  goalHolders,
  holdersOf,
  horizonOf,
  isReplicated,
  meet,
  type Membership,
  rankHolders,
  removeMember,
  type RootId,
  shouldHold,
  vectorOf,
} from '../../../../protocol/index.ts'
import { AT_MS, Device, meshOf, Node, rootOf, signerOf } from '../a-mesh.ts'

const keeper = signerOf('keeper')

describe('copies', () => {
  const membership = meshOf({ laptop: 'writer', pi: 'storer' })
  const root = rootOf('a')

  function held(by: readonly string[]): { node: Node; devices: Map<string, Device> } {
    const node = new Node(membership)
    const devices = new Map(['laptop', 'keeper', 'pi'].map((name) => [name, new Device(name)]))
    for (const [name, device] of devices) {
      device.next(membership, {
        ...(name === 'laptop' && { adds: ['a'] }),
        ...(by.includes(name) && { holds: [root] }),
      })
      node.offer(device)
    }
    return { node, devices }
  }

  it('G1.1 count devices that say they hold the root', () => {
    const { node, devices } = held(['laptop', 'pi'])
    const copies = copiesOf(node.view, membership, root)
    const id = (name: string): string => devices.get(name)?.device ?? ''
    assert.deepEqual([...copies.holders].sort(), [id('laptop'), id('pi')].sort())
    assert.deepEqual(copies.away, [id('pi')])
    assert.deepEqual(copies.missing, [id('keeper')])
    assert.equal(copies.goal, 3)
    assert.equal(isReplicated(node.view, membership, root), false)
    const all = held(['laptop', 'pi', 'keeper'])
    assert.equal(isReplicated(all.node.view, membership, root), true)
  })

  it('G1.1 are the same when they are counted again and again, and handed out afresh', () => {
    const { node } = held(['laptop', 'pi'])
    const first = holdersOf(node.view, membership, root)
    for (let i = 0; i < 200; i++) {
      const again = holdersOf(node.view, membership, root)
      assert.deepEqual(again, first)
      again.pop()
      assert.deepEqual(holdersOf(node.view, membership, rootOf('other')), [])
    }
  })

  it('G1.1 do not count what the device of a fork holds', () => {
    const { node, devices } = held(['laptop'])
    const pi = devices.get('pi') as Device
    const twin = pi.clone()
    pi.next(membership, { holds: [root] })
    node.offer(pi)
    assert.equal(holdersOf(node.view, membership, root).length, 2)
    twin.next(membership)
    assert.equal(node.offer(twin).kind, 'fork')
    assert.equal(holdersOf(node.view, membership, root).length, 1)
  })

  it('G1.1 do not count removed devices, those that may not store, nor an incarnation that is over', () => {
    const { node, devices } = held(['laptop', 'pi', 'keeper'])
    const device = (devices.get('pi') as Device).device
    const count = (of: Membership): number => holdersOf(node.view, of, root).length
    assert.equal(count(membership), 3)
    assert.equal(count(removeMember(membership, keeper, { device, atMs: AT_MS })), 2)
    assert.equal(
      count(changeMember(membership, keeper, { device, capabilities: ['backup'], atMs: AT_MS })),
      2,
    )
    assert.equal(
      count(admitMember(membership, keeper, { device, name: 'pi', role: 'storer', atMs: AT_MS })),
      2,
    )
  })

  it('G1.2 on the device that announced the root are not replication', () => {
    const alone = meshOf()
    const node = new Node(alone)
    const desktop = new Device('keeper')
    desktop.next(alone, { adds: ['a'], holds: [root] })
    node.offer(desktop)
    assert.equal(copiesOf(node.view, alone, root).goal, 1)
    assert.equal(isReplicated(node.view, alone, root), false)
  })
})

describe('the horizon (R4)', () => {
  const membership = meshOf({ laptop: 'writer' })

  it('R4.1 is the meet of the view and of all pins', () => {
    const node = new Node(membership)
    const laptop = new Device('laptop')
    const desktop = new Device('keeper')
    laptop.next(membership)
    node.offer(laptop)
    const pin = vectorOf(node.view)
    laptop.next(membership)
    node.offer(laptop)
    desktop.next(membership)
    node.offer(desktop)
    assert.deepEqual(horizonOf(node.view, []), vectorOf(node.view))
    assert.deepEqual(horizonOf(node.view, [vectorOf(node.view), pin]), pin)
    assert.deepEqual(meet(pin, []), [])
  })
})

describe('placement', () => {
  const others = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`box ${n}`, 'storer' as const]))
  const membership = meshOf(others)
  const roots = Array.from({ length: 400 }, (_, n) => rootOf(`root ${n}`))

  it('G2.1 chooses every storing device when the goal is all', () => {
    assert.equal(goalHolders(membership, rootOf('a')).length, 7)
    assert.equal(shouldHold(membership, signerOf('box 1').device, rootOf('a')), true)
  })

  it('G2.2 moves little when a device goes: the others keep what they had', () => {
    const gone = signerOf('box 3').device
    const fewer = removeMember(membership, keeper, { device: gone, atMs: AT_MS })
    for (const root of roots) {
      const before = goalHolders(membership, root, 2)
      const after = goalHolders(fewer, root, 2)
      for (const device of before) assert.ok(device === gone || after.includes(device))
    }
  })

  it('G2.2 gives a device its share of roots by the space it gives', () => {
    const device = signerOf('box 1').device
    const larger = changeMember(membership, keeper, { device, quotaBytes: 4 * 1024 ** 4, atMs: AT_MS })
    const first = roots.filter((root) => rankHolders(larger, root)[0] === device).length
    // Four parts of ten; three standard deviations are 29.
    assert.ok(Math.abs(first - 160) < 40, String(first))
  })

  it('G2.3 takes one of each failure domain before a second of any, and none that gives no space', () => {
    let houses = membership
    for (const name of ['box 0', 'box 1', 'box 2', 'box 3']) {
      houses = changeMember(houses, keeper, { device: signerOf(name).device, domain: 'house', atMs: AT_MS })
    }
    houses = changeMember(houses, keeper, { device: signerOf('box 4').device, quotaBytes: 0, atMs: AT_MS })
    const inHouse = new Set(['box 0', 'box 1', 'box 2', 'box 3'].map((name) => signerOf(name).device))
    for (const root of roots.slice(0, 50)) {
      const ranked = rankHolders(houses, root)
      assert.equal(ranked.length, 6)
      assert.equal(ranked.slice(0, 3).filter((device) => inHouse.has(device)).length, 1)
    }
  })

  it('G2.2 ranks as other devices do', () => {
    const root = 'ab'.repeat(32) as RootId
    const order = rankHolders(membership, root).map((device) => membership.members.get(device)?.name)
    assert.deepEqual(order, ORDER)
  })
})

/** What the ranking gave when it was written down. */
const ORDER = ['box 3', 'box 0', 'box 1', 'box 2', 'box 4', 'box 5', 'keeper']
