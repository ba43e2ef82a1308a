/** Setting bad chunks aside; within the turnstile (ordering.md §8). */
import { CellarError, type ChunkId, verifyChunk } from '../../protocol/index.ts'
import type { DiskFile } from '../disk.ts'
import type { ChunkRecord } from '../index/record.ts'
import { decodeRecordHeader, recordHeaderBytes } from '../pack/format.ts'
import { commitStaged, withReserve } from './commit.ts'
import type { StoreParts } from './parts.ts'

/**
 * Marks a chunk as bad, if it is. What waits for its commit is entered first: good bytes that came for a bad chunk are
 * the ones that are looked at.
 *
 * @returns whether it is marked now; false for one that is not here
 */
export async function markBad(
  parts: StoreParts,
  id: ChunkId,
  isBad: (record: ChunkRecord) => boolean,
): Promise<boolean> {
  await commitStaged(parts)
  const draft = parts.index.draft()
  const record = draft.get(id)
  if (record === undefined) return false
  if (record.isBad) return true
  if (!isBad(record)) return false
  draft.set(id, { ...record, isBad: true })
  await withReserve(parts, () => draft.write(true))
  return true
}

/**
 * Whether the bytes of a chunk are what its id says. Opens the pack anew: one that was removed behind the store's back
 * can still be read by whoever has it open.
 */
export function isReadable(parts: StoreParts, id: ChunkId, { pack, offset, length }: ChunkRecord): boolean {
  const bytes = Buffer.allocUnsafeSlow(recordHeaderBytes + length)
  let file: DiskFile | undefined
  try {
    file = parts.packs.openApart(pack)
    const found = file.read(bytes, offset - recordHeaderBytes)
    if (found < bytes.byteLength || decodeRecordHeader(bytes)?.id !== id) return false
    verifyChunk(id, bytes.subarray(recordHeaderBytes))
    return true
  } catch (error) {
    if (error instanceof CellarError || (error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  } finally {
    file?.close()
  }
}
