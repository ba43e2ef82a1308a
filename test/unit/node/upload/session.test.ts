/** The side that uploads: bounded staging, holders that come and go, what a session may count on (spec/upload.md). */
import assert from 'node:assert/strict'
import {
  CellarError,
  type ChunkId,
  decodeFrame,
  encodeChunkFrame,
  encodeMessage,
  isCellarError,
  type Message,
  type UploadId,
  UPLOAD_PROTOCOL,
} from '../../../../protocol/index.ts'
import type { Channel } from '../../../../node/network.ts'
import { UploadNotes } from '../../../../node/upload/notes.ts'
import type { SessionUpload } from '../../../../node/upload/session.ts'
import { testChunk, type TestChunk } from '../../../support/chunks.ts'
import { saying } from '../../../support/mesh.ts'
import { ManualClock, settle } from '../manual-clock.ts'
import { contentOf, idsOf, stagedOf, type UploadDevice, uploadMesh, type UploadMesh } from './upload-mesh.ts'

const signal = (): AbortSignal => AbortSignal.timeout(10_000)
const stagingBytes = 20_000

describe('a session on a device with little room', () => {
  let mesh: UploadMesh
  let laptop: UploadDevice
  let desktop: UploadDevice
  let session: SessionUpload | undefined
  let told: string[]

  const start = async (options: Parameters<typeof uploadMesh>[0] = {}): Promise<void> => {
    mesh = await uploadMesh(options)
    laptop = mesh.laptop
    desktop = mesh.holders[0] ?? assert.fail()
  }
  const begin = async (): Promise<SessionUpload> => {
    told = []
    session = await laptop.own.begin({
      stagingBytes,
      signal: signal(),
      onHolder: (device) => told.push(device),
    })
    return session ?? assert.fail('nothing is bounded')
  }
  const end = async (): Promise<void> => {
    if (session !== undefined) await laptop.own.end(session)
    session = undefined
  }
  afterEach(async () => {
    await end()
    await mesh.close()
  })

  /** Stores as a backup does. @returns the most that was staged */
  const store = async (bounded: SessionUpload, chunks: readonly TestChunk[]): Promise<number> => {
    let most = 0
    for (const chunk of chunks) {
      if (laptop.store.has(chunk.id) || bounded.has(chunk.id)) continue
      const release = await bounded.reserve(chunk.bytes.byteLength)
      await laptop.store.put(chunk.id, chunk.bytes)
      bounded.staged(stagedOf([chunk]))
      release()
      most = Math.max(most, laptop.store.stats().bytes)
    }
    return most
  }
  /** Waits for what must come, turn by turn. */
  const until = async (what: string, isSo: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 2000; turn++) {
      if (isSo()) return
      await new Promise(setImmediate)
    }
    assert.fail(`it never came that ${what}`)
  }
  const isKept = (bounded: SessionUpload, chunks: readonly TestChunk[]): boolean =>
    chunks.every(({ id }) => laptop.store.has(id) || bounded.has(id))
  const goneOf = (chunks: readonly TestChunk[]): TestChunk[] =>
    chunks.filter(({ id }) => !laptop.store.has(id))

  it('is not bounded where all is kept, and no bound is set', async () => {
    await start({ leans: false })
    const options = { stagingBytes: undefined, signal: signal(), onHolder: () => undefined }
    assert.equal(await laptop.own.begin(options), undefined)
  })

  it('stores within its bound more than the bound, and can count on all of it', async () => {
    await start()
    await mesh.link(laptop, desktop)
    const content = contentOf('content', 200)
    const bounded = await begin()
    const most = await store(bounded, content)
    assert.ok(most <= stagingBytes + 4096, String(most))
    assert.equal(isKept(bounded, content), true)
    const gone = goneOf(content)
    assert.ok(gone.length > 150)
    assert.deepEqual(desktop.store.missing(idsOf(gone)), [])
    assert.equal(
      gone.every(({ id }) => desktop.keeper.isPromised(id)),
      true,
    )
    assert.deepEqual(told, [desktop.device])
  })

  it('R10: drops nothing that it could not note, and ends with what kept it from noting', async () => {
    await start()
    await mesh.link(laptop, desktop)
    const content = contentOf('content', 100)
    const bounded = await begin()
    let noted = 0
    laptop.map.beforeBatch = (): void => {
      if (++noted > 4) throw new CellarError('STORE_FULL', 'the disk of the catalog is full')
    }
    await assert.rejects(store(bounded, content), { code: 'STORE_FULL' })
    await end()
    laptop.map.beforeBatch = undefined
    const notes = await UploadNotes.open(laptop.catalog.sub('own-uploads'))
    const [upload] = notes.uploads()
    const stored = content.slice(0, 20)
    for (const { id } of stored)
      assert.ok(
        laptop.store.has(id) || notes.holderOf(upload?.upload ?? assert.fail(), id) === desktop.device,
      )
    assert.ok(stored.some(({ id }) => laptop.store.has(id) && desktop.keeper.isPromised(id)))
  })

  it('sends nothing while there is room', async () => {
    await start()
    await mesh.link(laptop, desktop)
    const bounded = await begin()
    await store(bounded, contentOf('content', 5))
    assert.equal(desktop.keeper.uploads().length, 0)
    assert.equal(laptop.store.stats().pending, 5)
  })

  it('sends what a holder has already by name only', async () => {
    await start()
    await mesh.link(laptop, desktop)
    const content = contentOf('content', 100)
    for (const { id, bytes } of content) await desktop.store.put(id, bytes)
    let bytes = 0
    desktop.events.on((event) => {
      if (event.kind === 'deposited') bytes += event.bytes
    })
    const bounded = await begin()
    await store(bounded, content)
    assert.equal(isKept(bounded, content), true)
    assert.equal(bytes, 0)
  })

  it('goes on with another holder when one goes away; what the first has stays good', async () => {
    await start({ storers: 1 })
    const other = mesh.holders[1] ?? assert.fail()
    await mesh.link(laptop, desktop)
    const [first, second] = [contentOf('first', 60), contentOf('second', 60)]
    const bounded = await begin()
    await store(bounded, first)
    const early = goneOf(first)
    await mesh.link(laptop, other)
    mesh.hub.cut(laptop.device, desktop.device)
    await store(bounded, second)
    assert.equal(isKept(bounded, [...first, ...second]), true)
    assert.deepEqual(told, [desktop.device, other.device])
    assert.equal(early.length > 0 && early.every(({ id }) => desktop.keeper.isPromised(id)), true)
    assert.equal(
      goneOf(second).every(({ id }) => other.keeper.isPromised(id)),
      true,
    )
  })

  it('passes over a device that says it has no room', async () => {
    await start({ storers: 1 })
    const other = mesh.holders[1] ?? assert.fail()
    desktop.room.isFull = true
    await mesh.link(laptop, desktop)
    await mesh.link(laptop, other)
    await store(await begin(), contentOf('content', 60))
    assert.equal(other.keeper.uploads().length, 1)
    assert.equal(desktop.store.stats().chunks, 0)
  })

  it('ends with NO_PEER when nobody comes, and keeps what it has for the next, which goes on', async () => {
    const clock = new ManualClock()
    await start({ clock })
    const content = contentOf('content', 60)
    const bounded = await begin()
    const stored = store(bounded, content).then(
      () => 'all',
      (error: unknown) => (isCellarError(error) ? error.code : String(error)),
    )
    await clock.advance(60_000)
    assert.equal(await stored, 'NO_PEER')
    await end()
    const kept = content.filter(({ id }) => laptop.store.has(id))
    assert.ok(kept.length > 10 && laptop.store.stats().bytes <= stagingBytes)
    await mesh.link(laptop, desktop)
    const again = await begin()
    await store(again, content)
    assert.equal(isKept(again, content), true)
    assert.equal(goneOf(kept).length > 0, true, 'what the first had staged was given away too')
  })

  it('says STORE_FULL when all in reach are full, and when it may not lean', async () => {
    const clock = new ManualClock()
    await start({ clock })
    desktop.room.isFull = true
    await mesh.link(laptop, desktop)
    const full = assert.rejects(store(await begin(), contentOf('content', 60)), { code: 'STORE_FULL' })
    for (let time = 0; time < 60; time++) await clock.advance(1000)
    await full
    await end()
    await mesh.close()
    await start({ leans: false })
    await mesh.link(laptop, desktop)
    await assert.rejects(store(await begin(), contentOf('content', 60)), { code: 'STORE_FULL' })
  })

  it('after a crash counts on what a holder confirms, and on nothing else', async () => {
    await start()
    await mesh.link(laptop, desktop)
    const content = contentOf('content', 60)
    await store(await begin(), content)
    const gone = goneOf(content)
    const lost = gone[3] ?? assert.fail()
    laptop = await mesh.restart(laptop)
    session = undefined
    await desktop.store.quarantine(lost.id)
    await mesh.link(laptop, desktop)
    const bounded = await begin()
    assert.equal(bounded.has(lost.id), false, 'it is made again')
    assert.equal(
      isKept(
        bounded,
        gone.filter((chunk) => chunk !== lost),
      ),
      true,
    )
    assert.equal(desktop.keeper.uploads().length, 1, 'it is the same upload')
    let bytes = 0
    desktop.events.on((event) => {
      if (event.kind === 'deposited') bytes += event.bytes
    })
    await store(bounded, content)
    assert.equal(isKept(bounded, content), true)
    assert.ok(bytes <= stagingBytes, 'nothing that is there is sent again')
  })

  it('counts on nobody who is away, and on him again once he is back', async () => {
    const clock = new ManualClock()
    await start({ clock })
    await mesh.link(laptop, desktop)
    const content = contentOf('content', 60)
    await store(await begin(), content)
    const gone = goneOf(content)
    await end()
    mesh.hub.cut(laptop.device, desktop.device)
    const beginning = begin()
    for (let time = 0; time < 20; time++) await clock.advance(1000)
    const bounded = await beginning
    assert.equal(
      gone.some(({ id }) => bounded.has(id)),
      false,
    )
    mesh.hub.mend(laptop.device, desktop.device)
    await mesh.link(laptop, desktop)
    await store(bounded, contentOf('more', 60))
    assert.equal(isKept(bounded, gone), true)
  })

  it('one after the other: what one gives away, another does not find and lose', async () => {
    await start()
    await mesh.link(laptop, desktop)
    const first = await begin()
    let isBegun = false
    const second = laptop.own
      .begin({ stagingBytes, signal: signal(), onHolder: () => undefined })
      .then((opened) => {
        isBegun = true
        return opened
      })
    await settle()
    assert.equal(isBegun, false)
    await laptop.own.end(first)
    session = await second
    assert.equal(isBegun, true)
  })

  it('that is closed lets nobody wait', async () => {
    await start({ clock: new ManualClock() })
    const bounded = await begin()
    const stored = assert.rejects(store(bounded, contentOf('content', 60)), { code: 'ABORTED' })
    await settle()
    await end()
    await stored
  })

  describe('tells its holders', () => {
    const root = testChunk('root')
    const give = async (): Promise<SessionUpload> => {
      await start()
      await mesh.link(laptop, desktop)
      const bounded = await begin()
      await store(bounded, contentOf('content', 60))
      return bounded
    }
    const announce = (chunk = root) =>
      laptop.ledger.announce({ root: chunk.id, source: new Uint8Array(16), sizeClass: 1 })
    const rootsAt = (device: UploadDevice) => device.keeper.uploads()[0]?.roots

    it('what the upload was for, once it is announced', async () => {
      const bounded = await give()
      await laptop.own.setRoot(bounded, root.id)
      await announce()
      await end()
      await laptop.own.settle(laptop.network, signal())
      assert.deepEqual(rootsAt(desktop), [root.id])
    })

    it('also later, and after a restart, as long as one was not in reach', async () => {
      const bounded = await give()
      await laptop.own.setRoot(bounded, root.id)
      await announce()
      mesh.hub.cut(laptop.device, desktop.device)
      await end()
      await laptop.own.settle(laptop.network, signal())
      assert.equal(rootsAt(desktop), undefined)
      laptop = await mesh.restart(laptop)
      mesh.hub.mend(laptop.device, desktop.device)
      await mesh.link(laptop, desktop)
      await laptop.own.settle(laptop.network, signal())
      assert.deepEqual(rootsAt(desktop), [root.id])
    })

    it('nothing of a root that was never announced: the next session goes on', async () => {
      const bounded = await give()
      await laptop.own.setRoot(bounded, root.id)
      laptop = await mesh.restart(laptop)
      session = undefined
      await mesh.link(laptop, desktop)
      await laptop.own.settle(laptop.network, signal())
      assert.equal(rootsAt(desktop), undefined)
      const again = await begin()
      assert.equal(again.upload, bounded.upload)
    })

    it('of earlier snapshots, too, that nobody holds yet: what they need may have gone with it', async () => {
      const bounded = await give()
      const earlier = testChunk('earlier')
      await laptop.store.put(earlier.id, earlier.bytes)
      await announce(earlier)
      await laptop.own.setRoot(bounded, root.id)
      await announce()
      await end()
      await laptop.own.settle(laptop.network, signal())
      assert.deepEqual([...(rootsAt(desktop) ?? [])].sort(), [earlier.id, root.id].sort())
    })

    it('that it is given up; then nothing is kept', async () => {
      await give()
      await end()
      await laptop.own.giveUp()
      await laptop.own.settle(laptop.network, signal())
      assert.deepEqual(desktop.keeper.uploads(), [])
      const left: string[] = []
      for await (const [key] of laptop.catalog.sub('own-uploads').iterate()) left.push(key)
      assert.deepEqual(left, [])
    })

    it('and forgets its notes when somebody holds what it was for', async () => {
      const bounded = await give()
      await laptop.own.setRoot(bounded, root.id)
      await announce()
      await end()
      await laptop.own.settle(laptop.network, signal())
      const notes = await UploadNotes.open(laptop.catalog.sub('own-uploads'))
      assert.equal(notes.uploads().length, 1)
      await desktop.ledger.publish(saying(root.id))
      const { head } = desktop.ledger.headOf(desktop.device) ?? assert.fail()
      const { heads, body } = desktop.ledger.listingSince({ ...head, fromSeq: 1 })
      await laptop.ledger.acceptListing(heads, body)
      await laptop.own.settle(laptop.network, signal())
      assert.deepEqual((await UploadNotes.open(laptop.catalog.sub('own-uploads'))).uploads(), [])
    })
  })

  describe('W7.3: counts on nothing that a holder says who', () => {
    const say = (channel: Channel, message: Message) => channel.send(encodeMessage(message))
    const other = testChunk('another').id
    const lies: Record<
      string,
      (channel: Channel, request: number, ids: readonly ChunkId[]) => Promise<void>
    > = {
      'lacks what was not deposited': (channel, request) =>
        say(channel, { type: 'lacking', request, ids: [other] }),
      'turns the order round': (channel, request, ids) =>
        say(channel, { type: 'lacking', request, ids: [...ids].reverse() }),
      'lacks one twice': (channel, request, ids) =>
        say(channel, { type: 'lacking', request, ids: [ids[0] ?? other, ids[0] ?? other] }),
      'ends before its turn': (channel, request) => say(channel, { type: 'durable', request }),
      'ends what was not begun': (channel) => say(channel, { type: 'durable', request: 77 }),
      'sends chunks': (channel) => channel.send(encodeChunkFrame(0, testChunk('one').bytes)),
      'says something else': (channel) => say(channel, { type: 'pong' }),
    }
    for (const [name, lie] of Object.entries(lies))
      it(name, async () => {
        const clock = new ManualClock()
        await start({ clock, storers: 1 })
        const liar = mesh.holders[1] ?? assert.fail()
        await liar.network.close()
        const { memoryNetwork } = await import('../../../../node/adapters/memory-network.ts')
        const network = memoryNetwork(mesh.hub, { device: liar.device })
        network.members(new Set(mesh.membership.members.keys()))
        let wasAsked = false
        network.handle(UPLOAD_PROTOCOL, 'members', async (channel) => {
          await channel.receive()
          await say(channel, { type: 'uploadReady', roomBytes: 2 ** 40 })
          for (let frame = await channel.receive(); frame !== undefined; frame = await channel.receive()) {
            const decoded = decodeFrame(frame)
            if (decoded.kind !== 'message' || decoded.message.type !== 'deposit') continue
            wasAsked = true
            await lie(channel, decoded.message.request, decoded.message.ids)
          }
        })
        await laptop.network.dial(network.addresses()[0] ?? '', signal())
        const bounded = await begin()
        const content = contentOf('content', 60)
        const stored = store(bounded, content).catch((error: unknown) => error)
        await until('it is asked', () => wasAsked)
        await settle()
        assert.equal(
          content.some(({ id }) => bounded.has(id)),
          false,
        )
        await mesh.link(laptop, desktop)
        for (let time = 0; time < 40; time++) await clock.advance(1000)
        assert.ok(Number(await stored) > 0, String(await stored))
        assert.equal(
          goneOf(content).every(({ id }) => desktop.keeper.isPromised(id)),
          true,
        )
        await network.close()
      })
  })

  it('notes survive as they are written', async () => {
    await start()
    const notes = await UploadNotes.open(laptop.catalog.sub('notes'))
    const upload = 'ef'.repeat(16) as UploadId
    await notes.begin(upload)
    await notes.addHolder(upload, desktop.device)
    const chunks = idsOf(contentOf('content', 3))
    await notes.note(upload, desktop.device, chunks)
    await notes.unnote(upload, chunks.slice(0, 1))
    await notes.setRoots(upload, chunks)
    const again = await UploadNotes.open(laptop.catalog.sub('notes'))
    assert.deepEqual(again.uploads(), notes.uploads())
    assert.deepEqual(
      chunks.map((id) => again.holderOf(upload, id)),
      [undefined, desktop.device, desktop.device],
    )
  })
})
