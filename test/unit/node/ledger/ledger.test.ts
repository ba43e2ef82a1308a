import assert from 'node:assert/strict'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { Events } from '../../../../node/events.ts'
import { Ledger } from '../../../../node/ledger/ledger.ts'
import { admitMember, isDeviceId, type RootId, removeMember } from '../../../../protocol/index.ts'
import {
  announce,
  saying,
  type TestDevice,
  testDevice,
  testMembership,
  testSigner,
  withCode,
} from '../../../support/mesh.ts'

const source = new Uint8Array(16)
const root = (digit: string) => digit.repeat(64) as RootId

async function reopen(device: TestDevice): Promise<Ledger> {
  return await Ledger.open({
    catalog: device.catalog,
    signer: device.signer,
    clock: systemWorld.clock,
    events: new Events(),
    program: 'test',
  })
}

/** What `from` knows of `of`, offered to `to`. */
async function tell(to: Ledger, from: Ledger, of: TestDevice, fromSeq = 1) {
  const { heads, body } = from.listingSince({ device: of.signer.device, incarnation: 1, fromSeq })
  return await to.acceptListing(heads, body)
}

describe('the ledger', () => {
  const pair = async () => {
    const { membership, signers } = testMembership(['writer'])
    return (await Promise.all(signers.map((signer) => testDevice(signer, membership)))) as [
      TestDevice,
      TestDevice,
    ]
  }

  it('remembers over a restart what it was told and what it said', async () => {
    const [desktop, laptop] = await pair()
    const id = await announce(laptop, 'kept', 3)
    await laptop.ledger.publish(saying(id))
    assert.equal(await tell(desktop.ledger, laptop.ledger, laptop), 'accepted')
    for (const ledger of [await reopen(laptop), await reopen(desktop)]) {
      assert.deepEqual(
        ledger.live().map((live) => live.root),
        [id],
      )
      assert.deepEqual(ledger.heads(), laptop.ledger.heads())
      assert.deepEqual(ledger.copies(id).holders, [laptop.signer.device])
    }
  })

  it('keeps an announced root that no listing has said yet', async () => {
    const [, laptop] = await pair()
    await laptop.ledger.announce({ root: root('a'), source, sizeClass: 3 })
    const again = await reopen(laptop)
    assert.deepEqual(
      again.live().map((live) => live.root),
      [root('a')],
    )
    assert.equal((await again.publish(saying()))?.head.seq, 1)
    assert.equal((await reopen(laptop)).live().length, 1)
  })

  it('signs nothing when nothing is new', async () => {
    const [, laptop] = await pair()
    assert.equal((await laptop.ledger.publish(saying()))?.head.seq, 1)
    assert.equal(await laptop.ledger.publish(saying()), undefined)
    await laptop.ledger.announce({ root: root('b'), source, sizeClass: 3 })
    assert.equal((await laptop.ledger.publish(saying()))?.head.seq, 2)
    assert.equal((await laptop.ledger.publish(saying(root('b'))))?.head.seq, 3)
  })

  it('holds the horizon back while a session is open, and closes dead sessions at start (R4)', async () => {
    const [desktop, laptop] = await pair()
    await desktop.ledger.publish(saying())
    await tell(laptop.ledger, desktop.ledger, desktop)
    const session = await laptop.ledger.openSession('s')
    await desktop.ledger.announce({ root: root('c'), source, sizeClass: 3 })
    await desktop.ledger.publish(saying())
    await tell(laptop.ledger, desktop.ledger, desktop, 2)
    const horizon = (ledger: Ledger) =>
      ledger.view.lanes
        .get(`${laptop.signer.device}/1` as never)
        ?.body.horizon.find((entry) => entry.device === desktop.signer.device)?.seq
    await laptop.ledger.announce({ root: root('d'), source, sizeClass: 3 })
    await laptop.ledger.publish(saying())
    assert.equal(horizon(laptop.ledger), 1)
    const restarted = await reopen(laptop)
    await restarted.announce({ root: root('e'), source, sizeClass: 3 })
    await restarted.publish(saying())
    assert.equal(horizon(restarted), 2)
    await laptop.ledger.closeSession(session)
  })

  it('signs nothing beyond what a session pins while that is being written (R4)', async () => {
    const [desktop, laptop] = await pair()
    await desktop.ledger.publish(saying())
    await tell(laptop.ledger, desktop.ledger, desktop)
    const { batch } = laptop.catalog
    const slow: (() => void)[] = []
    laptop.catalog.batch = async (changes, options) => {
      if (changes.some(({ key }) => key.startsWith('session/')))
        await new Promise<void>((go) => slow.push(go))
      await batch.call(laptop.catalog, changes, options)
    }
    const opening = laptop.ledger.openSession('s')
    await desktop.ledger.announce({ root: root('c'), source, sizeClass: 3 })
    await desktop.ledger.publish(saying())
    await tell(laptop.ledger, desktop.ledger, desktop, 2)
    await laptop.ledger.publish(saying(root('d')))
    const own = laptop.ledger.view.lanes.get(`${laptop.signer.device}/1` as never)
    assert.equal(own?.body.horizon.find(({ device }) => device === desktop.signer.device)?.seq, 1)
    for (const go of slow) go()
    await opening
  })

  it('asks for the chain from where it knows it, and for nothing it knows', async () => {
    const [desktop, laptop] = await pair()
    await laptop.ledger.publish(saying())
    const [head] = laptop.ledger.heads()
    assert.equal(desktop.ledger.newerFrom(head!), 1)
    await tell(desktop.ledger, laptop.ledger, laptop)
    assert.equal(desktop.ledger.newerFrom(head!), undefined)
    await laptop.ledger.publish(saying(root('f')))
    assert.equal(desktop.ledger.newerFrom(laptop.ledger.heads()[0]!), 2)
  })

  it('keeps both branches of a fork as proof, over a restart too (R1)', async () => {
    const [desktop, laptop] = await pair()
    const twin = await testDevice(laptop.signer, laptop.ledger.membership)
    await laptop.ledger.announce({ root: root('1'), source, sizeClass: 3 })
    await laptop.ledger.publish(saying())
    await twin.ledger.announce({ root: root('2'), source, sizeClass: 3 })
    await twin.ledger.publish(saying())
    await tell(desktop.ledger, laptop.ledger, laptop)
    assert.equal(await tell(desktop.ledger, twin.ledger, twin), 'fork')
    for (const ledger of [desktop.ledger, await reopen(desktop)]) {
      assert.deepEqual(
        ledger
          .live()
          .map((live) => live.root)
          .sort(),
        [root('1'), root('2')],
      )
      assert.equal(ledger.heads().length, 2)
    }
  })

  it('stops signing when a peer knows more of this device than itself (R11)', async () => {
    const [desktop, laptop] = await pair()
    const older = await testDevice(laptop.signer, laptop.ledger.membership)
    await laptop.ledger.publish(saying())
    await tell(desktop.ledger, laptop.ledger, laptop)
    await tell(older.ledger, laptop.ledger, laptop)
    await laptop.ledger.publish(saying(root('9')))
    await tell(desktop.ledger, laptop.ledger, laptop, 2)
    assert.notEqual(older.ledger.newerFrom(desktop.ledger.heads()[0]!), undefined)
    assert.equal(await tell(older.ledger, desktop.ledger, laptop, 2), 'accepted')
    assert.equal(older.ledger.isRolledBack, true)
    assert.equal(await older.ledger.publish(saying(root('8'))), undefined)
    const restarted = await reopen(older)
    assert.equal(restarted.isRolledBack, true)
    assert.equal(await restarted.publish(saying(root('8'))), undefined)
  })

  it('takes entries of the membership in their order only, and knows itself removed', async () => {
    const [desktop, laptop] = await pair()
    const third = testSigner(9)
    assert.ok(isDeviceId(third.device))
    await desktop.ledger.changeMembership((before, signer) =>
      admitMember(before, signer, { device: third.device, name: 'third', role: 'storer', atMs: 0 }),
    )
    const removed = await desktop.ledger.changeMembership((before, signer) =>
      removeMember(before, signer, { device: laptop.signer.device, atMs: 0 }),
    )
    await assert.rejects(
      laptop.ledger.acceptMembership(removed.entries.slice(-1)),
      withCode('MEMBERSHIP_INVALID'),
    )
    await laptop.ledger.announce({ root: root('7'), source, sizeClass: 3 })
    await laptop.ledger.acceptMembership(removed.entries.slice(2))
    assert.throws(() => laptop.ledger.self, withCode('NOT_A_MEMBER'))
    assert.deepEqual(
      laptop.ledger.live().map((live) => live.root),
      [root('7')],
      'what it has not announced yet can still be listed and restored',
    )
    assert.equal(await laptop.ledger.publish(saying()), undefined)
    assert.equal((await reopen(laptop)).membership.epoch, 3)
  })
})
