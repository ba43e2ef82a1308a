/**
 * Giving the bytes of removed chunks back to the disk (ordering.md §5): packs are emptied from their end, step by
 * step.
 */
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { CompactOptions } from '../chunk-store.ts'
import type { PackRecord } from '../index/record.ts'
import { packHeaderBytes } from '../pack/format.ts'
import { scanRecords } from '../pack/scan.ts'
import { syncPacks, withReserve } from './commit.ts'
import type { StoreParts } from './parts.ts'

/** Live bytes moved in one step: the most that is on the disk twice, but for one longer record. */
const STEP_BYTES = 4 * 1024 * 1024
const DEAD_SHARE_MIN = 0.5

interface Live {
  readonly id: ChunkId
  readonly offset: number
  readonly length: number
}

/** Rewrites packs with many dead bytes, one at a time; takes the turnstile for each step. @returns bytes given back */
export async function compactPacks(parts: StoreParts, options: CompactOptions): Promise<number> {
  const share = options.deadShareMin ?? DEAD_SHARE_MIN
  const candidates = [...parts.index.packs].filter(([, record]) => isWorthwhile(record, share))
  candidates.sort((a, b) => a[1].liveBytes - b[1].liveBytes) // what costs least first: on a full disk it makes room
  const before = parts.packs.bytes
  for (const [pack] of candidates) {
    try {
      while (options.signal?.aborted !== true && (await step(parts, pack, share)));
    } finally {
      parts.packs.endClosing(pack)
    }
  }
  return before - parts.packs.bytes
}

/** Says whether a pack has dead bytes, and at least that share of them. */
function isWorthwhile(record: PackRecord, share: number): boolean {
  return record.liveBytes + packHeaderBytes < record.end && deadShare(record) >= share
}

/** How much of a pack no chunk needs, 0 .. 1. */
function deadShare(record: PackRecord): number {
  const bytes = record.end - packHeaderBytes
  return bytes <= 0 ? 0 : 1 - record.liveBytes / bytes
}

/** Does one step of emptying a pack. @returns whether another one may be worth it */
function step(parts: StoreParts, pack: number, share: number): Promise<boolean> {
  return parts.turnstile.run(async () => {
    const record = parts.index.packs.get(pack)
    if (record === undefined || !isWorthwhile(record, share)) return false
    if (parts.staging.hasPack(pack) || !parts.packs.beginClosing(pack)) return false
    if (record.liveCount > 0) return withReserve(parts, () => emptyEnd(parts, pack, record))
    await dropPack(parts, pack)
    return false
  })
}

/** Removes a pack without live chunks: said in the index first, so that a crash brings nothing back. */
async function dropPack(parts: StoreParts, pack: number): Promise<void> {
  const draft = parts.index.draft()
  draft.setPack(pack, { end: 0, liveBytes: 0, liveCount: 0, state: 'drop' })
  await withReserve(parts, () => draft.write(true))
  parts.packs.drop(pack)
  await parts.packs.syncNames() // or the file could come back without its entry
  draft.setPack(pack, undefined)
  await withReserve(parts, () => draft.write(false))
}

/** Moves the last live chunks of a pack elsewhere and cuts the pack behind what is left. */
async function emptyEnd(parts: StoreParts, pack: number, record: PackRecord): Promise<boolean> {
  const live = liveRecords(parts, pack, record)
  if (live === undefined) return false
  const { moving, cut } = chooseEnd(live, record.end)
  const moved = moving.map((chunk) => ({ chunk, place: copy(parts, pack, chunk) }))
  for (const error of await syncPacks(parts)) throw error
  const draft = parts.index.draft()
  for (const { chunk, place } of moved) {
    const known = draft.get(chunk.id)
    if (known !== undefined) draft.set(chunk.id, { ...known, ...place })
    draft.extendPack(place.pack, place.offset + chunk.length)
  }
  draft.setPack(pack, { ...draft.pack(pack), end: cut, state: 'cut' })
  await draft.write(true)
  parts.packs.truncate(pack, cut)
  return true
}

/** The live chunks of a pack in order; undefined when not all of them can be found: then it is left for `verify`. */
function liveRecords(parts: StoreParts, pack: number, record: PackRecord): Live[] | undefined {
  const live: Live[] = []
  for (const item of scanRecords(parts.packs.file(pack), { to: record.end, readData: false })) {
    if (item.kind === 'damage') return undefined
    const known = parts.index.get(item.id)
    if (known?.pack === pack && known.offset === item.offset)
      live.push({ id: item.id, offset: item.offset, length: item.length })
  }
  return live.length === record.liveCount ? live : undefined
}

/** Which chunks one step moves, and where the pack ends then. */
function chooseEnd(live: readonly Live[], end: number): { moving: Live[]; cut: number } {
  const endOf = (chunk: Live | undefined): number =>
    chunk === undefined ? packHeaderBytes : chunk.offset + chunk.length
  if (endOf(live.at(-1)) < end) return { moving: [], cut: endOf(live.at(-1)) }
  const moving: Live[] = []
  let bytes = 0
  let left = live.length
  for (let chunk = live.at(-1); chunk !== undefined; chunk = live[left - 1]) {
    bytes += chunk.length
    if (moving.length > 0 && bytes > STEP_BYTES) break
    moving.push(chunk)
    left--
  }
  return { moving, cut: endOf(live[left - 1]) }
}

/** Copies a chunk as it is, good or bad, to another pack. */
function copy(parts: StoreParts, pack: number, chunk: Live): { pack: number; offset: number } {
  const bytes = Buffer.allocUnsafe(chunk.length)
  if (parts.packs.read(pack, chunk.offset, bytes) < chunk.length) {
    throw new CellarError('CHUNK_CORRUPT', `chunk ${chunk.id} is cut off in pack ${String(pack)}`, {
      id: chunk.id,
    })
  }
  return parts.packs.append(chunk.id, bytes, true)
}
