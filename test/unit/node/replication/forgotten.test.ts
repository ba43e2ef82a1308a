/** Forgotten roots are not fetched; what is being fetched makes way for what removes. */
import assert from 'node:assert/strict'
import type { Signer } from '../../../../protocol/index.ts'
import {
  announce,
  goOffline,
  goOnline,
  link,
  MemoryHub,
  type TestDevice,
  testDevice,
  testMembership,
  until,
} from '../../../support/mesh.ts'

describe('replication and what was forgotten', () => {
  let desktop: TestDevice
  let other: TestDevice
  beforeEach(async () => {
    const { membership, signers } = testMembership(['writer'])
    desktop = await testDevice(signers[0] as Signer, membership)
    other = await testDevice(signers[1] as Signer, membership)
  })
  afterEach(async () => {
    for (const device of [desktop, other]) await goOffline(device)
  })
  const meet = async () => {
    const hub = new MemoryHub()
    for (const device of [desktop, other]) goOnline(hub, device)
    await link(desktop, other)
  }
  const forget = async () => {
    const forgets = desktop.ledger.live().map(({ dot, root }) => ({ dot, root, reason: 'person' as const }))
    await desktop.ledger.forget(forgets)
  }

  it('U7.5 a forgotten root is not fetched', async () => {
    const dead = await announce(desktop, 'dead', 3)
    await forget()
    const alive = await announce(desktop, 'alive', 3)
    await meet()
    await until(other, () => other.store.isHeld(alive))
    assert.equal(other.store.has(dead), false)
    assert.deepEqual(other.troubles, [])
  })

  it('U7.5 one that is forgotten while it is fetched is given up, without a trouble', async () => {
    const root = await announce(desktop, 'long', 400)
    const put = other.store.put.bind(other.store)
    let came = 0
    other.store.put = async (id, bytes) => {
      if (++came === 20) {
        await forget()
        await until(other, () => !other.ledger.isLive(root))
      }
      return await put(id, bytes)
    }
    await meet()
    await until(other, () => came >= 20 && !other.ledger.isLive(root))
    while (other.online?.replicator.fetching !== undefined)
      await new Promise((resolve) => setImmediate(resolve))
    assert.equal(other.store.isHeld(root), false)
    assert.ok(came < 400)
    assert.deepEqual(other.troubles, [])
  })

  it('U7.2 a fetch makes way, and goes on where it was', async () => {
    const root = await announce(desktop, 'long', 400)
    const put = other.store.put.bind(other.store)
    let came = 0
    let isAlone = false
    let paused: Promise<void> | undefined
    other.store.put = async (id, bytes) => {
      assert.equal(isAlone, false, 'nothing comes meanwhile')
      if (++came === 20) {
        paused = other.online?.replicator.pauseWhile(async () => {
          isAlone = true
          assert.equal(other.online?.replicator.fetching, undefined)
          await new Promise((resolve) => setImmediate(resolve))
          isAlone = false
        })
      }
      return await put(id, bytes)
    }
    await meet()
    await until(other, () => other.store.isHeld(root))
    await paused
    assert.ok(paused !== undefined && came < 800)
    assert.deepEqual(other.troubles, [])
  })
})
