/** R7: a device lets go of what enough others hold, and never when that would cost a copy that is wanted. */
import assert from 'node:assert/strict'
import { roundMsMax } from '../../../../node/deletion/shed-plan.ts'
import type { Ledger } from '../../../../node/ledger/ledger.ts'
import { admitMember, changeMember, type RootId } from '../../../../protocol/index.ts'
import { testSigner } from '../../../support/mesh.ts'
import { goal, scene, type ShedDevice, ShedMesh } from './shed-mesh.ts'

const isIntended = (one: ShedDevice, root: RootId) => one.ledger.intents().has(root)
const isGivenUp = (one: ShedDevice, root: RootId) => one.ledger.withdrawn().get(root) === 'shed'

describe('letting go (R7)', () => {
  it('P7.3 says so first, waits until the others have seen it and proven what they hold, then goes', async () => {
    const { mesh, root, first, second, third } = await scene()
    await mesh.step(third)
    assert.equal(isIntended(third, root), true)
    assert.equal(third.ledger.intents().get(root), undefined, 'no listing has said it yet')
    await mesh.step(third)
    assert.equal(isGivenUp(third, root), false)
    await mesh.publish(third)
    assert.notEqual(third.ledger.intents().get(root), undefined)
    await mesh.step(third)
    assert.equal(mesh.asked, 0, 'nobody is asked for a proof whose word would not suffice with it')
    await mesh.tell(third, first)
    await mesh.tell(third, second)
    await mesh.publish(first)
    await mesh.publish(second)
    await mesh.tell(first, third)
    await mesh.step(third)
    assert.equal(isGivenUp(third, root), false, 'one of two has seen it')
    await mesh.tell(second, third)
    await mesh.step(third)
    assert.equal(isGivenUp(third, root), true)
    assert.equal(mesh.asked, 2)
    assert.deepEqual(mesh.keeping(root).length, 3, 'the mark is taken away by the reaper, after the listing')
    await mesh.settle()
    assert.deepEqual(
      mesh
        .keeping(root)
        .map(({ device }) => device)
        .sort(),
      [first.device, second.device].sort(),
    )
    assert.equal(third.store.has(root), false, 'and the space is free')
    assert.deepEqual(mesh.said(first, root).sort(), [first.device, second.device].sort())
  })

  it('is not begun by who should hold the root, by who would leave too few, nor with what is not whole', async () => {
    const { mesh, root, first, second, third } = await scene({ holders: 2 })
    await mesh.step(first)
    await mesh.step(second)
    await mesh.hold(third, 'another') // held, and live nowhere
    await mesh.step(third)
    assert.equal(
      [first, second, third].some((one) => one.ledger.intents().size > 0),
      false,
    )
    const more = await scene()
    const [leaf] = more.third.store.links(more.root)
    await more.third.store.quarantine(leaf!)
    await more.mesh.step(more.third)
    assert.equal(isIntended(more.third, more.root), false)
    assert.equal(mesh.keeping(root).length, 2)
    const few = await scene({ holders: 3 })
    await few.second.store.release(few.root)
    await few.mesh.gossip()
    await few.mesh.step(few.third)
    assert.equal(isIntended(few.third, few.root), false, 'one other would be left')
  })

  it('P7.1 keeps the newest snapshot of each own source: the next backup begins with it', async () => {
    const mesh = await ShedMesh.open(4, goal)
    const [owner] = mesh.devices as [ShedDevice]
    const roots: RootId[] = []
    for (let n = 0; n < 12; n++) {
      await mesh.clock.advance(1000)
      const root = await mesh.announce(owner, `day ${String(n)}`, 'documents')
      for (const one of mesh.ranked(root).slice(0, goal)) await mesh.hold(one, `day ${String(n)}`)
      roots.push(root)
    }
    await mesh.gossip()
    await mesh.step(owner)
    assert.equal(isIntended(owner, roots.at(-1) as RootId), false)
    await mesh.settle()
    const kept = roots.filter((root) => owner.store.isHeld(root))
    const wanted = roots.filter((root) => mesh.goal(root).includes(owner.device) || root === roots.at(-1))
    assert.deepEqual(kept, wanted)
    assert.ok(kept.length < roots.length)
    for (const root of roots) assert.ok(mesh.keeping(root).length >= goal)
  })

  it('does not count a holder that could not prove it', async () => {
    const { mesh, root, second, third } = await scene()
    mesh.liars.add(second.device)
    await mesh.settle()
    assert.equal(third.store.isHeld(root), true)
    assert.equal(isIntended(third, root), true)
    mesh.liars.clear()
    await mesh.settle()
    assert.equal(third.store.isHeld(root), false)
  })

  it('does not count a proof of another root, nor one given to another device', async () => {
    const { mesh, root, first, second, third, fourth } = await scene()
    for (const holder of [first, second]) {
      mesh.proven.add(`${fourth.device}/${holder.device}/${root}`)
      mesh.proven.add(`${third.device}/${holder.device}/${'ab'.repeat(32)}`)
      mesh.liars.add(holder.device)
    }
    await mesh.settle(6, [third, first, second])
    assert.equal(third.store.isHeld(root), true)
  })

  it('does not count who has seen an earlier round only', async () => {
    const { mesh, root, first, second, third } = await scene()
    await mesh.step(third)
    await mesh.gossip()
    await third.ledger.retract(root)
    await mesh.publish(third)
    await mesh.clock.advance(61_000)
    await mesh.step(third) // a new round
    await mesh.publish(third)
    await mesh.step(third)
    assert.equal(isIntended(third, root), true)
    assert.equal(isGivenUp(third, root), false)
    for (const one of [first, second]) {
      await mesh.tell(third, one)
      await mesh.publish(one)
      await mesh.tell(one, third)
    }
    await mesh.step(third)
    assert.equal(isGivenUp(third, root), true)
  })

  it('does not count who knows less of the membership', async () => {
    const { mesh, root, first, second, third } = await scene()
    const next = admitMember(mesh.membership, mesh.keeper, {
      device: testSigner(99).device,
      name: 'late',
      role: 'writer',
      quotaBytes: 0,
      atMs: 0,
    })
    await mesh.step(third)
    await mesh.publish(third)
    await mesh.changeMembership(next, [third])
    for (const one of [first, second]) {
      // They hear the listing, not the entry: it is of the epoch before.
      const [name] = third.ledger.heads().filter(({ device }) => device === third.device)
      const { heads, body } = third.ledger.listingSince({
        ...name!,
        fromSeq: one.ledger.newerFrom(name!) ?? 1,
        tip: name!.hash,
      })
      await one.ledger.acceptListing(heads, body)
      await mesh.publish(one)
      await mesh.tell(one, third)
    }
    await mesh.step(third)
    assert.equal(isGivenUp(third, root), false)
    await mesh.changeMembership(next, [first, second])
    await mesh.gossip()
    await mesh.step(third)
    assert.equal(isGivenUp(third, root), true)
  })

  it('ends when the root is forgotten meanwhile: then R6 decides', async () => {
    const { mesh, root, third } = await scene()
    const keeper = mesh.devices[0] as ShedDevice
    await mesh.step(third)
    await mesh.gossip()
    const [live] = keeper.ledger.live().filter((one) => one.root === root)
    await keeper.ledger.forget([{ dot: live!.dot, root, reason: 'person' }])
    await mesh.publish(keeper)
    await mesh.tell(keeper, third)
    await mesh.step(third)
    assert.equal(isIntended(third, root), false)
    assert.equal(third.ledger.withdrawn().has(root), false)
    assert.equal(third.store.isHeld(root), true)
  })

  it('ends when this device has forgotten the root itself, and not said so yet', async () => {
    const mesh = await ShedMesh.open(4, goal)
    const keeper = mesh.devices[0] as ShedDevice
    // A root that the keeper need not hold.
    let seed = 0
    let root = await mesh.hold(keeper, 'mine 0')
    while (mesh.goal(root).includes(keeper.device)) root = await mesh.hold(keeper, `mine ${String(++seed)}`)
    for (const one of mesh.ranked(root).slice(0, goal)) await mesh.hold(one, `mine ${String(seed)}`)
    await mesh.announce(mesh.ranked(root)[0] as ShedDevice, `mine ${String(seed)}`)
    await mesh.gossip()
    await mesh.step(keeper)
    await mesh.gossip()
    const [live] = keeper.ledger.live()
    await keeper.ledger.forget([{ dot: live!.dot, root, reason: 'person' }])
    await mesh.step(keeper)
    assert.equal(isIntended(keeper, root), false)
    assert.equal(keeper.ledger.withdrawn().has(root), false)
  })

  it('is judged once more in the moment of deciding', async () => {
    const { mesh, root, third } = await scene()
    const keeper = mesh.devices[0] as ShedDevice
    await mesh.step(third)
    await mesh.gossip()
    const [live] = keeper.ledger.live().filter((one) => one.root === root)
    await keeper.ledger.forget([{ dot: live!.dot, root, reason: 'person' }])
    await mesh.publish(keeper)
    const { withdraw } = third.ledger
    let isTold = false
    third.ledger.withdraw = async (...args: Parameters<Ledger['withdraw']>) => {
      await mesh.tell(keeper, third) // it comes while the step before is being written
      isTold = true
      return await withdraw.apply(third.ledger, args)
    }
    await mesh.step(third)
    assert.equal(isTold, true)
    assert.equal(third.ledger.withdrawn().has(root), false)
  })

  it('ends when the root is wanted here again', async () => {
    const { mesh, root, second, third } = await scene()
    await mesh.step(third)
    await mesh.gossip()
    const { device } = second
    await mesh.changeMembership(
      changeMember(mesh.membership, mesh.keeper, { device, quotaBytes: 0, atMs: 0 }),
    )
    await mesh.step(third)
    assert.equal(isIntended(third, root), false)
    assert.equal(isGivenUp(third, root), false)
  })

  it('P7.2 stands still while the membership is forked, or the disk of this device went back in time', async () => {
    for (const flag of ['isMembershipForked', 'isRolledBack'] as const) {
      const { mesh, root, third } = await scene()
      Object.defineProperty(third.ledger, flag, { value: true, configurable: true })
      await mesh.step(third)
      assert.equal(isIntended(third, root), false)
      Object.defineProperty(third.ledger, flag, { value: false, configurable: true })
      await mesh.step(third)
      await mesh.gossip()
      Object.defineProperty(third.ledger, flag, { value: true, configurable: true })
      await mesh.step(third)
      assert.equal(isIntended(third, root), true)
      assert.equal(isGivenUp(third, root), false)
    }
  })

  it('P7.4 is given up after an hour in vain, and tried again later, in a new round', async () => {
    const { mesh, root, second, third } = await scene()
    mesh.liars.add(second.device)
    await mesh.settle(2)
    const round = third.ledger.intents().get(root)
    await mesh.clock.advance(roundMsMax)
    await mesh.step(third)
    assert.equal(isIntended(third, root), false)
    mesh.liars.clear()
    await mesh.settle(2)
    assert.equal(isIntended(third, root), false)
    await mesh.clock.advance(roundMsMax)
    await mesh.step(third)
    await mesh.publish(third)
    assert.ok((third.ledger.intents().get(root) ?? 0) > (round ?? 0))
    await mesh.settle()
    assert.equal(third.store.isHeld(root), false)
  })

  it('by two at once leaves the goal: the tie is won by one, and the other stays', async () => {
    // The second of the ranking lacks the root, so that the first, the third and the fourth hold it.
    const { mesh, root, second, third, fourth } = await scene({ holders: 4 })
    await second.store.release(root)
    for (const id of [...second.store.links(root), root]) await second.store.quarantine(id)
    await mesh.gossip()
    const both = [third, fourth]
    for (const one of both) await mesh.step(one)
    assert.equal(both.filter((one) => isIntended(one, root)).length, 2)
    await mesh.gossip()
    for (const one of both) await mesh.step(one)
    assert.equal(both.filter((one) => isIntended(one, root)).length, 1, 'one gives way')
    assert.equal(both.filter((one) => isGivenUp(one, root)).length, 0, 'and has not said so yet')
    await mesh.settle()
    assert.equal([third, fourth].filter((one) => one.store.isHeld(root)).length, 1)
    assert.equal(mesh.keeping(root).length, goal)
  })

  it('by two at once is for both when enough others hold the root', async () => {
    const { mesh, root, first, second } = await scene({ holders: 4 })
    await mesh.settle()
    assert.deepEqual(
      mesh
        .keeping(root)
        .map(({ device }) => device)
        .sort(),
      [first.device, second.device].sort(),
    )
  })

  it('spreads what is on all devices, and gives a device added later its share', async () => {
    const mesh = await ShedMesh.open(4, goal)
    const roots: RootId[] = []
    for (let n = 0; n < 24; n++) {
      const seed = `spread ${String(n)}`
      roots.push(await mesh.announce(mesh.devices[n % 2] as ShedDevice, seed, `source ${String(n % 2)}`))
      for (const one of mesh.devices.slice(0, 3)) await mesh.hold(one, seed)
      await mesh.clock.advance(10)
    }
    const fetch = async () => {
      for (const [n, root] of roots.entries())
        for (const one of mesh.ranked(root).slice(0, goal)) await mesh.hold(one, `spread ${String(n)}`)
      await mesh.gossip()
    }
    const parents = roots.slice(-2)
    const isSpread = () => {
      for (const root of roots.filter((one) => !parents.includes(one)))
        assert.deepEqual(
          mesh
            .keeping(root)
            .map(({ device }) => device)
            .sort(),
          [...mesh.goal(root)].sort(),
        )
    }
    await fetch()
    await mesh.settle()
    isSpread()
    const signer = testSigner(50)
    const { device } = signer
    const next = admitMember(mesh.membership, mesh.keeper, { device, name: 'later', role: 'writer', atMs: 0 })
    await mesh.changeMembership(next)
    const added = await mesh.add(signer, next)
    await mesh.gossip()
    await fetch()
    await mesh.settle()
    isSpread()
    assert.ok(added.store.holds().length >= 4, 'it has its share')
    assert.equal(mesh.devices.flatMap(({ troubles }) => troubles).length, 0)
  })
})
