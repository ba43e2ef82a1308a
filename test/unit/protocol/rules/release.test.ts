import assert from 'node:assert/strict'
import {
  admitMember,
  type Blocker,
  endAtCuts,
  horizonOf,
  releaseBlockers,
  removeMember,
  type RootId,
} from '../../../../protocol/index.ts'
import { AT_MS, rootOf } from '../a-mesh.ts'
import { keeper, LEANS, leaningMesh, type Peer, start, withCapabilities, WRITES } from './a-leaning-mesh.ts'

/** What keeps a node from letting go of the root of a name, in words. */
function blockers(peer: Peer, name = 'r0', complete: readonly RootId[] = []): string[] {
  const { view, membership, id } = peer
  const found = releaseBlockers(view, membership, id, peer.dead(name), (root) => complete.includes(root))
  return found.map((one: Blocker) => one.kind)
}

/** A mesh where the keeper forgot `r0`, which the nas holds and knows. */
function forgotten() {
  const mesh = start()
  mesh.desktop.say({ forgets: [mesh.desktop.self.dotOf('r0')] })
  mesh.nas.hear(mesh.desktop)
  return mesh
}

describe('letting go of a dead root (R6)', () => {
  it('R6.2 race 1: waits for the laptop that may be leaning on it, until that says it knows', () => {
    const { desktop, laptop, nas } = forgotten()
    assert.deepEqual(blockers(nas), ['leaning'])
    laptop.say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), ['leaning'])
    laptop.hear(desktop).say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 race 2: waits while a session that began before is open, whatever its device has heard', () => {
    const { desktop, laptop, nas, meet } = start()
    const close = laptop.open()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    meet()
    assert.deepEqual(blockers(nas), ['leaning'])
    close()
    // Race 5: the root ships in the listing that lets the horizon go on.
    laptop.say({ adds: ['r1'] })
    assert.deepEqual(blockers(nas), ['leaning'])
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), ['unknown'])
    assert.deepEqual(blockers(nas, 'r0', [rootOf('r1')]), [])
  })

  it('R6.2 race 3: waits for the oldest of several sessions', () => {
    const { desktop, laptop, nas, meet } = start()
    const closeFirst = laptop.open()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    meet()
    const closeSecond = laptop.open()
    closeSecond()
    laptop.say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), ['leaning'])
    closeFirst()
    laptop.say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 race 4: waits for the one who forgot, if it leans: its own word is not implied', () => {
    const { laptop, nas, meet, membership, all } = start()
    const leaning = withCapabilities(membership, 'keeper', [
      'backup',
      'read',
      'store',
      'forget',
      'admit',
      'lean',
    ])
    for (const one of all) one.membership = leaning
    meet()
    const [desktop] = all
    const close = desktop?.open()
    desktop?.say({ forgets: [desktop.self.dotOf('r0')] })
    meet()
    assert.equal(laptop.self.newest?.signed.head.epoch, leaning.epoch)
    const waits = releaseBlockers(nas.view, leaning, nas.id, nas.dead('r0'), () => true)
    assert.deepEqual(waits, [{ kind: 'leaning', device: desktop?.id }])
    close?.()
    desktop?.say()
    nas.hear(desktop as Peer)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 waits at the leaning device itself for its own listing', () => {
    const { desktop, laptop } = start()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    laptop.hear(desktop)
    assert.deepEqual(blockers(laptop), ['leaning'])
    laptop.say()
    assert.deepEqual(blockers(laptop), [])
  })

  it('R6.2 race 6, 8: believes nobody who says that the laptop knows, only the laptop', () => {
    const { desktop, laptop, nas, box } = forgotten()
    laptop.hear(desktop).say()
    // The box has heard the laptop, and says so; the nas hears the box only.
    box.hear(desktop, laptop).say()
    nas.hear(box)
    assert.deepEqual(blockers(nas), ['leaning'])
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 race 19: a number of another branch is not the forget', () => {
    const { desktop, laptop, nas, membership } = start()
    const twin = desktop.self.clone()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    twin.next(membership)
    // The laptop knows the other branch only: as many listings, and no forget among them.
    laptop.offer(twin)
    laptop.say()
    nas.hear(desktop, laptop)
    assert.deepEqual(blockers(nas), ['leaning'])
  })

  it('R6.2 does not count a horizon beyond what is known here of that chain', () => {
    const { desktop, laptop, nas } = forgotten()
    desktop.say()
    laptop.hear(desktop).say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), ['leaning'])
    nas.hear(desktop)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 needs a forget of every announcement covered', () => {
    const { desktop, laptop, nas, box } = start()
    box.membership = withCapabilities(box.membership, 'box', ['store', 'backup'])
    nas.membership = laptop.membership = desktop.membership = box.membership
    box.say({ adds: ['r0'] })
    desktop.hear(box).say({ forgets: [desktop.self.dotOf('r0')] })
    laptop.hear(desktop).say()
    nas.hear(desktop, laptop, box)
    desktop.say({ forgets: [box.self.dotOf('r0')] })
    nas.hear(desktop)
    assert.deepEqual(blockers(nas), ['leaning'])
    laptop.hear(box, desktop).say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 needs one forget of each announcement covered, not a certain one', () => {
    const { desktop, laptop, nas, all, membership } = start()
    const forgetting = withCapabilities(membership, 'nas', ['store', 'forget'])
    for (const one of all) one.membership = forgetting
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    nas.say({ forgets: [desktop.self.dotOf('r0')], holds: [rootOf('r0')] })
    laptop.hear(nas).say()
    nas.hear(desktop, laptop)
    assert.equal(nas.dead('r0').announcements[0]?.forgets.length, 2)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 race 41: waits as long as it takes, and not once a keeper removed the device', () => {
    const { laptop, nas, membership } = forgotten()
    assert.deepEqual(blockers(nas), ['leaning'])
    nas.membership = removeMember(membership, keeper, { device: laptop.id, atMs: AT_MS })
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.2 R4.1 race 49: waits no longer for who had heard more of a removed device than its chain now has', () => {
    const { membership, desktop, laptop, nas, box } = start(
      withCapabilities(leaningMesh(), 'box', ['store', 'forget']),
    )
    box.say({ forgets: [desktop.self.dotOf('r0')] })
    for (const one of [desktop, nas]) one.hear(box)
    const cut = { seq: box.self.newest!.signed.head.seq, hash: box.self.newest!.signed.hash }
    box.say()
    // By now the laptop has accepted a listing that neither keeper nor nas will.
    laptop.hear(box).say()
    const closed = removeMember(membership, keeper, { device: box.id, atMs: AT_MS, cut })
    for (const one of [desktop, nas]) one.membership = closed
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), ['leaning'], 'what it says cannot be compared')
    laptop.membership = closed
    assert.throws(() => nas.hear(box), { code: 'NOT_A_MEMBER' })
    laptop.say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), [])
    assert.equal(laptop.self.newest!.body.horizon.find(({ device }) => device === box.id)?.seq, cut.seq)
  })

  it('R4.1 says no more of a closed chain than what a session pinned, nor of a branch that has no such end', () => {
    const { membership, laptop, box } = start()
    const twin = box.self.clone()
    const known = box.self.newest!.signed
    const close = laptop.open()
    box.say()
    laptop.hear(box)
    const said = (cut: { seq: number; hash: typeof known.hash }) => {
      const closed = removeMember(membership, keeper, { device: box.id, atMs: AT_MS, cut })
      return endAtCuts(laptop.view, closed, horizonOf(laptop.view, laptop.pins)).find(
        ({ device }) => device === box.id,
      )?.seq
    }
    const { seq } = known.head
    const newest = box.self.newest!.signed
    assert.equal(said({ seq: seq + 1, hash: newest.hash }), seq)
    close()
    assert.equal(said({ seq, hash: known.hash }), seq)
    const other = twin.next(membership).signed
    const closed = removeMember(membership, keeper, {
      device: box.id,
      atMs: AT_MS,
      cut: { seq, hash: known.hash },
    })
    const elsewhere = [{ device: box.id, incarnation: 1, seq: seq + 1, hash: other.hash }]
    assert.deepEqual(endAtCuts(laptop.view, closed, elsewhere), elsewhere, 'what it said of another branch')
    assert.notEqual(other.hash, newest.hash)
    box.say()
    laptop.hear(box)
    assert.equal(
      said({ seq: seq + 1, hash: other.hash }),
      seq + 2,
      'its end is not in what was accepted here',
    )
  })

  it('R6.2 race 28, 29: waits for who joined or began anew, of whom nothing is known yet', () => {
    const { desktop, laptop, nas, membership } = forgotten()
    laptop.hear(desktop).say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), [])
    const head = laptop.self.newest?.signed
    assert.ok(head)
    const cut = { seq: head.head.seq, hash: head.hash }
    const terms = {
      device: laptop.id,
      name: 'laptop',
      role: 'writer',
      capabilities: LEANS,
      atMs: AT_MS,
    } as const
    nas.membership = admitMember(membership, keeper, { ...terms, cut })
    assert.deepEqual(blockers(nas), ['leaning'])
  })

  it('R6.3 needs what a device said that leans no more, up to where the right was taken', () => {
    const { desktop, laptop, nas, membership } = forgotten()
    laptop.say({ adds: ['r1'] })
    const head = laptop.self.newest?.signed
    assert.ok(head)
    const cut = { seq: head.head.seq, hash: head.hash }
    nas.membership = withCapabilities(membership, 'laptop', WRITES, cut)
    assert.deepEqual(blockers(nas), ['leaning'])
    nas.hear(laptop)
    // What it announced by leaning still counts.
    assert.deepEqual(blockers(nas), ['unknown'])
    assert.deepEqual(blockers(nas, 'r0', [rootOf('r1')]), [])
    // Without a cut nothing was known of it.
    desktop.membership = withCapabilities(membership, 'laptop', WRITES)
    assert.deepEqual(blockers(desktop), [])
  })

  it('R6.4 race 15, 18: waits while the chain of a member forked, and does not count its horizon', () => {
    const { desktop, laptop, nas, box, membership } = forgotten()
    const twin = laptop.self.clone()
    laptop.hear(desktop).say()
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), [])
    twin.next(membership)
    assert.equal(nas.offer(twin).kind, 'fork')
    assert.deepEqual(blockers(nas), ['leaning', 'fork'])
    // A member that does not lean has forked: nobody can say what else it said.
    box.say()
    desktop.hear(laptop, box)
    const other = box.self.clone()
    box.say()
    other.next(membership, { adds: ['x'] })
    desktop.hear(box)
    desktop.offer(other)
    assert.deepEqual(blockers(desktop), ['fork'])
    desktop.membership = removeMember(membership, keeper, { device: box.id, atMs: AT_MS })
    assert.deepEqual(blockers(desktop), [])
  })

  it('R6.5 race 11: waits while a root of a leaning device is with nobody whole', () => {
    const { desktop, laptop, nas, box } = forgotten()
    laptop.hear(desktop).say({ adds: ['r1'] })
    nas.hear(laptop)
    assert.deepEqual(blockers(nas), ['unknown'])
    assert.deepEqual(blockers(nas, 'r0', [rootOf('r1')]), [])
    box.hear(laptop).say({ holds: [rootOf('r1')] })
    nas.hear(box)
    assert.deepEqual(blockers(nas), [])
    // Who means to let it go is not counted on.
    box.say({ holds: [rootOf('r1')], shedding: [rootOf('r1')] })
    nas.hear(box)
    assert.deepEqual(blockers(nas), ['unknown'])
    // Whoever may forget ends it for what nobody can complete.
    desktop.hear(laptop).say({ forgets: [laptop.self.dotOf('r1')] })
    nas.hear(desktop)
    assert.ok(!blockers(nas).includes('unknown'))
  })

  it('R6.5 does not take its own listing for the copy that it lacks', () => {
    const { desktop, laptop, nas } = forgotten()
    laptop.hear(desktop).say({ adds: ['r1'] })
    nas.hear(laptop).say({ holds: [rootOf('r1')] })
    assert.deepEqual(blockers(nas), ['unknown'])
  })

  it('R6.5 needs no count of what others announced, who can supply it', () => {
    const { desktop, laptop, nas } = forgotten()
    laptop.hear(desktop).say()
    desktop.say({ adds: ['own'] })
    nas.hear(laptop, desktop)
    assert.deepEqual(blockers(nas), [])
  })

  it('R6.5 asks once for a view and a function', () => {
    const { desktop, laptop, nas } = forgotten()
    laptop.hear(desktop).say({ adds: ['r1', 'r2'] })
    nas.hear(laptop)
    let asked = 0
    const isCompleteHere = (): boolean => ++asked > 0
    for (let at = 0; at < 10; at++)
      assert.deepEqual(releaseBlockers(nas.view, nas.membership, nas.id, nas.dead('r0'), isCompleteHere), [])
    assert.equal(asked, 2)
  })
})
