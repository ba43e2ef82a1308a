/** Writes one large file with all workers at once. */

import { CellarError } from '../../protocol/index.ts'
import type { SnapshotReader } from '../snapshot-reader.ts'
import { openFile, type WriterParts, type WriterTarget } from './file-writer.ts'
import type { ChunkPieces, JobResult } from './messages.ts'
import { Placer } from './plan.ts'
import type { WorkerPool } from './pool.ts'

/** What writing needs. */
export interface LargeFileParts {
  readonly reader: SnapshotReader
  readonly pool: WorkerPool
  readonly signal: AbortSignal
  readonly writer: WriterParts
  readonly verify: boolean
}

/** Bytes of content in one job. */
const JOB_BYTES = 8 * 1024 * 1024
const JOBS_AT_ONCE = 4

/**
 * Writes a large file beside its place and puts it there.
 *
 * @throws what any of its chunks threw; then nothing is in place
 */
export async function restoreLargeFile(parts: LargeFileParts, target: WriterTarget): Promise<void> {
  const { reader, pool, signal, writer, verify } = parts
  const { entry } = target
  const file = openFile(writer, target)
  const running = new Set<Promise<void>>()
  let failure: Error | undefined
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new Error(String(error))
  }
  const send = async (chunks: readonly ChunkPieces[]): Promise<void> => {
    const job = pool.run({ kind: 'pieces', fd: file.fd, chunks, verify }).then(throwProblem).catch(fail)
    const tracked = job.finally(() => running.delete(tracked))
    running.add(tracked)
    if (running.size >= JOBS_AT_ONCE) await Promise.race(running)
  }
  try {
    const placer = new Placer(entry.size, entry.holes)
    let chunks: ChunkPieces[] = []
    let bytes = 0
    for await (const { id, length } of reader.chunks(entry, signal)) {
      chunks.push({ id, length, pieces: placer.place(length) })
      bytes += length
      if (bytes >= JOB_BYTES) {
        await send(chunks)
        chunks = []
        bytes = 0
      }
      if (failure !== undefined) break
    }
    if (chunks.length > 0) await send(chunks)
  } catch (error) {
    fail(error)
  }
  await Promise.all(running) // the descriptor is theirs until they answer
  if (failure !== undefined) {
    file.drop()
    throw failure
  }
  file.finish()
}

function throwProblem({ problems }: JobResult): void {
  const [problem] = problems
  if (problem !== undefined)
    throw Object.assign(new CellarError('RESTORE_INCOMPLETE', problem.message), { code: problem.code })
}
