/** Brings index and packs together when a store is opened (ordering.md §6). */
import { chunkHeader, type ChunkId } from '../../protocol/index.ts'
import type { IndexDraft } from '../index/draft.ts'
import { isPackHeader, packHeaderBytes } from '../pack/format.ts'
import { scanRecords } from '../pack/scan.ts'
import { completeIfWhole, completeWithGaps, draftChunksMax } from './closure.ts'
import { enterChunk, syncPacks, withReserve } from './commit.ts'
import type { StoreParts } from './parts.ts'

/** Recovers what a crash left. Nothing is written when nothing is to be done. */
export async function recover(parts: StoreParts): Promise<void> {
  const { index, packs } = parts
  const draft = index.draft()
  await finishRemovals(parts, draft)
  const adopted = new Map<ChunkId, readonly ChunkId[]>()
  for (const pack of packs.numbers()) {
    const record = index.packs.get(pack)
    const end = record?.end ?? 0
    if (record?.state === 'cut' && packs.size(pack) > end) packs.truncate(pack, end)
    if (packs.size(pack) > end) adoptTail(parts, draft, { pack, end, adopted })
    else if (record === undefined) packs.drop(pack) // no byte was ever written to it
  }
  // The bytes adopted may still be only in the memory of the system: durable first, as in a commit.
  if (adopted.size > 0) for (const error of await syncPacks(parts)) throw error
  await withReserve(parts, () => draft.write(true))
  for (const [id, links] of adopted) {
    if (!completeIfWhole(draft, id, links) && (draft.get(id)?.refs ?? 0) > 0)
      completeWithGaps(parts, draft, id)
  }
  await markLost(parts, draft)
  await withReserve(parts, () => draft.write(true))
}

/** Removes the files of packs whose removal the index has already said; numbers stay used. */
async function finishRemovals(parts: StoreParts, draft: IndexDraft): Promise<void> {
  let isAny = false
  for (const [pack, record] of parts.index.packs) {
    parts.packs.reserveNumber(pack)
    if (record.state !== 'drop') continue
    if (parts.packs.use(pack) !== undefined) parts.packs.drop(pack)
    draft.setPack(pack, undefined)
    isAny = true
  }
  if (isAny) await parts.packs.syncNames()
}

interface Tail {
  readonly pack: number
  readonly end: number
  /** Gets the chunks adopted, with their links. */
  readonly adopted: Map<ChunkId, readonly ChunkId[]>
}

/** Takes in the whole good records behind the indexed end of a pack, and cuts off the rest. */
function adoptTail(parts: StoreParts, draft: IndexDraft, { pack, end, adopted }: Tail): void {
  const from = Math.max(end, packHeaderBytes)
  let good = end === 0 && !hasHeader(parts, pack) ? 0 : from
  if (good > 0) {
    for (const item of scanRecords(parts.packs.file(pack), { from, readData: true })) {
      if (item.kind === 'damage' || !item.isGood) break
      const links = linksOf(item.bytes)
      if (links === undefined) break
      enterChunk(draft, item.id, { pack, offset: item.offset, length: item.length, links })
      if (draft.get(item.id)?.pack === pack) adopted.set(item.id, links)
      good = item.offset + item.length
    }
  }
  parts.packs.truncate(pack, good)
  if (good === 0) parts.packs.drop(pack)
  else draft.extendPack(pack, good)
  if (good > from) parts.packs.setUnsynced(pack) // O6.1
}

function hasHeader(parts: StoreParts, pack: number): boolean {
  const header = new Uint8Array(packHeaderBytes)
  return parts.packs.read(pack, 0, header) === packHeaderBytes && isPackHeader(header, pack)
}

function linksOf(bytes: Uint8Array | undefined): readonly ChunkId[] | undefined {
  try {
    return bytes === undefined ? undefined : chunkHeader(bytes).links
  } catch {
    return undefined
  }
}

/** Marks the chunks as bad whose pack is gone or too short: only then is the whole index read. */
async function markLost(parts: StoreParts, draft: IndexDraft): Promise<void> {
  const lost = new Map<number, number>()
  for (const [pack, record] of parts.index.packs) {
    if (record.state === 'drop' || parts.packs.size(pack) >= record.end) continue
    lost.set(pack, 0)
    parts.packs.setDamaged(pack)
  }
  if (lost.size === 0) return
  for await (const [id, record] of parts.index.chunks()) {
    const count = lost.get(record.pack)
    if (count === undefined || record.offset + record.length <= parts.packs.size(record.pack)) continue
    lost.set(record.pack, count + 1)
    if (!record.isBad) draft.set(id, { ...record, isBad: true })
    if (draft.size > draftChunksMax) await draft.write(false)
  }
  for (const [pack, count] of lost) if (count === 0) forgetLoss(parts, draft, pack)
}

/** Nothing is wanted any more of what a pack has lost: it is a pack like others, up to its last whole record. */
function forgetLoss(parts: StoreParts, draft: IndexDraft, pack: number): void {
  if (parts.packs.size(pack) === 0) {
    draft.setPack(pack, undefined)
    return
  }
  let end = packHeaderBytes
  for (const item of scanRecords(parts.packs.file(pack), { readData: false })) {
    if (item.kind === 'record') end = item.offset + item.length
  }
  draft.setPack(pack, { ...draft.pack(pack), end, state: 'cut' })
}
