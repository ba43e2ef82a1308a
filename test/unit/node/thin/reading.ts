/** What tests of thin devices read of snapshots. */

import { openSource } from '../../../../node/operations/sources.ts'
import { SnapshotReader } from '../../../../node/snapshot-reader.ts'
import type { ChunkId, RootId } from '../../../../protocol/index.ts'
import type { TestNode } from '../../../support/node.ts'

/** For one read, milliseconds. */
const patienceMs = 60_000

/** What is in the files of a snapshot, without links. */
export function contents(node: TestNode, root: RootId): ChunkId[] {
  const found = new Set<ChunkId>()
  const open: ChunkId[] = [root]
  const { store } = node.parts
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const links = store.has(id) ? store.links(id) : []
    if (links.length === 0) found.add(id)
    open.push(...links)
  }
  return [...found]
}

/** The files of a snapshot, from wherever the node finds them. */
export async function read(node: TestNode, root: RootId): Promise<Map<string, Buffer>> {
  const signal = AbortSignal.timeout(patienceMs)
  const { source: chunks, close } = await openSource(node.parts, root, undefined, signal)
  try {
    const reader = new SnapshotReader(chunks, node.parts.vault!)
    const files = new Map<string, Buffer>()
    for await (const { path, entry } of reader.walk(
      (await reader.root(root, signal)).trees,
      Buffer.from('/'),
      signal,
    )) {
      if (entry.type !== 'file') continue
      const pieces: Uint8Array[] = []
      for await (const piece of reader.content(entry, signal)) pieces.push(Uint8Array.from(piece))
      files.set(Buffer.from(path).toString(), Buffer.concat(pieces))
    }
    return files
  } finally {
    await close()
  }
}
