import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { loadZstd } from '../../../../node/adapters/zstd.ts'
import { FINE, gearTable, jsCutter, COARSE } from '../../../../node/backup/gear.ts'
import type { BundleJob, BundleResult, FileJob, FileResult, Verdict } from '../../../../node/backup/jobs.ts'
import { Pool, type PoolPorts } from '../../../../node/backup/pool.ts'
import { factsOf, withSource, statRegular } from '../../../../node/backup/read-source.ts'
import { type Bench, type NewChunk, WINDOW_BYTES } from '../../../../node/backup/bench.ts'
import { runJob } from '../../../../node/backup/runner.ts'
import { type Vault, vaultOf } from '../../../../node/vault.ts'
import { deriveVaultKeys } from '../../../../protocol/index.ts'
import { makeDirectory } from './helper.ts'

const keys = deriveVaultKeys(new Uint8Array(32).fill(5))

describe('reading a source', () => {
  let directory = ''
  let vault: Vault
  /** Done when the runner first asks of content: in the midst of a file. */
  let mischief: () => void
  let kept: NewChunk[]
  let bench: Bench
  const at = (name: string): string => join(directory, name)

  before(async () => {
    vault = vaultOf(keys, await loadZstd())
  })
  beforeEach(() => {
    directory = makeDirectory()
    mischief = () => undefined
    kept = []
    bench = {
      vault,
      cutter: jsCutter(gearTable(keys.gear), WINDOW_BYTES),
      calls: { readXattrs: () => [], dataExtents: () => undefined },
      ports: {
        ask: (asked) => {
          const act = mischief
          mischief = () => undefined
          act()
          return Promise.resolve(Array.from({ length: asked.length / 32 }, (): Verdict => 'mine'))
        },
        settle: () => Promise.reject(new Error('nobody else is here')),
        keep: (chunks) => {
          kept.push(...chunks)
          return Promise.resolve()
        },
        progress: () => undefined,
      },
    }
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  const jobFor = (name: string, isFirst: boolean): FileJob => {
    const expected = isFirst ? { expected: factsOf(lstatSync(at(name), { bigint: true })) } : {}
    return {
      kind: 'file',
      path: Buffer.from(at(name)),
      ...expected,
      offset: 0,
      length: Number.MAX_SAFE_INTEGER,
      sizes: COARSE,
      isSparse: false,
      wantsXattrs: true,
    }
  }
  const runFile = async (job: FileJob): Promise<FileResult> => (await runJob(bench, job)) as FileResult
  const contentOf = (result: FileResult): Buffer =>
    Buffer.concat(
      result.chunks.map(({ id }) => vault.open((kept.find((one) => one.id === id) as NewChunk).bytes).raw),
    )

  const bundleFor = (...names: string[]): BundleJob => {
    const facts = names.flatMap((name) => {
      const { size, mtimeNs, ctimeNs, ino } = lstatSync(at(name), { bigint: true })
      return [size, mtimeNs, ctimeNs, ino]
    })
    return {
      kind: 'bundle',
      paths: Buffer.concat(names.map((name) => Buffer.from(`${at(name)}\0`))),
      facts: BigInt64Array.from(facts),
    }
  }

  it('is repeated when the file grew meanwhile, and then takes it as it is', async () => {
    writeFileSync(at('f'), Buffer.alloc(20 << 20, 1))
    mischief = () => {
      appendFileSync(at('f'), 'more')
    }
    assert.equal((await runFile(jobFor('f', true))).state, 'missed')
    const again = await runFile(jobFor('f', false))
    assert.equal(again.state, 'read')
    assert.equal(again.facts?.size, (20 << 20) + 4)
    assert.ok(contentOf(again).equals(readFileSync(at('f'))))
  })

  it('never makes a size that was not read: a file that shrinks', async () => {
    writeFileSync(at('f'), Buffer.alloc(30 << 20, 1))
    mischief = () => {
      truncateSync(at('f'), 20 << 20)
    }
    const result = await runFile(jobFor('f', false))
    assert.equal(result.state, 'unsteady')
    assert.equal(result.facts?.size, contentOf(result).length)
    assert.ok(result.facts.size <= 20 << 20)
  })

  it('says when a file is overwritten in place while it is read', async () => {
    writeFileSync(at('f'), Buffer.alloc(20 << 20, 1))
    mischief = () => {
      writeFileSync(at('f'), Buffer.alloc(20 << 20, 2))
    }
    assert.equal((await runFile(jobFor('f', false))).state, 'unsteady')
  })

  it('reports what is gone, and never follows or waits', async () => {
    for (const name of ['gone', 'link', 'fifo']) writeFileSync(at(name), 'x')
    writeFileSync(at('secret'), 'secret')
    const jobs = ['gone', 'link', 'fifo'].map((name) => jobFor(name, false))
    const bundle = bundleFor('gone', 'link', 'fifo')
    for (const name of ['gone', 'link', 'fifo']) unlinkSync(at(name))
    symlinkSync('secret', at('link'))
    execFileSync('mkfifo', [at('fifo')])
    const codes = []
    for (const job of jobs) codes.push((await runFile(job)).failure?.code)
    assert.deepEqual(codes, ['ENOENT', 'ELOOP', 'CHANGED'])
    const result = (await runJob(bench, bundle)) as BundleResult
    assert.deepEqual(
      result.odd.map((odd) => odd.kind === 'failed' && odd.failure.code),
      ['ENOENT', 'ELOOP', 'CHANGED'],
    )
    assert.equal(result.chunk, undefined)
    assert.throws(() => withSource(Buffer.from(at('fifo')), statRegular), /regular/)
  })

  it('takes small files as they are now when they have changed since they were found', async () => {
    for (const name of ['a', 'b', 'c', 'd']) writeFileSync(at(name), `content of ${name}`)
    const job = bundleFor('a', 'b', 'c', 'd')
    appendFileSync(at('b'), ', and more')
    writeFileSync(at('new'), 'another file')
    renameSync(at('new'), at('c'))
    const result = (await runJob(bench, job)) as BundleResult
    const raw = Buffer.from(vault.open((kept[0] as NewChunk).bytes).raw)
    const contents = [0, 1, 2, 3].map((index) => {
      const [offset = 0, length = 0] = result.places.subarray(index * 2, index * 2 + 2)
      return raw.toString('latin1', offset, offset + length)
    })
    assert.deepEqual(contents, ['content of a', 'content of b, and more', 'another file', 'content of d'])
    assert.deepEqual(
      result.odd.map((odd) => [odd.index, odd.kind]),
      [
        [1, 'changed'],
        [2, 'changed'],
      ],
    )
    const [odd] = result.odd
    assert.ok(odd?.kind === 'changed' && odd.isStable && odd.facts.size === 22)
  })

  it('gives a file that grew beyond a bundle to be read alone', async () => {
    for (const name of ['a', 'b']) writeFileSync(at(name), 'small')
    const job = bundleFor('a', 'b')
    writeFileSync(at('a'), Buffer.alloc(9 << 20))
    const result = (await runJob(bench, job)) as BundleResult
    assert.deepEqual(result.odd, [{ index: 0, kind: 'large' }])
    assert.deepEqual([...result.places], [0, 0, 0, 5])
  })

  it('joins stretches without a gap or an overlap', async () => {
    const bytes = Buffer.alloc(5_000_000)
    let state = 1
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24
    writeFileSync(at('f'), bytes)
    const job = { ...jobFor('f', true), sizes: FINE }
    const stretches = [0, 1_000_000, 2_000_000, 4_900_000].map((offset, index, all) => ({
      ...job,
      offset,
      length: (all[index + 1] ?? 5_000_000) - offset,
    }))
    const contents = []
    for (const stretch of stretches) contents.push(contentOf(await runFile(stretch)))
    assert.ok(Buffer.concat(contents).equals(bytes))
  })
})

describe('the threads of a backup', () => {
  const ports = (failed: (error: unknown) => void): PoolPorts => ({
    ...{ ask: () => [], settle: () => Promise.resolve([]), sealed: () => Promise.resolve() },
    has: () => false,
    ...{ adopt: () => undefined, giveBack: () => undefined, progress: () => undefined, failed },
    lend: () => {
      throw new Error('not here')
    },
  })

  it('end the backup when one of them dies', async () => {
    const failures: unknown[] = []
    // Without keys a thread cannot even begin.
    const pool = new Pool(
      ports((error) => failures.push(error)),
      { keys: undefined as never, gear: undefined, keep: 'drop', isLow: false },
      { size: 1 },
    )
    await assert.rejects(
      pool.submit({ kind: 'bundle', paths: new Uint8Array(0), facts: new BigInt64Array(0) }),
    )
    assert.equal(failures.length, 1)
    await assert.rejects(pool.sync({ isLast: true }))
    await pool.close()
  })

  it('end the backup when a job goes wrong by our fault', async () => {
    const pool = new Pool(
      ports(() => undefined),
      { keys, gear: undefined, keep: 'drop', isLow: false },
      { size: 1 },
    )
    await assert.rejects(
      pool.submit({ kind: 'bundle', paths: Buffer.from('/x\0'), facts: undefined as never }),
      /thread of the backup failed/,
    )
    await pool.close()
  })
})
