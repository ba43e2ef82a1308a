/** Looks for damage in packs, index and references; changes nothing (ordering.md §8). */
import type { ChunkId } from '../../protocol/index.ts'
import type { Problem, VerifyOptions } from '../chunk-store.ts'
import type { ChunkRecord } from '../index/record.ts'
import { decodeRecordHeader, packHeaderBytes, recordHeaderBytes } from '../pack/format.ts'
import { scanRecords } from '../pack/scan.ts'
import { pause } from '../pause.ts'
import { IdCounts } from './id-counts.ts'
import { peekLinks, type StoreParts } from './parts.ts'

/** Ids counted in one pass over the references: 12 MiB. */
export const countedMax = 600_000
/** Ids counted once more in one pass, by whole ids: as much. */
const RECOUNTED_MAX = 50_000

/** Yields what is wrong, as it is found. */
export async function* verifyStore(parts: StoreParts, options: VerifyOptions): AsyncIterable<Problem> {
  yield* packFiles(parts)
  yield* chunkPlaces(parts, options.signal)
  if (options.readData) yield* packData(parts, options)
  yield* await parts.turnstile.run(() => references(parts, options.signal))
}

/** Packs that are gone or shorter than what was committed to them. */
function* packFiles(parts: StoreParts): Iterable<Problem> {
  for (const [pack, record] of parts.index.packs) {
    const size = parts.packs.size(pack)
    if (record.state === 'drop' || size >= record.end) continue
    const name = `pack ${String(pack)}`
    if (size === 0) yield { kind: 'pack-missing', pack, message: `${name} is missing` }
    else {
      const message = `${name} ends at byte ${String(size)} and should reach ${String(record.end)}`
      yield { kind: 'pack-truncated', pack, message }
    }
  }
}

/** Every chunk is where the index says, as far as its record header tells. */
async function* chunkPlaces(parts: StoreParts, signal: AbortSignal): AsyncIterable<Problem> {
  for await (const [id, record] of parts.index.chunks()) {
    signal.throwIfAborted()
    const problem = placeProblem(parts, id, record)
    if (problem !== undefined && isCurrent(parts, id, record)) yield problem
  }
}

function placeProblem(parts: StoreParts, id: ChunkId, record: ChunkRecord): Problem | undefined {
  const { pack, offset, length } = record
  if (pack === 0) return { kind: 'chunk-missing', id, message: `chunk ${id} is missing` }
  if (offset + length > parts.packs.size(pack)) {
    return {
      kind: 'chunk-missing',
      id,
      pack,
      message: `chunk ${id} was in the lost part of pack ${String(pack)}`,
    }
  }
  const bytes = new Uint8Array(recordHeaderBytes)
  parts.packs.read(pack, offset - recordHeaderBytes, bytes)
  const header = decodeRecordHeader(bytes)
  if (!record.isBad && header?.id === id && header.length === length) return undefined
  return { kind: 'chunk-corrupt', id, pack, message: `chunk ${id} is damaged in pack ${String(pack)}` }
}

/** Says whether the index still says what was read of it: else a commit or compaction came between. */
function isCurrent(parts: StoreParts, id: ChunkId, record: ChunkRecord): boolean {
  const now = parts.index.get(id)
  return now?.pack === record.pack && now.offset === record.offset && now.isBad === record.isBad
}

/** Every byte of every pack. */
async function* packData(parts: StoreParts, options: VerifyOptions): AsyncIterable<Problem> {
  const numbers = [...parts.index.packs.keys()].sort((a, b) => a - b)
  let bytesRead = 0
  for (const [at, pack] of numbers.entries()) {
    const end = parts.index.packs.get(pack)?.end ?? 0
    if (parts.packs.size(pack) > 0 && end > packHeaderBytes) {
      yield* onePack(parts, pack, options.signal)
      bytesRead += Math.min(end, parts.packs.size(pack))
    }
    options.onProgress?.({ packsDone: at + 1, packs: numbers.length, bytesRead })
  }
}

