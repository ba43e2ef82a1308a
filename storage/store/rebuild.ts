/** Makes the index from the packs and the record of holds alone (ordering.md §7). */
import { chunkHeader, CellarError, type ChunkId } from '../../protocol/index.ts'
import type { IndexDraft } from '../index/draft.ts'
import { packHeaderBytes } from '../pack/format.ts'
import { scanRecords } from '../pack/scan.ts'
import { completeClosure, completeWithGaps, draftChunksMax, wantedRecord } from './closure.ts'
import type { StoreParts } from './parts.ts'

/** How an index is made. */
export interface RebuildOptions {
  /** Reads and hashes every chunk. Without it only headers are read, for an index that lives in memory for a while. */
  readonly readData: boolean
}

/** Fills the empty index of a store; within the turnstile, or before anyone else has the store. */
export async function rebuild(parts: StoreParts, options: RebuildOptions): Promise<void> {
  const holds = parts.holdsFile.read()
  if (options.readData) await syncAll(parts)
  await parts.index.reset()
  const draft = parts.index.draft()
  const inner: ChunkId[] = []
  for (const pack of parts.packs.numbers()) inner.push(...(await enterPack(parts, draft, { pack, options })))
  await draft.write(false) // what follows reads chunks by the index
  for (const id of inner) await completeClosure(parts, draft, id)
  for (const root of holds) {
    if (draft.get(root) === undefined) draft.set(root, wantedRecord)
    completeWithGaps(parts, draft, root)
    draft.setHold(root, true)
    draft.refer(root, 1)
  }
  await draft.write(true)
  await parts.index.markReady()
}

/** O6.1: what is entered may still be only in the memory of the system. A pack that cannot be synced is only read. */
async function syncAll(parts: StoreParts): Promise<void> {
  for (const pack of parts.packs.numbers()) parts.packs.setUnsynced(pack)
  for (const pack of (await parts.packs.sync()).keys()) parts.packs.setDamaged(pack)
}

/** Enters the records of one pack. @returns those with links */
async function enterPack(
  parts: StoreParts,
  draft: IndexDraft,
  { pack, options }: { readonly pack: number; readonly options: RebuildOptions },
): Promise<ChunkId[]> {
  const inner: ChunkId[] = []
  let end = Math.min(packHeaderBytes, parts.packs.size(pack))
  for (const item of scanRecords(parts.packs.file(pack), { readData: options.readData })) {
    if (item.kind === 'damage') continue
    const { id, offset, length } = item
    const links = item.isGood
      ? headerLinks(parts, { id, pack, offset, length, bytes: item.bytes })
      : undefined
    end = offset + length
    const before = draft.get(id)
    // The first good copy counts; a bad one only until a good one comes.
    if (before !== undefined && (!before.isBad || links === undefined)) continue
    const place = {
      pack,
      offset,
      length,
      linkCount: links?.length ?? 0,
      isBad: links === undefined,
      isReleased: false,
    }
    draft.set(id, { refs: 0, isComplete: false, ...place })
    if (links !== undefined && links.length > 0) inner.push(id)
    else if (links !== undefined) draft.set(id, { refs: 0, isComplete: true, ...place })
    if (draft.size > draftChunksMax) await draft.write(false)
  }
  draft.extendPack(pack, end)
  return inner
}

interface Found {
  readonly id: ChunkId
  readonly pack: number
  readonly offset: number
  readonly length: number
  readonly bytes: Uint8Array | undefined
}

let scratch = Buffer.alloc(0)
const HEADER_BYTES = 28
const LINK_BYTES = 32

/** The links of a record; undefined when it has no header that can be read. */
function headerLinks(parts: StoreParts, found: Found): readonly ChunkId[] | undefined {
  try {
    if (found.bytes !== undefined) return chunkHeader(found.bytes).links
    if (scratch.byteLength < found.length) scratch = Buffer.alloc(found.length)
    const chunk = scratch.subarray(0, found.length)
    parts.packs.read(found.pack, found.offset, chunk.subarray(0, HEADER_BYTES))
    const headBytes = Math.min(found.length, HEADER_BYTES + chunk.readUInt32BE(24) * LINK_BYTES)
    parts.packs.read(found.pack, found.offset, chunk.subarray(0, headBytes))
    return chunkHeader(chunk).links
  } catch (error) {
    if (error instanceof CellarError || error instanceof RangeError) return undefined
    throw error
  }
}
