import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupProgress } from '../../../../node/backup/tally.ts'
import { CellarError, type ChunkId, type Entry, isCellarError } from '../../../../protocol/index.ts'
import { makeTree } from '../../../tools/make-tree.ts'
import { makeDirectory, makeSetting, noise, readContent, readEntries, run, type Setting } from './helper.ts'

describe('a backup under way', () => {
  let directory = ''
  let setting: Setting
  const at = (...names: string[]): string => join(directory, ...names)
  const entryOf = (root: ChunkId | undefined, path: string): Entry | undefined =>
    root === undefined
      ? undefined
      : readEntries(setting, root).get(Buffer.from(path.slice(1)).toString('latin1'))

  beforeEach(async () => {
    directory = makeDirectory()
    setting = await makeSetting()
  })
  afterEach(async () => {
    execFileSync('rm', ['-rf', directory])
    await setting.store.close()
  })

  it('tells of its progress, seldom, and to the end', async () => {
    makeTree(directory, { seed: 'progress' })
    const told: BackupProgress[] = []
    const { summary } = await run(setting, [directory], {}, { onProgress: (progress) => told.push(progress) })
    const last = told.at(-1)
    assert.equal(last?.filesDone, summary.files)
    assert.equal(last.bytesDone, summary.bytes)
    assert.equal(last.isScanned, true)
    assert.ok(
      told.length <= 3 + summary.durationMs / 100,
      `${String(told.length)} in ${String(summary.durationMs)} ms`,
    )
  })

  it('ends soon when it is aborted, and can be done again', async () => {
    for (let i = 0; i < 40; i++) writeFileSync(at(`f${String(i)}`), noise(1_000_000, i))
    const stop = new AbortController()
    const progress = (): void => {
      stop.abort()
    }
    await assert.rejects(
      run(setting, [directory], { threads: 2 }, { signal: stop.signal, onProgress: progress }),
      (error) => isCellarError(error, 'ABORTED'),
    )
    const { root, unread } = await run(setting, [directory], { threads: 2 })
    assert.deepEqual(unread, [])
    assert.ok((await readContent(setting, entryOf(root, at('f39')) as Entry)).equals(readFileSync(at('f39'))))
  })

  it('fails, and does not hang, when the store is full', async () => {
    for (let i = 0; i < 12; i++) writeFileSync(at(`f${String(i)}`), noise(1_000_000, i))
    const full = new Proxy(setting.store, {
      get: (store, name) =>
        name === 'lend'
          ? () => {
              throw new CellarError('STORE_FULL', 'The disk is full.')
            }
          : (Reflect.get(store, name) as () => unknown).bind(store),
    })
    await assert.rejects(run({ ...setting, store: full }, [directory], { threads: 2 }), (error) =>
      isCellarError(error, 'STORE_FULL'),
    )
  })

  it('leaves no file of the source open, nor a directory', async () => {
    makeTree(directory, { seed: 'open' })
    const open = (): string =>
      execFileSync('sh', ['-c', `ls -l /proc/${String(process.pid)}/fd | grep -c -F ${directory} || true`])
        .toString()
        .trim()
    await run(setting, [directory], { threads: 1 })
    assert.equal(open(), '0')
  })
})
