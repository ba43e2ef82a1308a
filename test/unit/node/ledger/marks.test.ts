/** What a device makes up its mind about, and what its listings then say: forgets, pins, withdrawals, intents. */
import assert from 'node:assert/strict'
import { Events } from '../../../../node/events.ts'
import { Ledger } from '../../../../node/ledger/ledger.ts'
import { signEntry } from '../../../../protocol/membership/entry.ts'
import {
  admitMember,
  type Capability,
  changeMember,
  foundMesh,
  type Membership,
  removeMember,
  type RootId,
  type Signer,
} from '../../../../protocol/index.ts'
import {
  saying,
  type TestDevice,
  testDevice,
  testMembership,
  testSigner,
  withCode,
} from '../../../support/mesh.ts'
import { ManualClock } from '../manual-clock.ts'

const source = new Uint8Array(16)
const root = (digit: string) => digit.repeat(64) as RootId
const a = root('a')
const b = root('b')

async function reopen(device: TestDevice, clock = new ManualClock()): Promise<Ledger> {
  const { catalog, signer } = device
  return await Ledger.open({ catalog, signer, clock, events: new Events(), program: 'test' })
}

async function tell(to: Ledger, from: Ledger, of: Signer) {
  const { heads, body } = from.listingSince({ device: of.device, incarnation: 1, fromSeq: 1 })
  return await to.acceptListing(heads, body)
}

const announce = (ledger: Ledger, which: RootId) => ledger.announce({ root: which, source, sizeClass: 1 })
const forgetAll = (ledger: Ledger, which: RootId, reason: 'person' | 'retention' = 'person') =>
  ledger.forget(
    ledger
      .live()
      .filter((live) => live.root === which)
      .map(({ dot }) => ({ dot, root: which, reason })),
  )
const bodyOf = (ledger: Ledger, device = ledger.device) =>
  [...ledger.view.lanes.values()].find((lane) => lane.device === device)?.body

