/** A session that leans, and one that may not any more (R4, R5; spec/thin.md Y1.1, Y2.2). */
import assert from 'node:assert/strict'
import { openPresence, type Presence } from '../../../../node/backup/presence.ts'
import { inSession } from '../../../../node/backup/session.ts'
import { changeMember, type LiveRoot, type Membership, type RootId } from '../../../../protocol/index.ts'
import { testTree } from '../../../support/chunks.ts'
import { testDevice, testMembership, type TestDevice } from '../../../support/mesh.ts'

const source = new Uint8Array(16)

describe('a session that leans', () => {
  let desktop: TestDevice
  let laptop: TestDevice
  const old = testTree('old', 3)

  beforeEach(async () => {
    const { membership, signers } = testMembership(['writer'])
    const [keeper, writer] = signers as [(typeof signers)[0], (typeof signers)[0]]
    const thin: Membership = changeMember(membership, keeper, {
      device: writer.device,
      capabilities: ['backup', 'read', 'forget', 'lean'],
      atMs: 0,
    })
    desktop = await testDevice(keeper, thin)
    laptop = await testDevice(writer, thin)
    await laptop.store.put(old.root.id, old.root.bytes)
    await laptop.store.commit()
  })
  afterEach(async () => {
    await desktop.store.close()
    await laptop.store.close()
  })

  const saying = (...holds: readonly RootId[]) => ({ holds, isFull: false, leans: false })

  /** The desktop holds the old snapshot, and the laptop hears of it. */
  async function hear(): Promise<void> {
    await desktop.ledger.announce({ root: old.root.id, source, sizeClass: 3 })
    await desktop.ledger.publish(saying(old.root.id))
    const { device } = desktop.signer
    const { heads, body } = desktop.ledger.listingSince({ device, incarnation: 1, fromSeq: 1 })
    await laptop.ledger.acceptListing(heads, body)
  }

  it('Y1.1 leans on what was known when its pin was taken, also while that is being written', async () => {
    const { batch } = laptop.catalog
    let go: () => void = () => undefined
    const isWriting = new Promise<void>((begun) => {
      laptop.catalog.batch = async (changes, options) => {
        if (changes.some(({ key }) => key.startsWith('session/')))
          await new Promise<void>((done) => {
            go = done
            begun()
          })
        await batch.call(laptop.catalog, changes, options)
      }
    })
    const opening = laptop.ledger.openSession('s')
    await isWriting
    laptop.catalog.batch = batch
    await hear()
    go()
    const session = await opening
    assert.equal(session.leanable.size, 0)
    assert.equal(laptop.ledger.leanable().size, 1)
    await laptop.ledger.closeSession(session)
  })

  /** Seals a new snapshot over the old contents: only what is not present is stored. */
  const next = testTree('old', 3)
  const parts = () => ({
    ledger: laptop.ledger,
    store: laptop.store,
    random: { bytes: (length: number) => new Uint8Array(length) },
    publish: () => Promise.resolve(),
  })

  async function seal(presence: Presence, between?: () => void): Promise<RootId> {
    for (const { id, bytes, links } of next.chunks)
      if (links.length > 0 || !presence.has(id)) await laptop.store.put(id, bytes)
    between?.()
    return next.root.id
  }

  const rootOf = (root: RootId) => ({ root, source, sizeClass: 3 })

  it('Y2.1 announces what is not whole here, holds it not, and notes that it leans', async () => {
    await hear()
    await inSession(parts(), { seal: (presence) => seal(presence), rootOf })
    assert.equal(laptop.store.isHeld(next.root.id), false)
    assert.deepEqual([...laptop.ledger.leaned()], [next.root.id])
    assert.ok(
      laptop.ledger.live().some(({ root, owner }) => root === next.root.id && owner === laptop.signer.device),
    )
    const signed = await laptop.ledger.publish(saying())
    assert.ok(signed !== undefined)
    const lane = laptop.ledger.view.lanes.get(`${laptop.signer.device}/1` as never)
    assert.equal(lane?.body.leans, true)
  })

  it('Y2.2 stores all of it where it may lean no more before it is announced', async () => {
    await hear()
    const state = (laptop.ledger as unknown as { state: { isForked: boolean } }).state
    const stored: boolean[] = []
    const work = async (presence: Presence) => {
      stored.push(next.chunks.every(({ id, links }) => links.length > 0 || !presence.has(id)))
      return await seal(presence, () => {
        state.isForked = true
      })
    }
    await inSession(parts(), { seal: work, rootOf })
    assert.deepEqual(stored, [false, true])
    assert.ok(laptop.store.isHeld(next.root.id))
    assert.equal(laptop.ledger.leaned().size, 0)
  })

  it('announces nothing that lacks what it had not leaned on', async () => {
    await hear()
    const torn = async (presence: Presence) => {
      assert.ok(presence.has(next.root.id))
      const { root, chunks } = testTree('torn', 2)
      for (const { id, bytes } of chunks.slice(1)) await laptop.store.put(id, bytes)
      return root.id
    }
    await assert.rejects(inSession(parts(), { seal: torn, rootOf }), { code: 'CLOSURE_INCOMPLETE' })
    assert.equal(laptop.ledger.live().length, 1)
    assert.equal(laptop.ledger.hasSession, false)
  })

  it('Y1.2 leans on nothing that this device has forgotten itself, and not said so yet', async () => {
    await hear()
    const [content] = next.chunks as [(typeof next.chunks)[0]]
    assert.equal((await openPresence(laptop.store, laptop.ledger.leanable())).has(content.id), true)
    const [live] = laptop.ledger.live() as [LiveRoot]
    await laptop.ledger.forget([{ dot: live.dot, root: live.root, reason: 'person' }])
    assert.equal(laptop.ledger.leanable().size, 0)
  })

  it('Y1.2 leans on nothing once its disk went back', async () => {
    await hear()
    const state = (laptop.ledger as unknown as { state: { isRolledBack: boolean } }).state
    state.isRolledBack = true
    assert.equal(laptop.ledger.leanable().size, 0)
  })
})
