/**
 * What the simulation itself knows of chunks and snapshots, whoever has them: their links, and what a snapshot must
 * give back. Nodes know nothing of it.
 */

import {
  type ChunkId,
  chunkHeader,
  type DeviceId,
  encodeRoot,
  encodeTree,
  type Entry,
  type RootId,
  splitEntries,
} from '../../protocol/index.ts'
import type { SealedChunk, Vault } from '../../node/vault.ts'
import { type Files, fileBytes, flatten, pieceBytes } from './files.ts'

/** A snapshot somebody has sealed. */
export interface SealedSnapshot {
  readonly root: RootId
  /** In the order in which a backup stores them: what is referred to first. */
  readonly chunks: readonly SealedChunk[]
}

/** A snapshot, as the simulation knows it. */
export interface KnownRoot {
  readonly root: RootId
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly closure: readonly ChunkId[]
}

/** Every chunk and every snapshot that there ever was. */
export class Archive {
  readonly links = new Map<ChunkId, readonly ChunkId[]>()
  readonly roots = new Map<RootId, KnownRoot>()

  /** Seals the files of a device as a snapshot. */
  seal(vault: Vault, files: Files, by: { device: DeviceId; name: string; timeNs: bigint }): SealedSnapshot {
    const chunks = new Map<ChunkId, SealedChunk>()
    const put = (chunk: SealedChunk): ChunkId => {
      chunks.set(chunk.id, chunk)
      this.links.set(chunk.id, chunkHeader(chunk.bytes).links)
      return chunk.id
    }
    const tree = (entries: readonly Entry[]): ChunkId[] =>
      splitEntries(entries).map((part) => {
        const { raw, links } = encodeTree(part)
        return put(vault.seal('tree', raw, links))
      })
    const folders = sorted(files).map(([name, folder]): Entry => {
      const entries = sorted(folder).map(([file, pieces]): Entry => {
        const parts = pieces.map((piece) => {
          const bytes = pieceBytes(piece)
          return { id: put(vault.seal('data', bytes, [])), length: bytes.length }
        })
        return {
          ...facts('file', file),
          size: fileBytes(pieces).length,
          content: { kind: 'chunks', chunks: parts },
        }
      })
      return { ...facts('dir', name), trees: tree(entries) }
    })
    const trees = tree(folders)
    const { raw, links } = encodeRoot({
      device: by.device,
      host: by.name,
      user: 'person',
      uid: 1000,
      gid: 1000,
      paths: [Buffer.from('/')],
      tags: [],
      timeNs: by.timeNs,
      offsetMinutes: 0,
      excludes: [],
      program: 'simulated',
      stats: NO_STATS,
      unread: [],
      trees,
    })
    const root = put(vault.seal('root', raw, links))
    this.roots.set(root, { root, files: flatten(files), closure: this.closureOf(root) })
    return { root, chunks: [...chunks.values()] }
  }

  /** A chunk and all that it reaches. */
  closureOf(top: ChunkId): ChunkId[] {
    const seen = new Set<ChunkId>([top])
    for (const id of seen) for (const link of this.links.get(id) ?? []) seen.add(link)
    return [...seen]
  }
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

function facts(type: 'file' | 'dir', name: string): Omit<Entry, 'trees' | 'content'> {
  return {
    type,
    name: Buffer.from(name),
    mode: type === 'dir' ? 0o755 : 0o644,
    uid: 1000,
    gid: 1000,
    mtimeNs: 1n,
    ctimeNs: 1n,
    inode: 1n,
    device: 1n,
    linkCount: 1,
    size: 0,
  }
}

const NO_STATS = {
  files: 0,
  dirs: 0,
  others: 0,
  bytes: 0,
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
