/** What a member with a program of its own may say: it must cost no other member its voice, its disk or its time. */

import assert from 'node:assert/strict'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { Events } from '../../../../node/events.ts'
import { Ledger } from '../../../../node/ledger/ledger.ts'
import {
  type Listing,
  type ListingHash,
  NO_BASE,
  type RootId,
  type Signer,
  signListing,
} from '../../../../protocol/index.ts'
import { saying, type TestDevice, testDevice, testMembership } from '../../../support/mesh.ts'

const source = new Uint8Array(16)
const root = (number: number) => number.toString(16).padStart(64, '0') as RootId

async function reopen(device: TestDevice): Promise<Ledger> {
  return await Ledger.open({
    catalog: device.catalog,
    signer: device.signer,
    clock: systemWorld.clock,
    events: new Events(),
    program: 'test',
  })
}

async function countKeys(device: TestDevice, prefix: string): Promise<number> {
  let count = 0
  for await (const [key] of device.catalog.iterate()) if (key.startsWith(prefix)) count++
  return count
}

describe('a ledger among members that break the rules', () => {
  let desktop: TestDevice
  let laptop: TestDevice

  beforeEach(async () => {
    const { membership, signers } = testMembership(['writer'])
    desktop = await testDevice(signers[0] as Signer, membership)
    laptop = await testDevice(signers[1] as Signer, membership)
  })

  /** A listing of the laptop with the announcements given and no others; what it said before does not matter to it. */
  const say = (
    roots: readonly number[],
    before?: Listing,
    seq = (before?.signed.head.seq ?? 0) + 1,
    atMs = 0,
  ) =>
    signListing(
      {
        mesh: laptop.ledger.membership.mesh,
        incarnation: 1,
        seq,
        prev: before?.signed.hash ?? (seq === 1 ? undefined : ('ab'.repeat(32) as ListingHash)),
        epoch: 1,
        atMs,
        body: {
          adds: roots.map((number) => ({ seq: number, n: 0, root: root(number), source, sizeClass: 1 })),
          forgetBase: NO_BASE,
          forgets: [],
          holds: [],
          shedding: [],
          horizon: [],
          leans: false,
          full: false,
          pins: [],
        },
      },
      laptop.signer,
    )
  const offer = (listing: Listing) => desktop.ledger.acceptListing([listing.signed.bytes], listing.bodyBytes)
  const live = (ledger: Ledger) => ledger.live().map((one) => one.root)

  it('does not fall silent because a peer says that it knows more of it (R11)', async () => {
    await laptop.ledger.publish(saying())
    const [head] = laptop.ledger.heads()
    laptop.ledger.newerFrom({ ...head!, seq: 1000, hash: 'cd'.repeat(32) as ListingHash })
    assert.equal(laptop.ledger.isRolledBack, false)
    assert.notEqual(await laptop.ledger.publish(saying(root(1))), undefined)
  })

  it('falls silent when its own signature says so, also on listings that do not join what it knows (R11)', async () => {
    await laptop.ledger.publish(saying())
    const later = say([], undefined, 9)
    await laptop.ledger.acceptListing([later.signed.bytes], later.bodyBytes)
    assert.equal(laptop.ledger.isRolledBack, true)
    assert.equal(await laptop.ledger.publish(saying(root(1))), undefined)
  })

  it('answers at once about a chain that begins at an enormous number', async () => {
    await offer(say([], undefined, 0xffff_fff0))
    const began = performance.now()
    const { heads } = desktop.ledger.listingSince({
      device: laptop.signer.device,
      incarnation: 1,
      fromSeq: 1,
    })
    assert.equal(heads.length, 1)
    assert.ok(performance.now() - began < 5000)
  }).timeout(20_000)

  it('lets no omission end a root, over a restart neither (R2)', async () => {
    const first = say([1])
    await offer(first)
    assert.equal(await offer(say([2], first)), 'accepted')
    assert.deepEqual(live(desktop.ledger), [root(1), root(2)])
    assert.deepEqual(live(await reopen(desktop)), [root(1), root(2)])
    const again = await reopen(desktop)
    assert.deepEqual(live(again), [root(1), root(2)])
  })

  it('keeps no more branches of a fork than count, whatever its device signs', async () => {
    await offer(say([1]))
    for (let at = 0; at < 40; at++) await offer(say([1], undefined, 1, at + 1))
    assert.ok((await countKeys(desktop, 'fork/')) <= 16)
    assert.ok(desktop.ledger.heads().length <= 17)
    assert.ok((await reopen(desktop)).heads().length <= 17)
  })

  it('remembers a branch that goes on as one branch, over a restart too', async () => {
    await offer(say([1]))
    let branch = say([1], undefined, 1, 7)
    assert.equal(await offer(branch), 'fork')
    for (let at = 2; at < 8; at++) {
      branch = say([1, at], branch)
      assert.equal(await offer(branch), 'fork')
    }
    assert.equal(await countKeys(desktop, 'fork/'), 1)
    const again = await reopen(desktop)
    assert.deepEqual(again.heads(), desktop.ledger.heads())
    assert.deepEqual(live(again), live(desktop.ledger))
    assert.equal(live(again).length, 7)
  })
})
