/** The pages of an index: counted, let go of, and only while the tables stay mapped. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { dropPages, tuneMemory } from '../../../node/adapters/memory.ts'
import { openLevelKeyValue } from '../../../storage/adapters/level-key-value.ts'
import { prefixRange } from '../../../storage/key-value.ts'
import { bytesPerLook, MappedPages } from '../../../storage/mapped-pages.ts'

/** What `level` has on Node, and its types do not say. */
type Compactable = Level<Buffer, Buffer> & { compactRange(from: Buffer, to: Buffer): Promise<void> }

const MiB = 1024 * 1024
const prefix = Uint8Array.of(1)
const keyOf = (at: number) =>
  Buffer.concat([
    prefix,
    createHash('sha256')
      .update(`key ${String(at)}`)
      .digest(),
  ])

/** Fills a map with so many random keys, in some tables that lie beside each other: nothing is left to be merged. */
async function filled(directory: string, count: number): Promise<void> {
  const map = await openLevelKeyValue(directory)
  const value = new Uint8Array(170)
  for (let at = 0; at < count; at += 1000)
    await map.batch(
      Array.from({ length: 1000 }, (_, more) => ({ type: 'put', key: keyOf(at + more), value }) as const),
      false,
    )
  await map.close()
  const bare = new Level<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    compression: false,
  }) as Compactable
  await bare.open()
  await bare.compactRange(Buffer.alloc(0), Buffer.alloc(33, 0xff))
  await bare.close()
}

/** Bytes of the tables of a directory that are in the memory of this process. */
function residentBytes(directory: string): number {
  const root = realpathSync(directory)
  let isTable = false
  let kibibytes = 0
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const head = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$/.exec(line)
    if (head !== null) isTable = head[1]?.startsWith(root) === true && head[1].endsWith('.ldb')
    else if (isTable) kibibytes += Number(/^Rss:\s+(\d+) kB/.exec(line)?.[1] ?? 0)
  }
  return kibibytes * 1024
}

describe('the mapped pages of an index', () => {
  let directory = ''
  const count = 60_000
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-pages-'))
    await filled(directory, count)
  })
  after(() => {
    rmSync(directory, { recursive: true })
  })

  it('are let go of after so many looks, of all maps together, and when asked', () => {
    const dropped: string[][] = []
    const pages = new MappedPages({ drop: (paths) => dropped.push([...paths]), looksMax: () => 10 })
    const leave = pages.join({
      whilePinned: (step) => {
        step(['a', 'b'])
      },
    })
    pages.join({
      whilePinned: (step) => {
        step(['c'])
      },
    })
    pages.looked(9)
    assert.deepEqual(dropped, [])
    pages.looked(1)
    assert.deepEqual(dropped, [['a', 'b'], ['c']])
    assert.equal(pages.looks, 0)
    leave()
    pages.release()
    assert.deepEqual(dropped.slice(2), [['c']])
  })

  it('are counted for each look-up, for each batch that is read, and for what writing reads again', async () => {
    const pages = new MappedPages({ drop: () => undefined })
    const map = await openLevelKeyValue(directory, { pages })
    map.get(keyOf(1))
    map.get(Buffer.from('not there'))
    assert.equal(pages.looks, 2)
    let read = 0
    for await (const entry of map.iterate(prefixRange(prefix))) read += entry.length
    assert.equal(read, 2 * count)
    const bytes = count * (33 + 170)
    assert.ok(pages.looks - 2 > bytes / bytesPerLook, `${String(pages.looks)} looks`)
    pages.release()
    await map.batch([{ type: 'put', key: keyOf(0), value: new Uint8Array(MiB) }], false)
    assert.equal(pages.looks, Math.ceil(((33 + MiB) * 12) / bytesPerLook))
    await map.close()
    pages.release() // nothing is open: nothing is asked
  })

  it('are named by the tables in use, which stay mapped meanwhile', async () => {
    const map = await openLevelKeyValue(directory)
    for (let at = 0; at < count; at += 10) map.get(keyOf(at))
    let named: readonly string[] = []
    map.whilePinned((paths) => {
      named = paths
      const mapped = readFileSync('/proc/self/maps', 'utf8')
      for (const path of paths) assert.ok(mapped.includes(path), `${path} is mapped`)
    })
    const there = readdirSync(directory).filter((name) => name.endsWith('.ldb'))
    assert.ok(named.length > 2)
    for (const path of named) assert.ok(there.includes(path.slice(path.lastIndexOf('/') + 1)), path)
    await map.close()
  })

  it('are few in memory when they are let go of by count', async function () {
    if (process.platform !== 'linux') this.skip()
    tuneMemory(true)
    const readAll = async (looksMax: number): Promise<number> => {
      const pages = new MappedPages({ drop: dropPages, looksMax: () => looksMax })
      const map = await openLevelKeyValue(directory, { pages })
      let most = 0
      for (let at = 0; at < count; at += 7) {
        assert.equal(map.get(keyOf(at))?.byteLength, at === 0 ? MiB : 170)
        if (at % 3500 === 0) most = Math.max(most, residentBytes(directory))
      }
      pages.release()
      assert.equal(residentBytes(directory), 0)
      await map.close()
      return most
    }
    const unbounded = await readAll(Infinity)
    const bounded = await readAll(32)
    assert.ok(unbounded > 8 * MiB, `${String(unbounded)} bytes without a bound`)
    assert.ok(bounded < unbounded / 2, `${String(bounded)} bytes of ${String(unbounded)}`)
  })
})
