/** Backs up real directories into a store in memory, and reads snapshots back without the code under test. */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import {
  type BackupOptions,
  type BackupRequest,
  type BackupResult,
  backup,
} from '../../../../node/backup/backup.ts'
import { openVault, type Vault } from '../../../../node/vault.ts'
import {
  type ChunkId,
  decodeFileNode,
  decodeRoot,
  decodeTree,
  type Entry,
  fileChunks,
  type SnapshotRoot,
  signerFromSeed,
} from '../../../../protocol/index.ts'
import { type Catalog, type ChunkStore, memoryCatalog, memoryStore } from '../../../../storage/index.ts'

/** A store and a vault to back up with. */
export interface Setting {
  readonly store: ChunkStore
  readonly vault: Vault
  readonly contentIndex: Catalog
}

/** A fresh setting; the same key gives the same chunks. */
export async function makeSetting(keyByte = 7): Promise<Setting> {
  return {
    store: memoryStore(),
    vault: await openVault(new Uint8Array(32).fill(keyByte)),
    contentIndex: memoryCatalog(),
  }
}

/** A fresh directory for sources. */
export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'rootcellar-backup-'))
}

export const device = signerFromSeed(new Uint8Array(32).fill(1)).device

/** Backs up paths, and holds the root as a node would. */
export async function run(
  setting: Setting,
  paths: readonly (string | Uint8Array)[],
  more: Partial<BackupRequest> = {},
  options: Partial<BackupOptions> = {},
): Promise<BackupResult> {
  const request: BackupRequest = {
    paths: paths.map((path) => (typeof path === 'string' ? Buffer.from(path) : path)),
    excludes: {},
    oneFileSystem: false,
    ...{ device, host: 'test', user: 'tester', uid: 0, gid: 0, program: 'rootcellar test', tags: [] },
    ...{ dryRun: false, skipIfUnchanged: false },
    ...more,
  }
  const result = await backup({ ...setting, clock: systemWorld.clock }, request, {
    signal: new AbortController().signal,
    ...options,
  })
  if (result.root !== undefined) await setting.store.hold(result.root)
  return result
}

/** The root of a snapshot. */
export function readRoot({ store, vault }: Setting, id: ChunkId): SnapshotRoot {
  const { raw, links } = vault.open(store.get(id))
  return decodeRoot(raw, links)
}

function entriesOf({ store, vault }: Setting, trees: readonly ChunkId[]): Entry[] {
  return trees.flatMap((id) => {
    const { raw, links } = vault.open(store.get(id))
    return decodeTree(raw, links).entries()
  })
}

/** Everything in a snapshot by its path (latin1, without the leading slash). */
export function readEntries(setting: Setting, root: ChunkId): Map<string, Entry> {
  const found = new Map<string, Entry>()
  const stack: { path: string; trees: readonly ChunkId[] }[] = [
    { path: '', trees: readRoot(setting, root).trees },
  ]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    for (const entry of entriesOf(setting, next.trees)) {
      const path = `${next.path}${Buffer.from(entry.name).toString('latin1')}`
      found.set(path, entry)
      if (entry.trees !== undefined) stack.push({ path: `${path}/`, trees: entry.trees })
    }
  }
  return found
}

/** The bytes of a file in a snapshot, holes as zeros. */
export async function readContent(
  { store, vault }: Setting,
  { content, holes, size }: Entry,
): Promise<Buffer> {
  const open = (id: ChunkId): Buffer => Buffer.from(vault.open(store.get(id)).raw)
  const pieces: Buffer[] = []
  if (content?.kind === 'bundle')
    pieces.push(open(content.chunk).subarray(content.offset, content.offset + content.length))
  else if (content?.kind === 'chunks') for (const { id } of content.chunks) pieces.push(open(id))
  else if (content !== undefined) {
    const load = (id: ChunkId) => {
      const { raw, links } = vault.open(store.get(id))
      return Promise.resolve(decodeFileNode(raw, links))
    }
    const holeBytes = (holes ?? []).reduce((sum, { length }) => sum + length, 0)
    for await (const { id } of fileChunks(content.chunk, size - holeBytes, load)) pieces.push(open(id))
  }
  const data = Buffer.concat(pieces)
  const whole = Buffer.alloc(size)
  let [at, taken] = [0, 0]
  for (const { offset, length } of [...(holes ?? []), { offset: size, length: 0 }]) {
    taken += data.copy(whole, at, taken, taken + offset - at)
    at = offset + length
  }
  return whole
}

/** Bytes that do not compress, from a seed. */
export function noise(bytes: number, seed: number): Buffer {
  const out = Buffer.alloc(bytes)
  let state = seed >>> 0
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    out[i] = state >>> 24
  }
  return out
}