async function* onePack(parts: StoreParts, pack: number, signal: AbortSignal): AsyncIterable<Problem> {
  const file = parts.packs.openApart(pack)
  const endNow = (): number => parts.index.packs.get(pack)?.end ?? 0
  try {
    for (const item of scanRecords(file, { to: endNow(), readData: true })) {
      await pause()
      signal.throwIfAborted()
      if (item.kind === 'damage') {
        const message = `pack ${String(pack)} holds ${String(item.length)} bytes that are no record, from byte ${String(item.offset)}`
        if (item.offset + item.length <= Math.min(endNow(), parts.packs.size(pack)))
          yield { kind: 'pack-damaged', pack, message }
      } else if (!item.isGood) {
        const record = parts.index.get(item.id)
        if (record?.pack !== pack || record.offset !== item.offset || record.isBad) continue
        yield {
          kind: 'chunk-corrupt',
          id: item.id,
          pack,
          message: `chunk ${item.id} is damaged in pack ${String(pack)}`,
        }
      }
    }
  } finally {
    file.close()
  }
}

/** Closures and counts of references; within the turnstile, so that they hold still. */
async function references(parts: StoreParts, signal: AbortSignal): Promise<Problem[]> {
  const found: Problem[] = []
  const chunks = [...parts.index.packs.values()].reduce((sum, record) => sum + record.liveCount, 0)
  const passes = Math.ceil((chunks + 1) / countedMax)
  const suspects: ChunkId[] = []
  let isWhole = true
  for (let pass = 0; pass < passes; pass++) {
    const isMine = (id: ChunkId): boolean => Number.parseInt(id.slice(0, 6), 16) % passes === pass
    const counts = new IdCounts(chunks / passes)
    isWhole = await countAll(parts, { counts, isMine, ...(pass === 0 && { found }) }, signal)
    for await (const [id, record] of parts.index.chunks())
      if (isMine(id) && isWrong(counts.get(id), record, isWhole)) suspects.push(id)
  }
  // Two ids may have shared a count: those of which it does not come out right are counted by themselves.
  for (let at = 0; at < suspects.length; at += RECOUNTED_MAX) {
    const counts = new Map(suspects.slice(at, at + RECOUNTED_MAX).map((id) => [id, 0]))
    const adding = { add: (id: ChunkId) => counts.set(id, (counts.get(id) ?? 0) + 1) }
    await countAll(parts, { counts: adding, isMine: (id) => counts.has(id) }, signal)
    for (const [id, refs] of counts) {
      const record = parts.index.get(id)
      if (record === undefined || !isWrong(refs, record, isWhole)) continue
      const message = `chunk ${id} is referred to ${String(refs)} times and the index says ${String(record.refs)}`
      found.push({ kind: 'refs-wrong', id, message })
    }
  }
  return found
}

/** What a damaged chunk refers to cannot be counted, and the index may well be right. */
function isWrong(refs: number, record: ChunkRecord, isWhole: boolean): boolean {
  return refs !== record.refs && (isWhole || refs >= record.refs)
}

interface Counting {
  readonly counts: { add(id: ChunkId): unknown }
  readonly isMine: (id: ChunkId) => boolean
  /** Told of closures that are not whole. @defaultValue nobody looks */
  readonly found?: Problem[]
}

/** Counts all references to some chunks. @returns false when not all of them can be read */
async function countAll(parts: StoreParts, counting: Counting, signal: AbortSignal): Promise<boolean> {
  let isWhole = true
  for await (const [id, record] of parts.index.chunks()) {
    signal.throwIfAborted()
    // Of most it is known that they refer to nothing.
    if (!record.isComplete || (record.linkCount === 0 && !record.isBad)) continue
    const isCounted = countLinks(parts, id, counting)
    isWhole &&= isCounted
  }
  for (const root of parts.index.holds) if (counting.isMine(root)) counting.counts.add(root)
  return isWhole
}

/** @returns false when the links of a chunk cannot be read: that it is damaged was reported before */
function countLinks(parts: StoreParts, id: ChunkId, { counts, isMine, found }: Counting): boolean {
  let links: readonly ChunkId[]
  try {
    links = peekLinks(parts, id)
  } catch {
    return false
  }
  for (const link of links) {
    if (isMine(link)) counts.add(link)
    if (found === undefined) continue
    const child = parts.index.get(link)
    if (child?.isComplete === true || child?.isBad === true) continue
    found.push({
      kind: 'closure-incomplete',
      id,
      message: `chunk ${id} refers to ${link}, which is not complete`,
    })
  }
  return true
}
