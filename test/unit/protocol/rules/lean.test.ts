import assert from 'node:assert/strict'
import { leanableRoots, leaningMembers, type RootId } from '../../../../protocol/index.ts'
import { rootOf } from '../a-mesh.ts'
import { LEANS, type Peer, start, withCapabilities, WRITES } from './a-leaning-mesh.ts'

const leanable = (peer: Peer): RootId[] => [...leanableRoots(peer.view, peer.membership, peer.id)]
const R0 = rootOf('r0')

describe('leaning (R5)', () => {
  it('R5.1 is for members that a keeper allowed it', () => {
    const { laptop, nas, membership } = start()
    assert.deepEqual(
      leaningMembers(membership).map(({ name }) => name),
      ['laptop'],
    )
    assert.deepEqual(leanable(laptop), [R0])
    assert.deepEqual(leanable(nas), [])
    laptop.membership = withCapabilities(membership, 'laptop', WRITES)
    assert.deepEqual(leanable(laptop), [])
  })

  it('R5.1 is over with a fork of the own chain', () => {
    const { laptop, membership } = start()
    const twin = laptop.self.clone()
    laptop.say()
    twin.next(membership)
    laptop.offer(twin)
    assert.deepEqual(leanable(laptop), [])
  })

  it('R5.2 race 7: is not on what was forgotten, though holders still have it', () => {
    const { desktop, laptop } = start()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    laptop.hear(desktop)
    assert.deepEqual(leanable(laptop), [])
  })

  it('R5.2 race 21: is not on what was forgotten once, though it was announced anew', () => {
    const { desktop, laptop, box } = start()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    desktop.say({ adds: ['r0'] })
    laptop.hear(desktop, box)
    assert.deepEqual(leanable(laptop), [])
  })

  it('R5.2 race 19: is not on what was forgotten by a forget that is void here by now', () => {
    const { desktop, laptop, membership } = start()
    const twin = desktop.self.clone()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    laptop.hear(desktop)
    twin.next(membership)
    assert.equal(laptop.offer(twin).kind, 'fork')
    assert.deepEqual(leanable(laptop), [])
    // Whose forgets never counted takes nothing from anybody.
    const { laptop: other, nas } = start()
    nas.say({ forgets: [{ dot: desktop.self.dotOf('r0').dot, root: R0 }], holds: [R0] })
    other.hear(nas)
    assert.deepEqual(leanable(other), [R0])
  })

  it('R5.3 race 9: is on what another member that stores says it holds', () => {
    const { desktop, laptop, nas, box } = start()
    desktop.say({ holds: [] })
    nas.say({ holds: [] })
    laptop.hear(desktop, nas).say({ holds: [R0] })
    assert.deepEqual(leanable(laptop), [])
    box.say({ holds: [R0] })
    laptop.hear(box)
    assert.deepEqual(leanable(laptop), [R0])
    laptop.membership = withCapabilities(laptop.membership, 'box', ['read'])
    assert.deepEqual(leanable(laptop), [])
  })

  it('R5.2 race 9: is not on what somebody holds that nobody announced here', () => {
    const { laptop, nas } = start()
    nas.say({ holds: [rootOf('r0'), rootOf('unheard of')] })
    laptop.hear(nas)
    assert.deepEqual(leanable(laptop), [R0])
  })

  it('R5.3 is not on what is being let go, nor on the word of a fork', () => {
    const { desktop, laptop, nas, membership } = start()
    desktop.say({ holds: [] })
    laptop.hear(desktop)
    assert.deepEqual(leanable(laptop), [R0])
    nas.say({ holds: [R0], shedding: [R0] })
    laptop.hear(nas)
    assert.deepEqual(leanable(laptop), [])
    nas.say({ holds: [R0] })
    laptop.hear(nas)
    assert.deepEqual(leanable(laptop), [R0])
    const twin = nas.self.clone()
    nas.say()
    twin.next(membership)
    laptop.hear(nas)
    laptop.offer(twin)
    assert.deepEqual(leanable(laptop), [])
  })

  it('R5.3 race 28: is on holders only that knew, when they said so, that this device leans', () => {
    const { desktop, laptop, nas, membership } = start()
    laptop.membership = withCapabilities(withCapabilities(membership, 'laptop', WRITES), 'laptop', LEANS)
    assert.deepEqual(leanable(laptop), [])
    nas.membership = laptop.membership
    nas.say({ holds: [R0] })
    laptop.hear(nas, desktop)
    assert.deepEqual(leanable(laptop), [R0])
  })
})