describe('a forget of this device', () => {
  const keeper = async () => {
    const { membership, signers } = testMembership(['writer'])
    return await Promise.all(signers.map((signer) => testDevice(signer, membership)))
  }

  it('hides the root at once, over a restart too, and stands in the next listing', async () => {
    const [desktop] = (await keeper()) as [TestDevice]
    await announce(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    await forgetAll(desktop.ledger, a)
    assert.equal(desktop.ledger.isLive(a), false)
    assert.deepEqual(desktop.ledger.live(), [])
    assert.deepEqual(desktop.ledger.liveRoots(), [])
    const again = await reopen(desktop)
    assert.equal(again.isLive(a), false)
    assert.deepEqual(
      again.dead().map(({ root: dead, isSigned, reason }) => ({ dead, isSigned, reason })),
      [{ dead: a, isSigned: false, reason: 'person' }],
    )
    await again.publish(saying(a))
    assert.equal(bodyOf(again)?.forgets.length, 1)
    assert.equal(again.dead()[0]?.isSigned, true)
    assert.equal(await again.publish(saying(a)), undefined, 'it is said once')
  })

  it('R2.2 is refused of a device that may not forget', async () => {
    const [, laptop] = (await keeper()) as [TestDevice, TestDevice]
    await announce(laptop.ledger, a)
    await assert.rejects(forgetAll(laptop.ledger, a), withCode('NOT_ENTITLED'))
    assert.equal(laptop.ledger.isLive(a), true)
  })

  it('of what it has not announced yet is said in the listing that announces it', async () => {
    const [desktop] = (await keeper()) as [TestDevice]
    await announce(desktop.ledger, a)
    await forgetAll(desktop.ledger, a)
    assert.deepEqual(desktop.ledger.live(), [])
    const again = await reopen(desktop)
    assert.deepEqual(again.live(), [])
    await again.publish(saying(a))
    assert.deepEqual(again.live(), [])
    assert.deepEqual(
      again.dead().map((dead) => dead.root),
      [a],
    )
    assert.equal(bodyOf(again)?.adds.length, 1)
  })

  it('is taken back by announcing the root anew, before and after it is signed', async () => {
    const [desktop] = (await keeper()) as [TestDevice]
    await announce(desktop.ledger, a)
    await forgetAll(desktop.ledger, a)
    await announce(desktop.ledger, a)
    assert.equal(desktop.ledger.isLive(a), true)
    await desktop.ledger.publish(saying(a))
    assert.equal(bodyOf(desktop.ledger)?.forgets.length, 0)
    await forgetAll(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    await announce(desktop.ledger, a)
    assert.equal(desktop.ledger.isLive(a), true)
    assert.deepEqual(desktop.ledger.dead(), [])
    await (await reopen(desktop)).publish(saying(a))
  })

  it('keeps the reason of a person against that of a rule', async () => {
    const [desktop] = (await keeper()) as [TestDevice]
    await announce(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    const [live] = desktop.ledger.live()
    assert.ok(live !== undefined)
    await desktop.ledger.forget([{ ...live, reason: 'person' }])
    await desktop.ledger.forget([{ ...live, reason: 'retention' }])
    assert.equal(desktop.ledger.dead()[0]?.reason, 'person')
  })

  it('R9 U5.2 counts from when it came here, not from what its signer claims', async () => {
    const [desktop, laptop] = (await keeper()) as [TestDevice, TestDevice]
    await announce(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    await forgetAll(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    const clock = new ManualClock()
    const ledger = await reopen(laptop, clock)
    await clock.advance(1000)
    await tell(ledger, desktop.ledger, desktop.signer)
    await clock.advance(500)
    const forget = {
      ...bodyOf(ledger, desktop.signer.device)?.forgets[0],
      by: desktop.signer.device,
      incarnation: 1,
    }
    assert.equal(ledger.hadForMs(forget as Parameters<Ledger['hadForMs']>[0]), 500)
    assert.equal(ledger.seenForMs(a), 500, 'dead on arrival, and seen all the same')
    assert.equal(ledger.dead()[0]?.forgottenAtMs, clock.nowMs() - 500)
  })
})

describe('pins of this device', () => {
  it('are said, and taken back', async () => {
    const { membership, signers } = testMembership([])
    const desktop = await testDevice(signers[0] as Signer, membership)
    await desktop.ledger.setPinned([b, a], true)
    assert.deepEqual([...desktop.ledger.pinned().keys()].sort(), [a, b])
    const again = await reopen(desktop)
    await again.publish(saying())
    assert.deepEqual(bodyOf(again)?.pins, [a, b])
    await again.setPinned([b], false)
    assert.deepEqual([...again.pinned()], [[a, [desktop.signer.device]]])
    await again.publish(saying())
    assert.deepEqual(bodyOf(again)?.pins, [a])
  })
})

describe('a hold that is given up', () => {
  const desktopAlone = async () => {
    const { membership, signers } = testMembership([])
    return await testDevice(signers[0] as Signer, membership)
  }

  it('U6.2 is in no listing from then on, over a restart too', async () => {
    const desktop = await desktopAlone()
    await desktop.ledger.publish(saying(a, b))
    assert.deepEqual(await desktop.ledger.withdraw([a, b], 'forgotten', (which) => which === a), [a])
    assert.equal(desktop.ledger.saysHeld(a), true, 'until the next listing')
    const again = await reopen(desktop)
    await again.publish(saying(a, b))
    assert.deepEqual(bodyOf(again)?.holds, [b])
    assert.equal(again.saysHeld(a), false)
    await again.endWithdrawal([a])
    await again.publish(saying(a, b))
    assert.deepEqual(bodyOf(again)?.holds, [a, b])
  })

  it('U6.1 is judged where nothing slips between: what was asked for before it has happened', async () => {
    const desktop = await desktopAlone()
    const announced = announce(desktop.ledger, a)
    const withdrawn = desktop.ledger.withdraw([a], 'forgotten', (which) => !desktop.ledger.isLive(which))
    await announced
    assert.deepEqual(await withdrawn, [])
  })

  it('is held again when the root is announced anew', async () => {
    const desktop = await desktopAlone()
    await announce(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    await desktop.ledger.withdraw([a], 'forgotten', () => true)
    await announce(desktop.ledger, a)
    assert.equal(desktop.ledger.withdrawn().size, 0)
    assert.equal((await reopen(desktop)).withdrawn().size, 0)
  })
})

describe('a root that is meant to be let go', () => {
  it('has the number of the listing that said so, and a new one in a new round', async () => {
    const { membership, signers } = testMembership([])
    const desktop = await testDevice(signers[0] as Signer, membership)
    const { ledger } = desktop
    await ledger.publish(saying(a))
    await ledger.intend(a)
    assert.deepEqual([...ledger.intents()], [[a, undefined]])
    await ledger.publish(saying(a))
    assert.deepEqual([...(await reopen(desktop)).intents()], [[a, 2]])
    await ledger.retract(a)
    await ledger.publish(saying(a))
    assert.equal(ledger.intents().size, 0)
    await ledger.intend(a)
    await ledger.publish(saying(a))
    assert.deepEqual([...ledger.intents()], [[a, 4]])
    await ledger.withdraw([a], 'shed', () => true)
    await ledger.publish(saying(a))
    assert.deepEqual(bodyOf(ledger)?.shedding, [])
    assert.equal(ledger.withdrawn().get(a), 'shed')
  })
})

describe('the horizon', () => {
  const pair = async (leans: boolean) => {
    const founded = testMembership(['writer'])
    const keeper = founded.signers[0] as Signer
    const laptop = founded.signers[1] as Signer
    const capabilities = new Set<Capability>(['backup', 'read', 'store'])
    if (leans) capabilities.add('lean')
    const membership = changeMember(founded.membership, keeper, {
      device: laptop.device,
      atMs: 0,
      capabilities,
    })
    return (await Promise.all(founded.signers.map((signer) => testDevice(signer, membership)))) as [
      TestDevice,
      TestDevice,
    ]
  }
  const meet = async ([desktop, laptop]: [TestDevice, TestDevice]) => {
    await announce(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    await tell(laptop.ledger, desktop.ledger, desktop.signer)
    await laptop.ledger.publish(saying())
    await forgetAll(desktop.ledger, a)
    await desktop.ledger.publish(saying(a))
    await tell(laptop.ledger, desktop.ledger, desktop.signer)
  }

  it('R6b of a device that is waited for is said as soon as a forget came, and once', async () => {
    const devices = await pair(true)
    await meet(devices)
    const { ledger } = devices[1]
    assert.notEqual(await ledger.publish(saying()), undefined)
    assert.equal(await ledger.publish(saying()), undefined)
  })

  it('R4 is not said beyond what an open session pinned', async () => {
    const devices = await pair(true)
    const { ledger } = devices[1]
    await ledger.publish(saying())
    const session = await ledger.openSession('backup')
    await meet(devices)
    const before = bodyOf(ledger)?.horizon
    await ledger.publish(saying())
    assert.deepEqual(bodyOf(ledger)?.horizon, before)
    await ledger.closeSession(session)
    assert.notEqual(await ledger.publish(saying()), undefined, 'its end is what others wait for')
  })

  it('of any other device travels with the next listing', async () => {
    const devices = await pair(false)
    await meet(devices)
    assert.equal(await devices[1].ledger.publish(saying()), undefined)
  })

  it('R4.1 of a chain that was closed is said no later than its end, from when that is known, and once', async () => {
    const { membership, signers } = testMembership(['writer', 'writer'])
    const [keeper, box, laptop] = (await Promise.all(
      signers.map((signer) => testDevice(signer, membership)),
    )) as [TestDevice, TestDevice, TestDevice]
    await box.ledger.publish(saying())
    const cut = { seq: 1, hash: box.ledger.headOf(box.signer.device)!.hash }
    await announce(box.ledger, a)
    await box.ledger.publish(saying())
    await tell(laptop.ledger, box.ledger, box.signer)
    await laptop.ledger.publish(saying())
    const said = (ledger: Ledger) =>
      bodyOf(ledger, laptop.signer.device)?.horizon.find(({ device }) => device === box.signer.device)
    assert.equal(said(laptop.ledger)?.seq, 2)
    const device = box.signer.device
    const closed = removeMember(membership, keeper.signer, { device, atMs: 0, cut })
    await laptop.ledger.acceptMembership(closed.entries)
    for (const ledger of [laptop.ledger, await reopen(laptop)]) {
      await ledger.publish(saying())
      assert.deepEqual([said(ledger)?.seq, said(ledger)?.hash], [1, cut.hash])
      assert.equal(await ledger.publish(saying()), undefined)
    }
  })

  it('R7 is said when a holder was asked whether it has seen a round of shedding', async () => {
    const [desktop, laptop] = await pair(false)
    await laptop.ledger.publish(saying(a))
    await desktop.ledger.publish(saying(a))
    await tell(laptop.ledger, desktop.ledger, desktop.signer)
    await laptop.ledger.publish(saying(a))
    await desktop.ledger.intend(a)
    await desktop.ledger.publish(saying(a))
    await tell(laptop.ledger, desktop.ledger, desktop.signer)
    assert.notEqual(await laptop.ledger.publish(saying(a)), undefined)
    assert.equal(await laptop.ledger.publish(saying(a)), undefined)
  })
})

describe('what an interrupted backup has stored', () => {
  it('U7.3 is remembered until a backup completes, over a restart too', async () => {
    const { membership, signers } = testMembership([])
    const desktop = await testDevice(signers[0] as Signer, membership)
    assert.equal(desktop.ledger.unfinishedForMs, undefined)
    const first = await desktop.ledger.openSession('first')
    await desktop.ledger.closeSession(first)
    const again = await reopen(desktop)
    assert.notEqual(again.unfinishedForMs, undefined)
    const session = await again.openSession('second')
    await again.closeSession(session, true)
    assert.equal(again.unfinishedForMs, undefined)
    assert.equal((await reopen(desktop)).unfinishedForMs, undefined)
  })

  it('is remembered while another one goes on', async () => {
    const { membership, signers } = testMembership([])
    const desktop = await testDevice(signers[0] as Signer, membership)
    const { ledger } = desktop
    const one = await ledger.openSession('one')
    const two = await ledger.openSession('two')
    await ledger.closeSession(one, true)
    assert.notEqual(ledger.unfinishedForMs, undefined)
    assert.notEqual((await reopen(desktop)).unfinishedForMs, undefined)
    await ledger.closeSession(two, true)
    assert.equal(ledger.unfinishedForMs, undefined)
  })
})

describe('a fork of the membership', () => {
  const branches = () => {
    const keeper = testSigner(1)
    const other = testSigner(2)
    const founded = foundMesh(keeper, { name: 'one', nonce: new Uint8Array(16), atMs: 0 })
    const both = admitMember(founded, keeper, { device: other.device, name: 'two', role: 'keeper', atMs: 0 })
    const newcomer = (number: number, by: Signer): Membership => {
      const { device } = testSigner(number)
      return admitMember(both, by, { device, name: `device-${String(number)}`, role: 'storer', atMs: 0 })
    }
    return { keeper, mine: newcomer(3, keeper), theirs: newcomer(4, other) }
  }

  it('R8 U7.4 is remembered for good once a keeper of then has signed it', async () => {
    const { keeper, mine, theirs } = branches()
    const device = await testDevice(keeper, mine)
    assert.equal(device.ledger.isMembershipForked, false)
    await assert.rejects(device.ledger.acceptMembership(theirs.entries), withCode('MEMBERSHIP_FORK'))
    assert.equal(device.ledger.isMembershipForked, true)
    assert.equal((await reopen(device)).isMembershipForked, true)
  })

  it('is also seen in the entries from the newest one on', async () => {
    const { keeper, mine, theirs } = branches()
    const device = await testDevice(keeper, mine)
    const from = theirs.entries.slice(mine.epoch)
    await assert.rejects(device.ledger.acceptMembership(from), withCode('MEMBERSHIP_FORK'))
    assert.equal(device.ledger.isMembershipForked, true)
  })

  it('U7.4 is not one when a stranger signs what looks like an entry', async () => {
    const { keeper, mine } = branches()
    const device = await testDevice(keeper, mine)
    const forged = signEntry(
      {
        mesh: mine.mesh,
        epoch: mine.epoch,
        prev: mine.hashes[mine.epoch - 1],
        atMs: 0,
        statement: { kind: 'goal', copiesGoal: 1 },
      },
      testSigner(9),
    )
    const more = { entries: [...mine.entries.slice(0, mine.epoch), forged.bytes] }
    await assert.rejects(device.ledger.acceptMembership(more.entries))
    assert.equal(device.ledger.isMembershipForked, false)
  })
})
