import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPosix } from '../../../../node/adapters/posix.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { loadZstd } from '../../../../node/adapters/zstd.ts'
import { backup } from '../../../../node/backup/backup.ts'
import { check } from '../../../../node/check/check.ts'
import { type ChunkSource, storeSource } from '../../../../node/chunk-source.ts'
import { restore } from '../../../../node/restore/restore.ts'
import { vaultOf } from '../../../../node/vault.ts'
import { deriveVaultKeys, signerFromSeed } from '../../../../protocol/index.ts'
import { memoryCatalog, openStore } from '../../../../storage/index.ts'
import { compareTrees, describeDifferences } from '../../../tools/compare-trees.ts'
import { makeTree } from '../../../tools/make-tree.ts'

describe('backing up and restoring', function () {
  this.timeout(120_000)
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'cellar-round-'))
  })
  afterEach(() => {
    rmSync(base, { recursive: true, force: true })
  })

  for (const from of ['the packs of this device', 'a peer'] as const) {
    it(`gives back a tree of everything, from ${from}`, async () => {
      const source = join(base, 'source')
      makeTree(source, { seed: 'round trip', largeBytes: 40 * 1024 * 1024 })
      const { signal } = new AbortController()
      await using store = await openStore({ dir: join(base, 'store') })
      const vault = vaultOf(deriveVaultKeys(new Uint8Array(32).fill(3)), await loadZstd())
      const { root, unread } = await backup(
        { store, vault, contentIndex: memoryCatalog(), clock: systemWorld.clock },
        {
          paths: [Buffer.from(source)],
          excludes: {},
          oneFileSystem: false,
          device: signerFromSeed(new Uint8Array(32)).device,
          host: 'h',
          user: 'u',
          uid: 0,
          gid: 0,
          program: 'test',
          tags: [],
          dryRun: false,
          skipIfUnchanged: false,
        },
        { signal },
      )
      assert.ok(root !== undefined)
      assert.deepEqual(unread, [])
      const local = storeSource(store)
      const far: ChunkSource = { get: (id, abort) => local.get(id, abort) }
      const chunks = from === 'a peer' ? far : local
      const wrong: unknown[] = []
      for await (const problem of check(
        { source: chunks, vault },
        { roots: [root], readData: 'all' },
        { signal },
      ))
        wrong.push(problem)
      assert.deepEqual(wrong, [])
      const target = join(base, 'target')
      const result = await restore(
        { source: chunks, vault, posix: await loadPosix(), world: systemWorld },
        {
          root,
          subpath: Buffer.from(source),
          target: Buffer.from(target),
          overwrite: 'always',
          delete: false,
          dryRun: false,
          verify: true,
        },
        { signal },
      )
      assert.deepEqual([result.problems, result.notices], [[], []])
      const differences = compareTrees(source, target)
      assert.equal(differences.length, 0, describeDifferences(differences))
      assert.equal(result.summary.bytesRestored, result.summary.totalBytes)
      assert.equal(result.summary.filesRestored, result.summary.totalFiles)
      assert.ok(statSync(target).isDirectory())
    })
  }
})
