/**
 * Whole exchanges between real ledgers and stores over links in memory: what is announced comes to be held, and is
 * said to be.
 */
import assert from 'node:assert/strict'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import { Online } from '../../../../node/online.ts'
import { fetchClosure } from '../../../../node/replication/fetcher.ts'
import { PeerSource } from '../../../../node/replication/peer-source.ts'
import { CHUNKS_PROTOCOL, decodeFrame, encodeChunkFrame, encodeMessage } from '../../../../protocol/index.ts'
import { testTree } from '../../../support/chunks.ts'
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
  withCode,
} from '../../../support/mesh.ts'

const signal = () => AbortSignal.timeout(10_000)

describe('devices online', () => {
  let devices: TestDevice[] = []
  let hub: MemoryHub

  const mesh = async (roles: Parameters<typeof testMembership>[0], isOnline = true) => {
    hub = new MemoryHub()
    const { membership, signers } = testMembership(roles)
    devices = await Promise.all(signers.map((signer) => testDevice(signer, membership)))
    if (isOnline) for (const device of devices) goOnline(hub, device)
    return devices as [TestDevice, TestDevice, TestDevice]
  }

  afterEach(async () => {
    for (const device of devices) await goOffline(device)
    for (const device of devices)
      assert.deepEqual(
        device.troubles.filter((one) => one.kind === 'trouble' && one.code === 'LISTING_FORK'),
        [],
      )
  })

  it('bring a snapshot to each other, and the receipt back', async () => {
    const [desktop, laptop] = await mesh(['writer'])
    const root = await announce(laptop, 'one', 50)
    await link(laptop, desktop)
    await until(laptop, () => laptop.ledger.copies(root).holders.length === 2)
    assert.equal(desktop.store.isHeld(root), true)
    assert.deepEqual(laptop.ledger.copies(root).missing, [])
  })

  it('pass on through a third what two that never meet have to tell', async () => {
    const [pi, laptop, desktop] = await mesh(['writer', 'keeper'])
    hub.cut(laptop.signer.device, desktop.signer.device)
    const root = await announce(laptop, 'relay', 20)
    await link(laptop, pi)
    await link(desktop, pi)
    await until(laptop, () => laptop.ledger.copies(root).holders.length === 3)
    assert.equal(desktop.store.isHeld(root), true)
  })

  it('sign nothing alone, and say all at the first contact', async () => {
    const [desktop, laptop] = await mesh(['writer'])
    const first = await announce(laptop, 'first', 3)
    const second = await announce(laptop, 'second', 3)
    laptop.online?.publishSoon()
    await laptop.ledger.idle()
    assert.equal(laptop.ledger.headOf(laptop.signer.device), undefined, 'R11: no listing before contact')
    assert.deepEqual(
      laptop.ledger.live().map((live) => live.root),
      [first, second].sort(
        (a, b) => laptop.ledger.firstSeenMs(a) - laptop.ledger.firstSeenMs(b) || (a < b ? -1 : 1),
      ),
    )
    await link(laptop, desktop)
    await until(desktop, () => desktop.store.isHeld(first) && desktop.store.isHeld(second))
    assert.equal(laptop.ledger.headOf(laptop.signer.device)?.head.seq !== undefined, true)
  })

  it('send nothing twice that was fetched before an interruption', async () => {
    const [desktop, laptop] = await mesh(['writer'])
    const { root, chunks } = testTree('resume', 40)
    for (const { id, bytes } of chunks.slice(0, 25)) await desktop.store.put(id, bytes)
    await desktop.store.commit()
    let served = 0
    laptop.events.on((event) => {
      if (event.kind === 'served') served++
    })
    await announce(laptop, 'resume', 40)
    await link(laptop, desktop)
    await until(laptop, () => laptop.ledger.copies(root.id).holders.length === 2)
    assert.equal(served, 16, 'the root and the 15 leaves that were not there')
  })

  it('fetch from several peers what no single one has whole', async () => {
    const [desktop, laptop, pi] = await mesh(['writer', 'storer'])
    const { root, chunks } = testTree('spread', 30)
    for (const [at, { id, bytes }] of chunks.entries())
      await (at % 2 === 0 ? laptop : pi).store.put(id, bytes)
    await laptop.store.put(root.id, root.bytes)
    await link(desktop, laptop)
    await link(desktop, pi)
    const open = (peer: typeof desktop.signer.device, within: AbortSignal) =>
      desktop.network!.open(peer, CHUNKS_PROTOCOL, within)
    const parts = { store: desktop.store, clock: systemWorld.clock, open }
    await fetchClosure(parts, root.id, { peers: [laptop.signer.device, pi.signer.device], signal: signal() })
    await desktop.store.hold(root.id)
    assert.equal(desktop.store.isComplete(root.id), true)
  })

  it('go on fetching after an error that is none of theirs', async () => {
    const [desktop, laptop] = await mesh(['writer'])
    const network = desktop.network!
    const open = network.open.bind(network)
    let failures = 0
    network.open = async (device, protocol, within) => {
      if (protocol === CHUNKS_PROTOCOL && failures++ === 0) throw new Error('the system is out of order')
      return await open(device, protocol, within)
    }
    const root = await announce(laptop, 'in spite of all', 3)
    await link(laptop, desktop)
    await until(desktop, () => desktop.store.isHeld(root))
    assert.equal(failures, 2)
    assert.deepEqual(
      desktop.troubles.map((one) => one.kind === 'trouble' && one.code),
      ['PEER_ERROR'],
    )
  })

  it('go on fetching after an error in the middle of it', async () => {
    const [desktop, laptop] = await mesh(['writer'], false)
    goOnline(hub, laptop)
    const fast = {
      ...systemWorld.clock,
      sleep: (ms: number, end: AbortSignal) => systemWorld.clock.sleep(ms / 100, end),
    }
    const { isWanted } = desktop.ledger
    let failures = 0
    desktop.ledger.isWanted = (root) => {
      if (failures++ === 0) throw new Error('a fault of our own')
      return isWanted.call(desktop.ledger, root)
    }
    goOnline(hub, desktop, fast)
    const root = await announce(laptop, 'all the same', 3)
    await link(laptop, desktop)
    await until(desktop, () => desktop.store.isHeld(root))
    assert.ok(failures > 1)
    assert.match(JSON.stringify(desktop.troubles), /a fault of our own/)
  })

  it('try again at once when another device in reach has come to hold a snapshot', async () => {
    const [desktop, laptop, pi] = await mesh(['writer', 'storer'], false)
    for (const device of [laptop, pi]) goOnline(hub, device)
    // The rest after a failure never ends by itself.
    goOnline(hub, desktop, { ...systemWorld.clock, monotonicMs: () => 0 })
    hub.cut(laptop.signer.device, pi.signer.device)
    const network = desktop.network!
    const open = network.open.bind(network)
    network.open = async (device, protocol, within) => {
      if (protocol === CHUNKS_PROTOCOL && device === laptop.signer.device) throw new Error('out of order')
      return await open(device, protocol, within)
    }
    await link(pi, desktop)
    const root = await announce(laptop, 'hope', 5)
    await link(laptop, desktop)
    await until(desktop, () => desktop.troubles.length > 0)
    for (const { id, bytes } of testTree('hope', 5).chunks) await pi.store.put(id, bytes)
    await pi.store.hold(root)
    pi.online?.publishSoon()
    await until(desktop, () => desktop.store.isHeld(root))
  })

  it('fetch again what a held snapshot has lost', async () => {
    const [desktop, laptop] = await mesh(['writer'])
    const root = await announce(laptop, 'lost', 20)
    await link(laptop, desktop)
    await until(desktop, () => desktop.store.isHeld(root))
    const lost = desktop.store.links(root)[3]!
    await desktop.store.quarantine(lost)
    assert.equal(desktop.store.isComplete(root), false)
    desktop.events.emit({ kind: 'view' })
    await until(desktop, () => desktop.store.isComplete(root))
  })

  it('say later what could not be written down', async () => {
    const [desktop, laptop] = await mesh(['writer'], false)
    goOnline(hub, desktop)
    const fast = {
      ...systemWorld.clock,
      sleep: (ms: number, end: AbortSignal) => systemWorld.clock.sleep(ms / 100, end),
    }
    const network = memoryNetwork(hub, { device: laptop.signer.device })
    network.members(new Set(laptop.ledger.membership.members.keys()))
    const { ledger, store, events } = laptop
    const { random } = systemWorld
    const online = new Online({ ledger, store, network, clock: fast, random, events })
    Object.assign(laptop, { network, online })
    laptop.online?.start()
    await link(laptop, desktop)
    await until(laptop, () => ledger.headOf(laptop.signer.device) !== undefined)
    const first = await announce(laptop, 'first', 3)
    await until(laptop, () => ledger.copies(first).holders.length === 2)
    await ledger.idle()
    // From here on nothing happens that would remind it.
    const { publish } = ledger
    let failures = 0
    ledger.publish = async (holds) => {
      if (failures++ === 0) throw new Error('no room')
      return await publish.call(ledger, holds)
    }
    const late = await announce(laptop, 'late', 3)
    await until(desktop, () => desktop.store.isHeld(late))
    assert.equal(failures >= 2, true)
  })

  it('say which chunk nobody has, and hold nothing', async () => {
    const [desktop, laptop] = await mesh(['writer'])
    const { root, chunks } = testTree('hole', 10)
    for (const { id, bytes } of chunks.slice(1)) await laptop.store.put(id, bytes)
    await link(desktop, laptop)
    const open = (peer: typeof desktop.signer.device, within: AbortSignal) =>
      desktop.network!.open(peer, CHUNKS_PROTOCOL, within)
    const fetch = fetchClosure({ store: desktop.store, clock: systemWorld.clock, open }, root.id, {
      peers: [laptop.signer.device],
      signal: signal(),
    })
    await assert.rejects(fetch, (error: { code: string; context: { chunk: string } }) => {
      return error.code === 'CHUNK_NOT_FOUND' && error.context.chunk === chunks[0]?.id
    })
    await assert.rejects(desktop.store.hold(root.id), withCode('CLOSURE_INCOMPLETE'))
  })

  it('take no chunk that is not what its id says, and the right one from another peer', async () => {
    const [desktop, laptop, pi] = await mesh(['writer', 'storer'], false)
    const { root, chunks } = testTree('liar', 5)
    for (const { id, bytes } of chunks) await pi.store.put(id, bytes)
    goOnline(hub, desktop)
    goOnline(hub, pi)
    goOnline(hub, laptop)
    await laptop.online?.close()
    const seen: string[] = []
    laptop.network?.handle(CHUNKS_PROTOCOL, 'members', async (channel) => {
      for (let frame = await channel.receive(); frame !== undefined; frame = await channel.receive()) {
        const decoded = decodeFrame(frame)
        if (decoded.kind !== 'message') return
        if (decoded.message.type === 'corrupt') seen.push(...decoded.message.ids)
        if (decoded.message.type !== 'want') continue
        for (const _ of decoded.message.ids)
          await channel.send(
            encodeChunkFrame(
              decoded.message.request,
              root.bytes.map((byte) => byte ^ 1),
            ),
          )
        await channel.send(encodeMessage({ type: 'done', request: decoded.message.request }))
      }
    })
    await link(desktop, laptop)
    await link(desktop, pi)
    const source = new PeerSource({
      network: desktop.network!,
      clock: systemWorld.clock,
      peers: [laptop.signer.device, pi.signer.device],
    })
    for (const { id, bytes } of chunks)
      assert.deepEqual(Buffer.from(await source.get(id, signal())), Buffer.from(bytes))
    await source.close()
    const open = (peer: typeof desktop.signer.device, within: AbortSignal) =>
      desktop.network!.open(peer, CHUNKS_PROTOCOL, within)
    await fetchClosure({ store: desktop.store, clock: systemWorld.clock, open }, root.id, {
      peers: [laptop.signer.device, pi.signer.device],
      signal: signal(),
    })
    await desktop.store.hold(root.id)
    assert.ok(seen.length > 0, 'the peer was told')
  })

  it('take no word of a peer on the state of their own disk', async () => {
    const [desktop, laptop] = await mesh(['writer'], false)
    goOnline(hub, desktop)
    goOnline(hub, laptop)
    laptop.network?.handle(CHUNKS_PROTOCOL, 'members', async (channel) => {
      await channel.receive()
      await channel.send(encodeMessage({ type: 'error', code: 'STORE_FULL', message: 'yours' }))
      await channel.receive()
    })
    await announce(laptop, 'refused', 3)
    await link(laptop, desktop)
    await until(desktop, () => desktop.troubles.length > 0)
    assert.deepEqual(
      desktop.troubles.map((one) => one.kind === 'trouble' && one.code),
      ['PEER_ERROR'],
    )
    assert.equal(desktop.online?.room.isFull, false)
  })

  it('cut off a peer that answers what was not asked', async () => {
    const [desktop, laptop] = await mesh(['writer'], false)
    goOnline(hub, desktop)
    goOnline(hub, laptop)
    await laptop.online?.close()
    laptop.network?.handle(CHUNKS_PROTOCOL, 'members', async (channel) => {
      await channel.receive()
      await channel.send(encodeChunkFrame(77, new Uint8Array(100)))
      await channel.receive()
    })
    await link(desktop, laptop)
    const source = new PeerSource({
      network: desktop.network!,
      clock: systemWorld.clock,
      peers: [laptop.signer.device],
    })
    await assert.rejects(source.get(testTree('x', 1).root.id, signal()), withCode('PEER_PROTOCOL'))
    await source.close()
  })
})
