/** The side that keeps what others upload: what it promises, to whom, and until when (W7, R6.7). */
import assert from 'node:assert/strict'
import {
  changeMember,
  type ChunkId,
  decodeFrame,
  depositsOpenMax,
  encodeChunkFrame,
  encodeMessage,
  type Message,
  removeMember,
  type RootId,
  type UploadId,
  UPLOAD_PROTOCOL,
  uploadsPerDeviceMax,
} from '../../../../protocol/index.ts'
import type { Channel } from '../../../../node/network.ts'
import { testChunk, type TestChunk } from '../../../support/chunks.ts'
import { saying, testSigner } from '../../../support/mesh.ts'
import { contentOf, idsOf, type UploadDevice, uploadMesh, type UploadMesh } from './upload-mesh.ts'

const UPLOAD = 'ab'.repeat(16) as UploadId
const signal = (): AbortSignal => AbortSignal.timeout(10_000)

describe('keeping the uploads of others', () => {
  let mesh: UploadMesh
  let laptop: UploadDevice
  let holder: UploadDevice
  let channel: Channel

  const start = async (options: Parameters<typeof uploadMesh>[0] = {}): Promise<void> => {
    mesh = await uploadMesh(options)
    laptop = mesh.laptop
    holder = mesh.holders[0] ?? assert.fail()
    await mesh.link(laptop, holder)
    channel = await laptop.network.open(holder.device, UPLOAD_PROTOCOL, signal())
  }
  afterEach(() => mesh.close())

  const say = (message: Message): Promise<void> => channel.send(encodeMessage(message))
  const hear = async (): Promise<Message> => {
    const frame = (await channel.receive(signal())) ?? assert.fail('the stream has ended')
    const decoded = decodeFrame(frame)
    return decoded.kind === 'message' ? decoded.message : assert.fail('a chunk')
  }
  const isGone = async (): Promise<void> => {
    await assert.rejects(
      async () => {
        while ((await channel.receive(signal())) !== undefined);
      },
      { code: 'PEER_GONE' },
    )
  }
  const openUpload = async (upload = UPLOAD): Promise<void> => {
    await say({ type: 'uploadOpen', upload })
    assert.equal((await hear()).type, 'uploadReady')
  }
  const send = (request: number, chunk: TestChunk): Promise<void> =>
    channel.send(encodeChunkFrame(request, chunk.bytes))
  /** Uploads chunks, each of which the holder lacks. */
  const deposit = async (request: number, chunks: readonly TestChunk[]): Promise<void> => {
    await say({ type: 'deposit', request, ids: idsOf(chunks) })
    assert.deepEqual(await hear(), { type: 'lacking', request, ids: idsOf(chunks) })
    for (const chunk of chunks) await send(request, chunk)
    assert.deepEqual(await hear(), { type: 'durable', request })
  }
  const finish = async (roots: readonly RootId[]): Promise<void> => {
    await say({ type: 'uploadClose', request: 99, roots })
    assert.deepEqual(await hear(), { type: 'durable', request: 99 })
  }
  /** Everything that may go goes. */
  const reap = (device = holder) => device.reaper.reap({ signal: signal(), unfinished: true })
  const reopen = async (): Promise<void> => {
    holder = await mesh.restart(holder)
    await mesh.link(laptop, holder)
    channel = await laptop.network.open(holder.device, UPLOAD_PROTOCOL, signal())
  }

  it('E2.2: stores what it lacks, and keeps all of it, also what was there, over a restart', async () => {
    await start()
    const [there, ...content] = contentOf('content', 6)
    assert.ok(there)
    await holder.store.put(there.id, there.bytes)
    await openUpload()
    await say({ type: 'deposit', request: 7, ids: [there.id, ...idsOf(content)] })
    assert.deepEqual(await hear(), { type: 'lacking', request: 7, ids: idsOf(content) })
    for (const chunk of content) await send(7, chunk)
    assert.deepEqual(await hear(), { type: 'durable', request: 7 })
    const other = testChunk('nobody asked for it')
    await holder.store.put(other.id, other.bytes)
    for (const time of ['before', 'after']) {
      await reap()
      assert.deepEqual(holder.store.missing([there.id, ...idsOf(content)]), [], time)
      assert.equal(holder.store.has(other.id), false)
      await reopen()
    }
    assert.equal(holder.keeper.uploads().length, 1)
  })

  it('E2.1, R6.7: keeps what is named from the moment in which it looks for it', async () => {
    await start()
    const [chunk] = contentOf('content', 1)
    assert.ok(chunk)
    await holder.store.put(chunk.id, chunk.bytes)
    await openUpload()
    const lacking = testChunk('never sent')
    await say({ type: 'deposit', request: 1, ids: [chunk.id, lacking.id] })
    assert.deepEqual(await hear(), { type: 'lacking', request: 1, ids: [lacking.id] })
    await reap()
    assert.equal(holder.store.has(chunk.id), true, 'it was told that this one is here')
    await channel.close()
    while ((await channel.receive(signal())) !== undefined);
    await reap()
    assert.equal(holder.store.has(chunk.id), false, 'nothing was promised')
  })

  it('promises nothing of what the owner cannot send', async () => {
    await start()
    const [first, second] = contentOf('content', 2)
    assert.ok(first && second)
    await openUpload()
    await say({ type: 'deposit', request: 1, ids: [first.id, second.id] })
    await hear()
    await say({ type: 'absent', request: 1, ids: [first.id] })
    await send(1, second)
    assert.deepEqual(await hear(), { type: 'durable', request: 1 })
    assert.deepEqual(
      [first, second].map(({ id }) => holder.keeper.isPromised(id)),
      [false, true],
    )
  })

  it('goes on with an upload in another stream, and asks for nothing twice', async () => {
    await start()
    const content = contentOf('content', 3)
    await openUpload()
    await deposit(1, content)
    channel.abort(new Error('the laptop fell asleep'))
    await reopen()
    await openUpload()
    await say({ type: 'deposit', request: 1, ids: idsOf(content) })
    assert.deepEqual(await hear(), { type: 'lacking', request: 1, ids: [] })
    assert.deepEqual(await hear(), { type: 'durable', request: 1 })
    assert.equal(holder.keeper.uploads().length, 1)
  })

  it('has several deposits under way, and says of each when it is durable', async () => {
    await start()
    await openUpload()
    const batches = Array.from({ length: depositsOpenMax }, (_, at) => contentOf(`batch ${String(at)}`, 3))
    for (const [request, batch] of batches.entries())
      await say({ type: 'deposit', request, ids: idsOf(batch) })
    for (const [request, batch] of batches.entries())
      assert.deepEqual(await hear(), { type: 'lacking', request, ids: idsOf(batch) })
    for (const [request, batch] of [...batches.entries()].reverse())
      for (const chunk of batch) await send(request, chunk)
    const durable = new Set<unknown>()
    for (const _ of batches) durable.add(((await hear()) as { request: number }).request)
    assert.equal(durable.size, depositsOpenMax)
  })

  describe('W7.2: breaks the stream off', () => {
    const [chunk, other] = contentOf('content', 2)
    const faults: Record<string, () => Promise<void>> = {
      'when a deposit comes before the upload': () => say({ type: 'deposit', request: 1, ids: [id(chunk)] }),
      'when a chunk comes before the upload': () => send(1, chunk ?? assert.fail()),
      'when a second upload is opened': async () => {
        await openUpload()
        await say({ type: 'uploadOpen', upload: 'cd'.repeat(16) as UploadId })
      },
      'when a chunk comes that nobody lacks': async () => {
        await openUpload()
        await send(1, chunk ?? assert.fail())
      },
      'when another chunk comes than the one that is lacking': async () => {
        await openUpload()
        await say({ type: 'deposit', request: 1, ids: [id(chunk)] })
        await hear()
        await send(1, other ?? assert.fail())
      },
      'when a chunk is withheld that is not the next': async () => {
        await openUpload()
        await say({ type: 'deposit', request: 1, ids: [id(chunk), id(other)] })
        await hear()
        await say({ type: 'absent', request: 1, ids: [id(other)] })
      },
      'when one number stands for two deposits': async () => {
        await openUpload()
        await say({ type: 'deposit', request: 1, ids: [id(chunk)] })
        await hear()
        await say({ type: 'deposit', request: 1, ids: [id(other)] })
      },
      'when too many deposits are under way': async () => {
        await openUpload()
        for (let request = 0; request <= depositsOpenMax; request++)
          await say({ type: 'deposit', request, ids: [testChunk(`lacking ${String(request)}`).id] })
      },
      'when something else comes': async () => {
        await openUpload()
        await say({ type: 'ping' })
      },
    }
    for (const [name, fault] of Object.entries(faults))
      it(name, async () => {
        await start()
        await fault().catch(() => undefined) // it may be over before all is sent
        await isGone()
        assert.deepEqual(holder.store.missing([id(chunk), id(other)]).length, 2)
        assert.equal(holder.keeper.isPromised(id(chunk)), false)
      })
  })

  describe('W7.4: takes nothing', () => {
    const isTold = async (code: string): Promise<void> => {
      const message = await hear()
      assert.deepEqual([message.type, (message as { code?: string }).code], ['error', code])
    }

    it('of a device that may not lean', async () => {
      await start({ leans: false })
      await openUpload()
      await say({ type: 'deposit', request: 1, ids: [testChunk('one').id] })
      await isTold('NOT_ENTITLED')
    })

    it('where nothing is stored for others', async () => {
      await start()
      await mesh.link(holder, laptop)
      channel = await holder.network.open(laptop.device, UPLOAD_PROTOCOL, signal())
      await say({ type: 'uploadOpen', upload: UPLOAD })
      await isTold('NOT_ENTITLED')
    })

    it('beyond so many uploads of one device', async () => {
      await start()
      for (let at = 0; at < uploadsPerDeviceMax; at++) {
        await openUpload(at.toString(16).padStart(32, '0') as UploadId)
        channel = await laptop.network.open(holder.device, UPLOAD_PROTOCOL, signal())
      }
      await say({ type: 'uploadOpen', upload: UPLOAD })
      await isTold('PEER_BUSY')
      channel = await laptop.network.open(holder.device, UPLOAD_PROTOCOL, signal())
      await openUpload('0'.repeat(32) as UploadId)
    })

    it('beyond its quota, says so, and keeps what it called durable', async () => {
      await start({ quotaBytes: 5000 })
      const [first, second] = [contentOf('first', 3), contentOf('second', 3)]
      let isFull = false
      holder.room = { isFull: false, failed: () => (isFull = true) }
      channel = await laptop.network.open(holder.device, UPLOAD_PROTOCOL, signal())
      await openUpload()
      await deposit(1, first)
      await say({ type: 'deposit', request: 2, ids: idsOf(second) })
      await hear()
      for (const chunk of second) await send(2, chunk).catch(() => undefined)
      await isTold('QUOTA_EXCEEDED')
      assert.equal(isFull, true)
      await reap()
      assert.deepEqual(holder.store.missing(idsOf(first)), [])
      assert.deepEqual(holder.store.missing(idsOf(second)).length, 3, 'what was under way is not kept')
    })

    it('while it is full, and says that it has no room', async () => {
      await start()
      holder.room.isFull = true
      await say({ type: 'uploadOpen', upload: UPLOAD })
      assert.deepEqual(await hear(), { type: 'uploadReady', roomBytes: 0 })
    })
  })

  describe('R6.7: keeps it', () => {
    let content: TestChunk[]
    let root: TestChunk

    beforeEach(async () => {
      await start({ storers: 1 })
      content = contentOf('content', 4)
      root = testChunk('root', idsOf(content))
      await openUpload()
      await deposit(1, content)
    })

    const isKept = async (): Promise<boolean> => {
      await holder.keeper.review(signal())
      await reap()
      const lacking = holder.store.missing(idsOf(content)).length
      assert.ok(lacking === 0 || lacking === content.length)
      return lacking === 0
    }
    const announce = async (): Promise<void> => {
      await laptop.ledger.announce({ root: root.id, source: new Uint8Array(16), sizeClass: 1 })
      await tell(laptop)
    }
    /** Signs what a device has to say, and brings it to the holder. */
    const tell = async (device: UploadDevice, ...holds: RootId[]): Promise<void> => {
      await device.ledger.publish({ ...saying(...holds), leans: device === laptop })
      const theirs = device.ledger.headOf(device.device)?.head ?? assert.fail()
      for (const other of [holder, laptop, ...mesh.holders]) {
        if (other === device) continue
        const { heads, body } = device.ledger.listingSince({ ...theirs, fromSeq: 1 })
        await other.ledger.acceptListing(heads, body)
      }
    }

    it('until its owner gives it up', async () => {
      assert.equal(await isKept(), true)
      await finish([])
      assert.equal(await isKept(), false)
      assert.equal(holder.keeper.uploads().length, 0)
    })

    it('while the root is not known, lives and is not whole here; and lets go once it is held', async () => {
      await finish([root.id])
      assert.equal(await isKept(), true)
      await announce()
      assert.equal(await isKept(), true)
      await holder.store.put(root.id, root.bytes)
      await holder.store.hold(root.id)
      assert.equal(await isKept(), true, 'the root holds it')
      assert.equal(holder.keeper.uploads().length, 0)
    })

    it('until the root is forgotten', async () => {
      await announce()
      await finish([root.id])
      const [live] = holder.ledger.live()
      assert.ok(live)
      await holder.ledger.forget([{ dot: live.dot, root: root.id, reason: 'person' }])
      assert.equal(await isKept(), true, 'it is not said yet')
      await holder.ledger.publish(saying())
      assert.equal(await isKept(), false)
    })

    it('until each root that it was for is held, not only one of them', async () => {
      const second = testChunk('second root', [content[0]?.id ?? root.id])
      await finish([root.id])
      await finish([second.id])
      await holder.store.put(second.id, second.bytes)
      await holder.store.hold(second.id)
      assert.equal(await isKept(), true)
      assert.deepEqual(holder.keeper.uploads()[0]?.roots, [root.id, second.id])
    })

    it('until its owner is removed, and over any time', async () => {
      const [keeper] = [testSigner(1)]
      await holder.ledger.changeMembership((before) =>
        removeMember(before, keeper, { device: laptop.device, atMs: 0 }),
      )
      assert.equal(await isKept(), false)
    })

    it('also when its owner may not lean any more: what it announced is still to come', async () => {
      await announce()
      await finish([root.id])
      await holder.ledger.changeMembership((before) =>
        changeMember(before, testSigner(1), {
          device: laptop.device,
          atMs: 0,
          capabilities: new Set(['backup', 'read']),
        }),
      )
      assert.equal(await isKept(), true)
    })

    it('when two histories of the membership were seen: nobody knows who was removed (R8)', async () => {
      Object.defineProperty(holder.ledger, 'isMembershipForked', { value: true })
      await holder.ledger.changeMembership((before) =>
        removeMember(before, testSigner(1), { device: laptop.device, atMs: 0 }),
      )
      await holder.keeper.review(signal())
      assert.equal(holder.keeper.uploads().length, 1)
    })

    it('E2.3: and forgets what ended uploads kept, also after a restart in between', async () => {
      const [upload] = holder.keeper.uploads()
      assert.ok(upload)
      await finish([])
      await reopen()
      assert.equal(holder.keeper.uploads().length, 0)
      await holder.keeper.review(signal())
      const left: string[] = []
      for await (const [key] of holder.catalog.sub('uploads').iterate()) left.push(key)
      assert.deepEqual(left, [])
    })
  })

  function id(chunk: TestChunk | undefined): ChunkId {
    return chunk?.id ?? assert.fail()
  }
})
