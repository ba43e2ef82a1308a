import assert from 'node:assert/strict'
import { deadIndex, deadRoots, liveRoots, withLane } from '../../../../protocol/index.ts'
import { meshOf, Node, Device, rootOf } from '../a-mesh.ts'
import { leaningMesh, start } from './a-leaning-mesh.ts'

describe('dead roots', () => {
  it('R6.1 are those whose every announcement was forgotten, with who said so and where', () => {
    const { desktop, nas } = start()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    nas.hear(desktop)
    assert.equal(deadRoots(nas.view, nas.membership).length, 1)
    const dead = nas.dead('r0')
    assert.equal(dead.root, rootOf('r0'))
    const announcement = dead.announcements[0]
    assert.equal(announcement?.owner, desktop.id)
    assert.deepEqual(announcement.dot, desktop.self.dotOf('r0').dot)
    const forget = announcement.forgets[0]
    assert.deepEqual(
      [forget?.by, forget?.incarnation, forget?.seq],
      [desktop.id, 1, desktop.self.newest?.signed.head.seq],
    )
    assert.equal(deadIndex(nas.view, nas.membership).get(rootOf('r0')), dead)
  })

  it('R6.1 race 21, 48: are none once the root was announced anew, and are again when that is forgotten', () => {
    const { desktop, laptop, nas } = start()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    laptop.hear(desktop).say({ adds: ['r0'] })
    nas.hear(desktop)
    assert.equal(deadRoots(nas.view, nas.membership).length, 1)
    nas.hear(laptop)
    assert.deepEqual(deadRoots(nas.view, nas.membership), [])
    desktop.hear(laptop).say({ forgets: [laptop.self.dotOf('r0')] })
    nas.hear(desktop)
    assert.equal(nas.dead('r0').announcements.length, 2)
  })

  it('R6.1 race 36: are none by the word of an append-only device, of its own roots neither', () => {
    const { laptop, desktop, nas } = start()
    laptop.say({ adds: ['mine'] })
    laptop.say({ forgets: [laptop.self.dotOf('mine'), desktop.self.dotOf('r0')] })
    nas.hear(laptop)
    assert.deepEqual(deadRoots(nas.view, nas.membership), [])
    assert.equal(liveRoots(nas.view, nas.membership).length, 2)
  })

  it('R6.1 race 47: stay dead when the forget came before what it names', () => {
    const { desktop, laptop, nas, membership } = start()
    laptop.say({ adds: ['late'] })
    desktop.hear(laptop).say({ forgets: [laptop.self.dotOf('late')] })
    nas.hear(desktop)
    assert.deepEqual(deadRoots(nas.view, membership), [])
    nas.hear(laptop)
    assert.equal(nas.dead('late').root, rootOf('late'))
    assert.ok(!liveRoots(nas.view, membership).some(({ root }) => root === rootOf('late')))
  })

  it('R6.1 race 19: are none by a forget outside of what the branches of a fork share', () => {
    const { desktop, nas, membership } = start()
    const twin = desktop.self.clone()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    nas.hear(desktop)
    assert.equal(deadRoots(nas.view, membership).length, 1)
    twin.next(membership)
    assert.equal(nas.offer(twin).kind, 'fork')
    assert.deepEqual(deadRoots(nas.view, membership), [])
  })

  it('R6.1 are none of a device that may announce nothing', () => {
    const membership = meshOf({ pi: 'storer' })
    const [node, pi, desktop] = [new Node(membership), new Device('pi'), new Device('keeper')]
    pi.next(membership, { adds: ['x'] })
    desktop.next(membership, { forgets: [pi.dotOf('x')] })
    node.offer(pi)
    node.offer(desktop)
    assert.deepEqual(deadRoots(node.view, membership), [])
  })

  it('R6.1 are worked out once while nobody announces or forgets', () => {
    const { desktop, laptop, nas, membership } = start(leaningMesh())
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    nas.hear(desktop)
    const before = deadIndex(nas.view, membership)
    const live = liveRoots(nas.view, membership)
    laptop.say()
    nas.hear(laptop)
    assert.equal(deadIndex(nas.view, membership), before)
    assert.equal(liveRoots(nas.view, membership), live)
    laptop.say({ adds: ['new'] })
    nas.hear(laptop)
    assert.notEqual(liveRoots(nas.view, membership), live)
    // Another lane in the view is news as well.
    const lane = [...nas.view.lanes.values()].find(({ device }) => device === laptop.id)
    assert.ok(lane)
    const other = withLane(nas.view, { ...lane, incarnation: 2 })
    assert.equal(liveRoots(other, membership).length, liveRoots(nas.view, membership).length + 1)
  })
})
