/** Makes small snapshots by hand, entry by entry, for tests of what reads them. */

import type { ChunkId, Content, Entry, RootId, SnapshotRoot } from '../../protocol/index.ts'
import {
  buildFileNodes,
  deriveVaultKeys,
  encodeRoot,
  encodeTree,
  signerFromSeed,
  splitEntries,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { memoryStore } from '../../storage/index.ts'
import { loadZstd } from '../../node/adapters/zstd.ts'
import { type Vault, vaultOf } from '../../node/vault.ts'

/** What a made entry may say; the rest is filled in. */
export type MadeFields = Partial<Omit<Entry, 'name' | 'type' | 'content' | 'trees'>>

/** A made entry: a directory has `in`, a file `bytes` (the data outside of its holes). */
export type Made = MadeFields & {
  readonly type?: Entry['type']
  readonly bytes?: Uint8Array | string
  /** Keeps the data in chunks of at most so many bytes; left out, in a bundle of its own. */
  readonly chunkBytes?: number
  readonly in?: Readonly<Record<string, Made>>
}

/** Names are latin1: each character is one byte. */
export type MadeTree = Readonly<Record<string, Made>>

let inodes = 1n

/** Seals chunks into a store. */
export class SnapshotMaker {
  readonly store: ChunkStore
  readonly vault: Vault

  private constructor(store: ChunkStore, vault: Vault) {
    this.store = store
    this.vault = vault
  }

  static async open(store: ChunkStore = memoryStore()): Promise<SnapshotMaker> {
    return new SnapshotMaker(store, vaultOf(deriveVaultKeys(new Uint8Array(32).fill(7)), await loadZstd()))
  }

  /** Keeps a chunk. */
  async put(
    kind: Parameters<Vault['seal']>[0],
    raw: Uint8Array,
    links: readonly ChunkId[] = [],
  ): Promise<ChunkId> {
    const { id, bytes } = this.vault.seal(kind, raw, links)
    await this.store.put(id, bytes)
    return id
  }

  /** Makes a snapshot of a whole tree. */
  async snapshot(tree: MadeTree, fields: Partial<SnapshotRoot> = {}): Promise<RootId> {
    const counts = { files: 0, dirs: 0, others: 0, bytes: 0 }
    const trees = await this.#directory(tree, counts)
    const zero = {
      filesNew: 0,
      filesChanged: 0,
      filesUnmodified: 0,
      dirsNew: 0,
      dirsChanged: 0,
      dirsUnmodified: 0,
      bytesAdded: 0,
      bytesStored: 0,
      chunksAdded: 0,
    }
    const { raw, links } = encodeRoot({
      device: signerFromSeed(new Uint8Array(32)).device,
      host: 'host',
      user: 'user',
      uid: 0,
      gid: 0,
      paths: [Buffer.from('/')],
      tags: [],
      timeNs: 1_700_000_000_000_000_000n,
      offsetMinutes: 60,
      excludes: [],
      program: 'rootcellar test',
      stats: { ...counts, ...zero },
      unread: [],
      trees,
      ...fields,
    })
    const root = await this.put('root', raw, links)
    await this.store.commit()
    return root
  }

  async #directory(
    tree: MadeTree,
    counts: { files: number; dirs: number; others: number; bytes: number },
  ): Promise<ChunkId[]> {
    const entries: Entry[] = []
    for (const [name, made] of Object.entries(tree))
      entries.push(await this.#entry(Buffer.from(name, 'latin1'), made, counts))
    const ids: ChunkId[] = []
    for (const part of splitEntries(entries)) {
      const { raw, links } = encodeTree(part)
      ids.push(await this.put('tree', raw, links))
    }
    return ids
  }

  async #entry(
    name: Uint8Array,
    made: Made,
    counts: { files: number; dirs: number; others: number; bytes: number },
  ): Promise<Entry> {
    const { bytes, chunkBytes, in: inside, ...fields } = made
    const type = made.type ?? (inside !== undefined ? 'dir' : made.target !== undefined ? 'symlink' : 'file')
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : (bytes ?? new Uint8Array())
    const holes = made.holes ?? []
    const size = type === 'file' ? holes.reduce((sum, hole) => sum + hole.length, data.length) : 0
    if (type === 'file') counts.files++
    else if (type === 'dir') counts.dirs++
    else counts.others++
    counts.bytes += size
    const content = type === 'file' && data.length > 0 ? await this.#content(data, chunkBytes) : undefined
    const trees = type === 'dir' ? await this.#directory(inside ?? {}, counts) : undefined
    return {
      name,
      mode: type === 'dir' ? 0o755 : 0o644,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      mtimeNs: 1_600_000_000_123_456_789n,
      ctimeNs: 1_600_000_000_123_456_789n,
      inode: inodes++,
      device: 1n,
      linkCount: 1,
      size,
      ...fields,
      type,
      ...(content === undefined ? {} : { content }),
      ...(trees === undefined ? {} : { trees }),
    }
  }

  async #content(data: Uint8Array, chunkBytes: number | undefined): Promise<Content> {
    if (chunkBytes === undefined) {
      const raw = Buffer.concat([Buffer.from('before'), data, Buffer.from('behind')])
      return { kind: 'bundle', chunk: await this.put('bundle', raw), offset: 6, length: data.length }
    }
    const chunks: { id: ChunkId; length: number }[] = []
    for (let at = 0; at < data.length; at += chunkBytes) {
      const raw = data.subarray(at, at + chunkBytes)
      chunks.push({ id: await this.put('data', raw), length: raw.length })
    }
    const nodes: Promise<ChunkId>[] = []
    const content = buildFileNodes(chunks, (raw, links) => {
      const { id, bytes } = this.vault.seal('file', raw, links)
      nodes.push(this.store.put(id, bytes).then(() => id))
      return id
    })
    await Promise.all(nodes)
    return content
  }
}
