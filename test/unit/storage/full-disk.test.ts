/** A disk that is really full: a small tmpfs, so only for root on Linux. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { isCellarError } from '../../../protocol/index.ts'
import { openAppender, openCatalog, openStore, type ChunkStore } from '../../../storage/index.ts'
import { assertSameBytes, testChunk, testTree, type TestChunk } from '../../support/chunks.ts'

const isFull = (error: unknown): boolean => isCellarError(error, 'STORE_FULL')

describe('chunk store on a full disk', () => {
  let mount: string
  let store: ChunkStore | undefined

  before(function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) this.skip()
  })
  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'rootcellar-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', mount])
  })
  afterEach(async () => {
    await store?.close().catch(() => undefined)
    store = undefined
    execFileSync('umount', ['-l', mount])
    rmSync(mount, { recursive: true, force: true })
  })

  const open = (): Promise<ChunkStore> => openStore({ dir: join(mount, 'store') })
  const { root, chunks } = testTree('held', 40, 50_000)

  /** Fills the disk to the last byte, as some other program would. */
  function fill(): void {
    const fd = openSync(join(mount, 'filling'), 'a')
    for (const bytes of [1 << 20, 4096, 1]) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(bytes))
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
      }
    }
    closeSync(fd)
  }

  async function prepare(): Promise<ChunkStore> {
    store = await open()
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    await store.hold(root.id)
    return store
  }

  function assertReadable(reading: ChunkStore): void {
    assert.deepEqual(reading.holds(), [root.id])
    assert.ok(reading.isComplete(root.id))
    for (const { id, bytes } of chunks) assertSameBytes(reading.get(id), bytes)
  }

  it('refuses a put with STORE_FULL, loses nothing, and takes it when there is room again', async () => {
    const full = await prepare()
    fill()
    const more = Array.from({ length: 60 }, (_, at) => testChunk(`more ${String(at)}`, [], 100_000))
    await assert.rejects(putAll(full, more), isFull)
    assertReadable(full)
    rmSync(join(mount, 'filling'))
    await putAll(full, more)
    await full.commit()
    assertReadable(full)
  })

  it('D5.4: fills up by itself to STORE_FULL, and all that was promised is there after opening again', async () => {
    const full = await prepare()
    const promised: TestChunk[] = []
    const fillItself = async (): Promise<void> => {
      for (let at = 0; ; at++) {
        const chunk = testChunk(`one of many ${String(at)}`, [], 300_000)
        await full.put(chunk.id, chunk.bytes)
        await full.commit()
        promised.push(chunk)
      }
    }
    await assert.rejects(fillItself(), isFull)
    assert.ok(promised.length > 20)
    const { bavail, bsize } = statfsSync(mount)
    assert.ok(bavail * bsize > 4_000_000, 'room is left for the index')
    await full.close()
    store = await open()
    assertReadable(store)
    for (const { id, bytes } of promised) assertSameBytes(store.get(id), bytes)
  })

  it('D5.1: opens, lists and reads on a disk with no byte free', async () => {
    await (await prepare()).close()
    for (let time = 1; time <= 8; time++) {
      fill()
      store = await open()
      assert.equal(store.stats().readOnly, false, `time ${String(time)}`)
      assertReadable(store)
      await store.close()
    }
  })

  it('D5.3: opens for reading only when the reserve is gone too', async () => {
    await (await prepare()).close()
    rmSync(join(mount, 'store/reserve'))
    fill()
    store = await open()
    assert.equal(store.stats().readOnly, true)
    assertReadable(store)
    const { id, bytes } = testChunk('more')
    await assert.rejects(store.put(id, bytes), isFull)
    await store.close()
    rmSync(join(mount, 'filling'))
    store = await open()
    assert.equal(store.stats().readOnly, false)
    assertReadable(store)
  })

  it('D5.1: frees space on a disk with no byte free', async () => {
    const full = await prepare()
    const other = testTree('other', 30, 100_000)
    await putAll(full, other.chunks)
    await full.hold(other.root.id)
    await full.close()
    fill()
    store = await open()
    await store.release(root.id)
    const { chunks: gone } = await store.reclaim({ mayReclaim: () => true })
    assert.equal(gone, chunks.length)
    await store.release(other.root.id)
    const rest = await store.reclaim({ mayReclaim: () => true })
    assert.ok(rest.freedBytes > 3_000_000, String(rest.freedBytes))
    assert.equal(store.stats().chunks, 0)
  })

  it('moves what lives out of a half-dead pack on a disk with no byte free', async () => {
    const full = await prepare()
    const other = testTree('other', 30, 50_000)
    await putAll(full, other.chunks) // behind the dead ones, so it must be moved
    await full.hold(other.root.id)
    await full.close()
    fill()
    store = await open()
    await store.release(root.id)
    const before = store.stats().packBytes
    await store.reclaim({ mayReclaim: () => true })
    assert.ok(
      store.stats().packBytes < before - 1_000_000,
      `${String(before)} -> ${String(store.stats().packBytes)}`,
    )
    for (const { id, bytes } of other.chunks) assertSameBytes(store.get(id), bytes)
  })

  it('opens a catalog on a disk with no byte free, any number of times, and reads it', async () => {
    const directory = join(mount, 'catalog')
    const catalog = await openCatalog(directory)
    await catalog.batch([{ type: 'put', key: 'a', value: Buffer.alloc(100_000, 7) }], { durable: true })
    await catalog.close()
    for (let time = 1; time <= 5; time++) {
      fill()
      const again = await openCatalog(directory)
      assertSameBytes(again.get('a') ?? new Uint8Array(), Buffer.alloc(100_000, 7))
      await again.close()
    }
  })

  it('D5.6: has in a catalog what was written after a write that failed, or says that it was not', async () => {
    const directory = join(mount, 'torn')
    let catalog = await openCatalog(directory, { reserveBytes: 0 })
    const put = (key: string, bytes: number) =>
      catalog.batch([{ type: 'put', key, value: Buffer.alloc(bytes, 7) }], { durable: true })
    fill()
    truncateSync(join(mount, 'filling'), statSync(join(mount, 'filling')).size - 200 * 1024)
    await put('before', 1000)
    await assert.rejects(put('torn', 1024 * 1024), isFull)
    const written = ['before']
    for (let n = 0; n < 20; n++) {
      const key = `after ${String(n)}`
      await put(key, 100).then(
        () => written.push(key),
        (error: unknown) => {
          assert.ok(isFull(error), String(error))
        },
      )
      if (n === 10) rmSync(join(mount, 'filling'))
    }
    assert.ok(written.length >= 10, 'once there is room, it is opened again and written')
    await catalog.close()
    catalog = await openCatalog(directory)
    for (const key of written) assert.ok(catalog.get(key), key)
    await catalog.close()
  })

  it('has many at once write to a catalog and read it while it is opened again, and tells each', async () => {
    const catalog = await openCatalog(join(mount, 'busy'))
    const value = Buffer.alloc(16 * 1024, 7)
    const put = (key: string) =>
      catalog.batch([{ type: 'put', key, value }], { durable: false }).then(
        () => key,
        (error: unknown) => {
          assert.ok(isFull(error), String(error))
          return undefined
        },
      )
    for (let n = 0; n < 200; n++) await put(`before/${String(n)}`)
    const written = new Set<string>()
    let refusals = 0
    const readAll = async () => {
      try {
        let found = 0
        for await (const [, bytes] of catalog.iterate({ gte: 'before/', lt: 'before0' }))
          found += bytes.length
        assert.equal(found, 200 * value.length)
        assert.ok(catalog.get('before/7'))
      } catch (error) {
        assert.ok(isFull(error), String(error))
        refusals++
      }
    }
    const write = async (round: number, n: number): Promise<void> => {
      const key = await put(`after/${String(round)}/${String(n)}`)
      if (key !== undefined) written.add(key)
    }
    const isOver = { yet: false }
    const readOn = async (): Promise<void> => {
      while (!isOver.yet) {
        await readAll()
        await setImmediate()
      }
    }
    const reading = readOn()
    fill()
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 40 }, (_, n) => write(round, n)))
    isOver.yet = true
    await reading
    assert.ok(refusals < 100, `${String(refusals)} refusals: it is for a moment only`)
    rmSync(join(mount, 'filling'))
    assert.ok(await put('again'))
    for (const key of [...written, 'again']) assert.ok(catalog.get(key), key)
    await readAll()
    await catalog.close()
  }).timeout(60_000)

  it('reads a catalog whose disk was full again and again, opens it again, and writes once there is room', async () => {
    const directory = join(mount, 'catalog')
    let catalog = await openCatalog(directory)
    const write = (key: string): Promise<void> =>
      catalog.batch([{ type: 'put', key, value: Buffer.alloc(100_000, 7) }], { durable: true })
    const writeOn = async (time: number): Promise<void> => {
      for (let at = 0; at < 100; at++) await write(`${String(time)} ${String(at)}`)
    }
    await write('a')
    for (let time = 1; time <= 3; time++) {
      fill()
      await assert.rejects(writeOn(time), isFull)
      assertSameBytes(catalog.get('a') ?? new Uint8Array(), Buffer.alloc(100_000, 7))
    }
    rmSync(join(mount, 'filling'))
    await write('b')
    fill()
    await write('c') // the room set aside allows for a little
    fill()
    await catalog.close()
    catalog = await openCatalog(directory)
    for (const key of ['a', 'b', 'c']) assert.equal(catalog.get(key)?.length, 100_000)
    await catalog.close()
  })

  it('D5.2: commits what it has accepted, though not a byte is left', async () => {
    const full = await prepare()
    const accepted = Array.from({ length: 500 }, (_, at) => testChunk(`accepted ${String(at)}`))
    await putAll(full, accepted)
    fill()
    await full.commit()
    await full.release(root.id)
    await full.close()
    store = await open()
    for (const { id, bytes } of accepted) assertSameBytes(store.get(id), bytes)
    assert.deepEqual(store.holds(), [])
  })

  it('cuts off what a borrower could not write whole', async () => {
    const full = await prepare()
    const loan = full.lend()
    using appender = openAppender({ ...loan, headroomBytes: -1e9 })
    fill()
    const chunk = testChunk('too much', [], 1_000_000)
    assert.throws(() => appender.append(chunk.id, chunk.bytes, []), isFull)
    assert.equal(statSync(loan.path).size, loan.offset)
    appender.close()
    full.giveBack(loan)
  })

  it('tells a borrower of a pack that the disk is full, and leaves the pack whole', async () => {
    const full = await prepare()
    const loan = full.lend()
    using appender = openAppender(loan)
    const kept = testChunk('kept', [], 1000)
    const record = appender.append(kept.id, kept.bytes, [])
    fill()
    const appendMuch = (): void => {
      for (let at = 0; at < 60; at++) {
        const chunk = testChunk(`lent ${String(at)}`, [], 100_000)
        appender.append(chunk.id, chunk.bytes, [])
      }
    }
    assert.throws(appendMuch, isFull)
    appender.close()
    full.adopt(loan, [record])
    full.giveBack(loan)
    await full.commit()
    assertSameBytes(full.get(kept.id), kept.bytes)
  })

  async function putAll(target: ChunkStore, list: readonly TestChunk[]): Promise<void> {
    for (const { id, bytes } of list) await target.put(id, bytes)
  }
})
