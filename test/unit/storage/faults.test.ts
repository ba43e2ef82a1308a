/** What crashes and bad disks do to a real store: each must be survived, or noticed and named. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CellarError, isCellarError, type ChunkId } from '../../../protocol/index.ts'
import {
  openAppender,
  openStore,
  placeReader,
  type ChunkStore,
  type Problem,
} from '../../../storage/index.ts'
import { assertSameBytes, replaceChunk, testChunk, type TestChunk, testTree } from '../../support/chunks.ts'

describe('chunk store and faults', () => {
  let home: string
  let dir: string
  let store: ChunkStore | undefined
  let child: ChildProcess | undefined
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'rootcellar-faults-'))
    dir = join(home, 'store')
  })
  afterEach(async () => {
    child?.kill('SIGKILL')
    await store?.close()
    store = undefined
    rmSync(home, { recursive: true, force: true })
  })

  const open = async (): Promise<ChunkStore> => {
    store = await openStore({ dir, reserveBytes: 0 })
    return store
  }
  const close = async (): Promise<void> => {
    await store?.close()
    store = undefined
  }
  const { root, chunks } = testTree('held', 10, 3000)
  const [first] = chunks
  assert.ok(first)

  const reopened = async (): Promise<ChunkStore> => {
    await close()
    return open()
  }

  async function prepare(): Promise<void> {
    const fresh = await open()
    for (const { id, bytes } of chunks) await fresh.put(id, bytes)
    await fresh.hold(root.id)
    await close()
  }
  const packPath = (): string => {
    const [name] = readdirSync(join(dir, 'packs'))
    assert.ok(name)
    return join(dir, 'packs', name)
  }
  const assertWhole = (reading: ChunkStore): void => {
    for (const { id, bytes } of chunks) assertSameBytes(reading.get(id), bytes)
    assert.deepEqual(reading.holds(), [root.id])
    assert.ok(reading.isComplete(root.id))
  }
  async function problems(reading: ChunkStore, readData = true): Promise<Problem[]> {
    const found: Problem[] = []
    for await (const problem of reading.verify({ readData, signal: new AbortController().signal }))
      found.push(problem)
    return found
  }
  function flip(path: string, position: number): void {
    const bytes = readFileSync(path)
    bytes[position] = (bytes[position] ?? 0) ^ 1
    writeFileSync(path, bytes)
  }
  /** Where the chunk of an id begins in the one pack. */
  const find = (chunk: TestChunk): number => readFileSync(packPath()).indexOf(chunk.bytes)

  async function startChild(what: string): Promise<ChildProcess> {
    const script = fileURLToPath(
      new URL(`../../support/store-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    )
    const args = script.endsWith('.ts') ? ['--import', 'tsx', script] : [script]
    child = spawn(process.execPath, [...args, dir, what], { stdio: ['ignore', 'pipe', 'inherit'] })
    return child
  }

  it('D1.2: says at once who has the store, and nothing stays behind when that process is killed', async () => {
    const other = await startChild('wait')
    assert.ok(other.stdout)
    await once(other.stdout, 'data')
    await assert.rejects(
      open(),
      (error) =>
        error instanceof CellarError && error.code === 'STORE_IN_USE' && error.context['pid'] === other.pid,
    )
    other.kill('SIGKILL')
    await once(other, 'exit')
    await open()
  })

  it('refuses a second opening in the same process', async () => {
    await open()
    await assert.rejects(openStore({ dir }), (error) => isCellarError(error, 'STORE_IN_USE'))
  })

  it('has everything that was committed when the process is killed at any moment', async () => {
    const committed: [string, number][] = []
    for (const round of ['a', 'b', 'c', 'd']) {
      const other = await startChild(round)
      assert.ok(other.stdout)
      let text = ''
      other.stdout.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.split('\n').length > 20 + 7 * committed.length) other.kill('SIGKILL')
      })
      await once(other, 'close')
      const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
      committed.push([round, Number(lines.at(-1))])
      assert.ok(Number(lines.at(-1)) >= 5, text)
      const after = await open()
      for (const [name, last] of committed) {
        for (let at = 0; at <= last; at++) {
          for (let part = 0; part < 5; part++) {
            const { id, bytes } = testChunk(`${name} ${String(at)} ${String(part)}`, [], 20_000)
            assertSameBytes(after.get(id), bytes)
          }
        }
      }
      assert.deepEqual(await problems(after), [])
      await close()
    }
  })

  it('takes in whole records behind the indexed end, and cuts off a torn one', async () => {
    await prepare()
    const lent = await open()
    const loan = lent.lend()
    await close()
    using appender = openAppender(loan)
    const whole = testChunk('whole', [root.id])
    appender.append(whole.id, whole.bytes, whole.links)
    const end = statSync(loan.path).size
    const torn = testChunk('torn', [], 5000)
    appender.append(torn.id, torn.bytes, [])
    appender.close()
    truncateSync(loan.path, statSync(loan.path).size - 1)
    const after = await open()
    assertWhole(after)
    assertSameBytes(after.get(whole.id), whole.bytes)
    assert.ok(after.isComplete(whole.id))
    assert.equal(after.has(torn.id), false)
    assert.equal(statSync(loan.path).size, end)
    assert.deepEqual(await problems(after), [])
  })

  it('cuts off what is no record', async () => {
    await prepare()
    const size = statSync(packPath()).size
    appendFileSync(packPath(), Buffer.alloc(10_000, 3))
    assertWhole(await open())
    assert.equal(statSync(packPath()).size, size)
  })

  it('makes a lost index again, with its holds', async () => {
    await prepare()
    rmSync(join(dir, 'index'), { recursive: true })
    const after = await open()
    assert.equal(after.stats().rebuilt, true)
    assertWhole(after)
    assert.equal((await after.reclaim({ mayReclaim: () => true, unfinished: true })).chunks, 0)
    assert.deepEqual(await problems(after), [])
  })

  for (const name of ['CURRENT', 'MANIFEST']) {
    it(`makes the index again when its ${name} is damaged`, async () => {
      await prepare()
      const file = readdirSync(join(dir, 'index')).find((entry) => entry.startsWith(name))
      assert.ok(file)
      writeFileSync(join(dir, 'index', file), 'no such thing')
      const after = await open()
      assert.equal(after.stats().rebuilt, true)
      assertWhole(after)
    })
  }

  it('names a chunk with a flipped bit, and never gives its bytes', async () => {
    await prepare()
    flip(packPath(), find(first) + 100)
    const after = await open()
    const named = (error: unknown): boolean =>
      error instanceof CellarError && error.code === 'CHUNK_CORRUPT' && error.context['id'] === first.id
    assert.throws(() => after.get(first.id), named)
    assert.deepEqual(
      (await problems(after)).map(({ kind, id }) => [kind, id]),
      [['chunk-corrupt', first.id]],
    )
    const [place] = after.locate([first.id])
    assert.ok(place)
    using reader = placeReader()
    assert.throws(() => reader.read(place, first.id), named)
    for (const { id, bytes } of chunks.slice(1)) assertSameBytes(after.get(id), bytes)
    await replaceChunk(after, first.id, first.bytes)
    assertWhole(after)
    assert.deepEqual(await problems(after), [])
  })

  it('names a chunk whose record header has a flipped bit, without reading the data', async () => {
    await prepare()
    flip(packPath(), find(first) - 20)
    const after = await open()
    assert.throws(
      () => after.get(first.id),
      (error) => isCellarError(error, 'CHUNK_CORRUPT'),
    )
    assert.throws(
      () => after.read(first.id),
      (error) => isCellarError(error, 'CHUNK_CORRUPT'),
    )
    const found = await problems(after, false)
    assert.deepEqual(
      found.map(({ kind, id }) => [kind, id]),
      [['chunk-corrupt', first.id]],
    )
  })

  it('keeps a held root held when the index is lost and a chunk is damaged too', async () => {
    await prepare()
    flip(packPath(), find(first) + 100)
    rmSync(join(dir, 'index'), { recursive: true })
    const after = await open()
    assert.deepEqual(after.holds(), [root.id])
    assert.equal(after.isComplete(root.id), false)
    assert.deepEqual(after.quarantined(), [first.id])
    assert.equal(
      (await after.reclaim({ mayReclaim: () => true, unfinished: true })).chunks,
      0,
      'nothing below a hold may be reclaimed',
    )
    await replaceChunk(after, first.id, first.bytes)
    assertWhole(after)
    assert.deepEqual(await problems(after), [])
  })

  it('rebuilds around a chunk that a held root needs and that is nowhere', async () => {
    await prepare()
    rmSync(join(dir, 'index'), { recursive: true })
    const bytes = readFileSync(packPath())
    bytes.fill(0, find(root) - 44, find(root) + root.bytes.byteLength)
    writeFileSync(packPath(), bytes)
    const after = await open()
    assert.deepEqual(after.holds(), [root.id])
    assert.deepEqual([...after.missingBelow(root.id)], [root.id])
    await after.put(root.id, root.bytes)
    await after.commit()
    assertWhole(after)
    assert.deepEqual(await problems(after), [])
  })

  it('notices a truncated pack, and reads what is left', async () => {
    await prepare()
    const last = chunks[8]
    assert.ok(last)
    truncateSync(packPath(), find(last) + 10)
    const after = await open()
    for (const { id, bytes } of chunks.slice(0, 8)) assertSameBytes(after.get(id), bytes)
    assert.throws(
      () => after.get(last.id),
      (error) => isCellarError(error, 'CHUNK_CORRUPT'),
    )
    assert.equal(after.has(last.id), false)
    assert.equal(after.isComplete(root.id), false)
    const found = await problems(after)
    assert.deepEqual(found.filter(({ kind }) => kind === 'pack-truncated').length, 1)
    const lost = found.filter(({ kind }) => kind === 'chunk-missing').map(({ id }) => id)
    assert.deepEqual(new Set(lost), new Set<ChunkId>([last.id, ...chunks.slice(9).map(({ id }) => id)]))
    for (const { id, bytes } of chunks.slice(8)) await replaceChunk(after, id, bytes)
    assertWhole(after)
    await close()
    assertWhole(await open())
    assert.deepEqual(await problems(await reopened()), [], 'once mended it is forgotten')
  })

  it('notices a pack that is gone', async () => {
    await prepare()
    rmSync(packPath())
    const after = await open()
    assert.equal(after.missing(chunks.map(({ id }) => id)).length, chunks.length)
    const found = await problems(after)
    assert.ok(found.some(({ kind }) => kind === 'pack-missing'))
    for (const { id, bytes } of chunks) await after.put(id, bytes)
    await after.commit()
    assertWhole(after)
    assert.deepEqual(await problems(await reopened()), [], 'once mended it is forgotten')
  })

  it('D1.1: refuses a directory that is something else', async () => {
    await prepare()
    writeFileSync(join(dir, 'format'), 'rootcellar store 9\n')
    await assert.rejects(open(), (error) => isCellarError(error, 'STORE_UNKNOWN'))
  })

  it('frees nothing below a rotten chunk of a held root after its index was lost', async () => {
    const leaves = [testChunk('leaf 1'), testChunk('leaf 2')]
    const inner = testChunk(
      'inner',
      leaves.map(({ id }) => id),
    )
    const root = testChunk('root', [inner.id])
    const before = await open()
    for (const { id, bytes } of [...leaves, inner, root]) await before.put(id, bytes)
    await before.hold(root.id)
    const [place] = before.locate([inner.id])
    assert.ok(place)
    await close()
    const pack = readFileSync(place.path)
    pack.writeUInt8(
      (pack.readUInt8(place.offset + place.length - 1) ^ 1) & 0xff,
      place.offset + place.length - 1,
    )
    writeFileSync(place.path, pack)
    rmSync(join(dir, 'index'), { recursive: true })
    const after = await open()
    assert.deepEqual(after.quarantined(), [inner.id])
    assert.equal((await after.reclaim({ mayReclaim: () => true, unfinished: true })).chunks, 0)
    await replaceChunk(after, inner.id, inner.bytes)
    assert.equal(after.isComplete(root.id), true)
    await after.release(root.id)
    assert.equal((await after.reclaim({ mayReclaim: () => true })).chunks, 4)
  })
})
