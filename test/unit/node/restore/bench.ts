/** A place to restore made snapshots into. */

import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPosix, type Posix } from '../../../../node/adapters/posix.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { type ChunkSource, storeSource } from '../../../../node/chunk-source.ts'
import { restore, type RestoreRequest, type RestoreResult } from '../../../../node/restore/restore.ts'
import type { RootId } from '../../../../protocol/index.ts'
import { type MadeTree, SnapshotMaker } from '../../../tools/make-snapshot.ts'

/** One byte a character. */
export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Lets a user remove read-only directories. */
function widen(path: string): void {
  chmodSync(path, 0o700)
  for (const found of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    if (found.isDirectory()) widen(join(path, found.name.toString('latin1')))
  }
}

/** A temporary directory, a maker of snapshots, and a target that is not there yet. */
export class Bench {
  maker: SnapshotMaker
  readonly posix: Posix
  readonly base: string
  target: string

  private constructor(maker: SnapshotMaker, posix: Posix) {
    this.maker = maker
    this.posix = posix
    this.base = mkdtempSync(join(tmpdir(), 'cellar-restore-'))
    this.target = join(this.base, 'target')
  }

  static async open(): Promise<Bench> {
    return new Bench(await SnapshotMaker.open(), await loadPosix())
  }

  async close(): Promise<void> {
    await this.maker.store.close()
    widen(this.base)
    rmSync(this.base, { recursive: true, force: true })
  }

  /** Restores with one worker, everything, always; options say otherwise. */
  async restore(
    root: RootId,
    options: Partial<RestoreRequest> = {},
    by: { readonly signal?: AbortSignal; readonly source?: ChunkSource } = {},
  ): Promise<RestoreResult> {
    const { maker, posix, target } = this
    const fixed = {
      target: bytes(target),
      overwrite: 'always',
      delete: false,
      dryRun: false,
      verify: false,
      workers: 1,
    } as const
    return await restore(
      { source: by.source ?? storeSource(maker.store), vault: maker.vault, posix, world: systemWorld },
      { root, ...fixed, ...options },
      { signal: by.signal ?? new AbortController().signal },
    )
  }

  async restoreTree(tree: MadeTree, options: Partial<RestoreRequest> = {}): Promise<RestoreResult> {
    return await this.restore(await this.maker.snapshot(tree), options)
  }

  at(...names: readonly string[]): string {
    return join(this.target, ...names)
  }

  /** The content of a restored file. */
  text(...names: readonly string[]): string {
    return readFileSync(this.at(...names), 'latin1')
  }

  /** Unfinished files. */
  leftovers(): string[] {
    const names = readdirSync(this.target, { recursive: true }).map(String)
    return names.filter((name) => name.includes('.rootcellar'))
  }
}
