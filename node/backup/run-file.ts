/** Reads one file, or a stretch of it, cut by content; holes are left out. */

import { closeSync } from 'node:fs'
import { type ChunkId, type Extent, holesMax } from '../../protocol/index.ts'
import { waitWhileYoung } from '../adapters/file-time.ts'
import { COARSE } from './gear.ts'
import type { FileFacts, FileJob, FileResult } from './jobs.ts'
import {
  CHANGED,
  factsOf,
  failureOf,
  isSameFile,
  isSystemError,
  openSource,
  readFully,
  statRegular,
} from './read-source.ts'
import { BATCH_BYTES, type Bench, chunksOf, type Piece } from './bench.ts'
import { xattrsOf } from './run-bundle.ts'

/** Holes kept of one stretch: the smallest beyond it are read as data. */
const STRETCH_HOLES_MAX = 4096

/** What lies between extents of data within a stretch; the smallest are dropped when there are more than `max`. */
export function holesBetween(
  extents: readonly Extent[],
  from: number,
  to: number,
  max = STRETCH_HOLES_MAX,
): Extent[] {
  const holes: Extent[] = []
  let at = from
  for (const { offset, length } of extents) {
    if (offset > at) holes.push({ offset: at, length: Math.min(offset, to) - at })
    at = Math.max(at, offset + length)
    if (at >= to) break
  }
  if (at < to) holes.push({ offset: at, length: to - at })
  if (holes.length <= max) return holes
  const least = holes.map((hole) => hole.length).sort((a, b) => b - a)[max] as number
  return holes.filter((hole) => hole.length > least)
}

/** What lies between holes within a stretch. */
function dataBetween(holes: readonly Extent[], from: number, to: number): Extent[] {
  const data: Extent[] = []
  let at = from
  for (const { offset, length } of holes) {
    if (offset > at) data.push({ offset: at, length: offset - at })
    at = offset + length
  }
  if (at < to) data.push({ offset: at, length: to - at })
  return data
}

/** Reads stretches of an open file one after another, as if they were one. */
class Reader {
  readonly #fd: number
  readonly #extents: readonly Extent[]
  #index = 0
  #done = 0
  /** Bytes that the file did not have any more. */
  isShort = false

  constructor(fd: number, extents: readonly Extent[]) {
    this.#fd = fd
    this.#extents = extents
  }

  get isAtEnd(): boolean {
    return this.isShort || this.#index >= this.#extents.length
  }

  /** Offset in the file behind the last byte that came. */
  get position(): number {
    const extent = this.#extents[this.#index]
    return extent === undefined ? 0 : extent.offset + this.#done
  }

  /** Fills a part of the window; gives how many bytes came. */
  fill(window: Buffer, from: number, to: number): number {
    let at = from
    while (at < to && !this.isAtEnd) {
      const extent = this.#extents[this.#index] as Extent
      const want = Math.min(to - at, extent.length - this.#done)
      const got = readFully(this.#fd, window, at, want, extent.offset + this.#done)
      at += got
      this.#done += got
      if (got < want) this.isShort = true
      else if (this.#done === extent.length) {
        this.#index++
        this.#done = 0
      }
    }
    return at - from
  }
}

/** Cuts what a reader gives, batch by batch. */
async function cutAll(
  bench: Bench,
  reader: Reader,
  job: FileJob,
): Promise<{ id: ChunkId; length: number }[]> {
  const { cutter, ports } = bench
  const { window } = cutter
  const chunks: { id: ChunkId; length: number }[] = []
  let have = 0
  for (;;) {
    const got = reader.fill(window, have, BATCH_BYTES + job.sizes.max)
    have += got
    const pieces: Piece[] = []
    let start = 0
    while (have - start > (reader.isAtEnd ? 0 : job.sizes.max)) {
      const length = cutter.cut(start, have - start, job.sizes)
      pieces.push({ start, length })
      start += length
    }
    ports.progress(got)
    if (pieces.length > 0) {
      const ids = await chunksOf(bench, 'data', pieces)
      for (const [index, { length }] of pieces.entries()) chunks.push({ id: ids[index] as ChunkId, length })
    }
    window.copyWithin(0, start, have)
    have -= start
    if (reader.isAtEnd && have === 0) return chunks
  }
}

const MISSED: FileResult = { kind: 'file', state: 'missed', chunks: [], holes: [], xattrs: [] }

/** The facts of a file that did not change in the last moment. */
function settledFacts(fd: number): FileFacts {
  waitWhileYoung(Number(statRegular(fd).ctimeNs) / 1e6)
  return factsOf(statRegular(fd))
}

/**
 * Where a stretch really begins: at the first cut behind its nominal place, so that stretches of a file that
 * has grown in front still begin at the same bytes.
 */
function seam(bench: Bench, fd: number, nominal: number, size: number): number {
  if (nominal === 0 || nominal >= size) return Math.min(nominal, size)
  const { window } = bench.cutter
  const have = readFully(fd, window, 0, Math.min(COARSE.max, size - nominal), nominal)
  return nominal + (have === 0 ? 0 : bench.cutter.cut(0, have, COARSE))
}

async function readOpen(bench: Bench, job: FileJob, fd: number): Promise<FileResult> {
  const before = settledFacts(fd)
  const isFirstTry = job.expected !== undefined
  if (job.expected !== undefined && !isSameFile(before, job.expected)) return MISSED
  const from = seam(bench, fd, job.offset, before.size)
  const to = seam(bench, fd, job.offset + job.length, before.size)
  const extents = job.isSparse ? bench.calls.dataExtents(fd, before.size) : undefined
  const holes =
    extents === undefined ? [] : holesBetween(extents, from, to, isFirstTry ? STRETCH_HOLES_MAX : holesMax)
  const reader = new Reader(fd, dataBetween(holes, from, to))
  const chunks = await cutAll(bench, reader, job)
  const isSteady = !reader.isShort && isSameFile(before, factsOf(statRegular(fd)))
  if (isFirstTry && !isSteady) return MISSED
  const xattrs = job.wantsXattrs ? xattrsOf(bench, job.path) : []
  const result = { kind: 'file', state: isSteady ? 'read' : 'unsteady', chunks, holes, xattrs } as const
  if (isFirstTry) return result
  return reader.isShort ? shortened(result, before, reader.position) : { ...result, facts: before }
}

/** A file that lost its end while it was read is as long as what came. */
function shortened(result: FileResult, before: FileFacts, size: number): FileResult {
  return {
    ...result,
    holes: result.holes.filter(({ offset, length }) => offset + length <= size),
    facts: { ...before, size },
  }
}

/** Does the job of one file. */
export async function runFile(bench: Bench, job: FileJob): Promise<FileResult> {
  let fd: number | undefined
  try {
    fd = openSource(job.path)
    return await readOpen(bench, job, fd)
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (job.expected !== undefined) return MISSED
    return { ...MISSED, failure: error.code === 'CHANGED' ? CHANGED : failureOf(error) }
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
