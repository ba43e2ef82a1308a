/** Counts what snapshots hold, in three ways, as restic does. */

import type { ChunkId, RootId } from '../../protocol/index.ts'
import { chunkHeader } from '../../protocol/index.ts'
import type { Stats } from '../api-browse.ts'
import type { ChunkSource } from '../chunk-source.ts'
import type { Opener, SnapshotReader } from '../snapshot-reader.ts'

/** How to count. */
export type StatsMode = 'restore-size' | 'files-by-contents' | 'raw-data'

/** What counting reads from. */
export interface StatsParts {
  readonly reader: SnapshotReader
  readonly source: ChunkSource
  readonly vault: Opener
}

/**
 * Counts some snapshots together.
 *
 * - `restore-size`: entries and bytes that restoring all of them would write
 * - `files-by-contents`: files with different content, each once
 * - `raw-data`: chunks, each once, as stored; reads every one of them
 *
 * @throws {CellarError} what reading throws
 */
export async function stats(
  parts: StatsParts,
  roots: readonly RootId[],
  mode: StatsMode,
  signal: AbortSignal,
): Promise<Stats> {
  if (mode === 'raw-data') return await rawData(parts, roots, signal)
  const contents = new Set<string>()
  let size = 0
  let count = 0
  for (const id of roots) {
    const root = await parts.reader.root(id, signal)
    const linked = new Set<string>()
    for await (const { entry } of parts.reader.walk(root.trees, new Uint8Array(Buffer.from('/')), signal)) {
      if (mode === 'restore-size') {
        count++
        if (entry.type !== 'file') continue
        const key = `${String(entry.device)}:${String(entry.inode)}`
        if (entry.linkCount > 1 && linked.has(key)) continue
        if (entry.linkCount > 1) linked.add(key)
        size += entry.size
      } else {
        if (entry.type !== 'file') continue
        const { content, holes } = entry
        const key = JSON.stringify([content, holes])
        if (contents.has(key)) continue
        contents.add(key)
        count++
        size += entry.size
      }
    }
  }
  return { total_size: size, total_file_count: count, snapshots_count: roots.length }
}

async function rawData(
  { source, vault }: StatsParts,
  roots: readonly RootId[],
  signal: AbortSignal,
): Promise<Stats> {
  const seen = new Set<ChunkId>(roots)
  const stack: ChunkId[] = [...seen]
  let stored = 0
  let raw = 0
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    const bytes = await source.get(id, signal)
    stored += bytes.byteLength
    raw += vault.open(bytes).raw.byteLength
    for (const link of chunkHeader(bytes).links) {
      if (seen.has(link)) continue
      seen.add(link)
      stack.push(link)
    }
  }
  return {
    total_size: stored,
    total_uncompressed_size: raw,
    compression_ratio: stored === 0 ? 0 : raw / stored,
    compression_progress: 100,
    compression_space_saving: raw === 0 ? 0 : (1 - stored / raw) * 100,
    total_blob_count: seen.size,
    snapshots_count: roots.length,
  }
}
