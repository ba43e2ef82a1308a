/** Reads small files into one bundle and seals it. */

import type { Xattr } from '../../protocol/index.ts'
import { waitWhileYoung } from '../adapters/file-time.ts'
import { BUNDLE_BYTES_MAX } from './bundles.ts'
import { type BundleJob, type BundleResult, FACTS_WIDTH, type OddFile } from './jobs.ts'
import {
  CHANGED,
  factsOf,
  failureOf,
  isSameFile,
  isSystemError,
  readFully,
  statRegular,
  withSource,
} from './read-source.ts'
import { type Bench, chunksOf } from './bench.ts'

/** Room for what files grew while being read; beyond it they are read as files of their own. */
const ROOM_BYTES = 2 * BUNDLE_BYTES_MAX

/** How reading one file ended: bytes read, and what was odd. */
interface Taken {
  readonly length: number
  readonly odd?: OddFile
}

/** Reads a file as it is expected: one open, one read, one look afterwards. */
function takeExpected(window: Buffer, at: number, path: Buffer, facts: BigInt64Array): number | undefined {
  const size = Number(facts[0])
  waitWhileYoung(Number(facts[2]) / 1e6)
  return withSource(path, (fd) => {
    // One byte more is asked for, so that a file that grew shows.
    const length = readFully(fd, window, at, size + 1, 0)
    if (length !== size) return undefined
    const now = statRegular(fd)
    const isSame =
      now.size === facts[0] &&
      now.ino === BigInt.asUintN(64, facts[3] as bigint) &&
      BigInt.asIntN(64, now.mtimeNs) === facts[1] &&
      BigInt.asIntN(64, now.ctimeNs) === facts[2]
    return isSame ? length : undefined
  })
}

/** Reads a file as it is now, for it was not as expected. */
function takeChanged(window: Buffer, at: number, path: Buffer, index: number): Taken {
  return withSource(path, (fd) => {
    let before = factsOf(statRegular(fd))
    waitWhileYoung(Number(before.ctimeNs) / 1e6)
    before = factsOf(statRegular(fd))
    if (at + before.size + 1 > ROOM_BYTES) return { length: 0, odd: { index, kind: 'large' } }
    const length = readFully(fd, window, at, before.size, 0)
    const isStable = length === before.size && isSameFile(before, factsOf(statRegular(fd)))
    return { length, odd: { index, kind: 'changed', facts: { ...before, size: length }, isStable } }
  })
}

function take(window: Buffer, at: number, path: Buffer, index: number, facts: BigInt64Array): Taken {
  try {
    if (at + Number(facts[0]) + 1 > ROOM_BYTES) return { length: 0, odd: { index, kind: 'large' } }
    try {
      const length = takeExpected(window, at, path, facts)
      if (length !== undefined) return { length }
    } catch (error) {
      if (!isSystemError(error)) throw error
    }
    return takeChanged(window, at, path, index)
  } catch (error) {
    if (!isSystemError(error)) throw error
    return {
      length: 0,
      odd: { index, kind: 'failed', failure: error.code === 'CHANGED' ? CHANGED : failureOf(error) },
    }
  }
}

/** The paths of a job. */
function splitPaths(paths: Uint8Array): Buffer[] {
  const bytes = Buffer.from(paths.buffer, paths.byteOffset, paths.byteLength)
  const found: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start)
    found.push(bytes.subarray(start, end))
    start = end + 1
  }
  return found
}

/** Attributes, or none where they cannot be read. */
export function xattrsOf(bench: Bench, path: Uint8Array): readonly Xattr[] {
  try {
    return bench.calls.readXattrs(path)
  } catch (error) {
    if (!isSystemError(error)) throw error
    return []
  }
}

/** Does the job of one bundle. */
export async function runBundle(bench: Bench, job: BundleJob): Promise<BundleResult> {
  const { window } = bench.cutter
  const paths = splitPaths(job.paths)
  const places = new Int32Array(paths.length * 2)
  const odd: OddFile[] = []
  const xattrs: { index: number; xattrs: readonly Xattr[] }[] = []
  let at = 0
  for (const [index, path] of paths.entries()) {
    const taken = take(
      window,
      at,
      path,
      index,
      job.facts.subarray(index * FACTS_WIDTH, (index + 1) * FACTS_WIDTH),
    )
    places[index * 2] = at
    places[index * 2 + 1] = taken.length
    at += taken.length
    if (taken.odd !== undefined) odd.push(taken.odd)
    if (taken.odd?.kind === 'failed' || taken.odd?.kind === 'large') continue
    const found = xattrsOf(bench, path)
    if (found.length > 0) xattrs.push({ index, xattrs: found })
  }
  bench.ports.progress(at)
  const [chunk] = at === 0 ? [] : await chunksOf(bench, 'bundle', [{ start: 0, length: at }])
  return { kind: 'bundle', places, odd, xattrs, ...(chunk === undefined ? {} : { chunk }) }
}
