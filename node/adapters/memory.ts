/** Keeps a long-lived process small: what a backup used goes back to the system (DECISIONS.md). */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MappedPages } from '../../storage/index.ts'

// The numbers of <malloc.h> (glibc).
const M_TRIM_THRESHOLD = -1
const M_MMAP_THRESHOLD = -3
const M_ARENA_MAX = -8

const MiB = 1024 * 1024
/**
 * Free bytes at the end of a heap that are kept for the next buffers. Each thread that was there before this was said
 * has a heap of its own, and `malloc_trim` leaves the end of those alone: more is never given back by a node that runs.
 */
const trimThresholdBytes = 4 * MiB
/**
 * Blocks from this size on are mapped one by one: above all buffers of chunks, as mapping each anew costs more than
 * filling it.
 */
const mmapThresholdBytes = 16 * MiB
/** Heaps that threads share; the default is eight for each core, and each keeps what it once had. */
const arenas = 2

/** MADV_DONTNEED of <sys/mman.h>. */
const MADV_DONTNEED = 4
/** Files that are mapped to be read, and shared. */
const sharedMapping = /^([0-9a-f]+)-([0-9a-f]+) r--s \S+ \S+ \S+ +(\S.*)$/gm

/** What is used of the system's allocator. */
interface Allocator {
  readonly madvise: (address: bigint, length: bigint, advice: number) => number
  readonly mallopt: (parameter: number, value: number) => number
  readonly trim: (padBytes: number) => number
}

/**
 * By how much the heap of scripts may grow before it is collected whole again. V8 counts buffers that are on their way
 * as growth, and left alone collects a heap of 20 MiB whole for each twelve mebibytes that come or go: a third of the
 * processor's time of a transfer. What has died young is collected beside it as before.
 */
const growthBytes = 48 * MiB
/** The same of who only stores, percent, and the least of who backs up. */
const growthPercentMin = 30
/** The most, percent: that of a node that has just begun. */
let growthPercentMax = 200

let allocator: Allocator | undefined
let isTuned = false
let isLongLived = false
/** Collects what is garbage in the heap of scripts. */
let collect: (() => void) | undefined

/**
 * Tells V8 when to collect. Idempotent.
 *
 * @param goesOn - the process lives longer than one piece of work
 */
export function tuneMemory(goesOn: boolean): void {
  if (!isLongLived) mayGrow(growthPercentMax)
  isLongLived ||= goesOn
  if (goesOn) tuneAllocator()
}

/**
 * Tells the system's allocator to share few heaps among threads and to keep little. A node moves chunks of about a
 * mebibyte through many buffers; left alone, glibc learns from their size to keep them, in a heap for each thread, and
 * a backup leaves hundreds of mebibytes behind. Without glibc that is left alone. Idempotent; before threads are
 * started or much is sent: most commands end before it would have paid.
 */
export function tuneAllocator(): void {
  if (isTuned || process.platform !== 'linux') return
  isTuned = true
  allocator = findAllocator()
  allocator?.mallopt(M_MMAP_THRESHOLD, mmapThresholdBytes)
  allocator?.mallopt(M_TRIM_THRESHOLD, trimThresholdBytes)
  allocator?.mallopt(M_ARENA_MAX, arenas)
}

/**
 * Gives what is free in all heaps, and the pages of the index, back to the system: after long work, in a process that
 * goes on. What a command used goes back with it.
 */
export function trimMemory(): void {
  if (!isLongLived) return
  collector()()
  mayGrow((100 * growthBytes) / getHeapStatistics().used_heap_size)
  allocator?.trim(0)
  indexPages.release()
}

/**
 * So many looks at the index of who only stores, and its pages are let go of: at most 16 MiB of them are in memory. It
 * costs some ten microseconds a look, which a laptop that makes backups is spared.
 */
const looksOfStorerMax = 256

let looksMax = Infinity

/** The pages of the index, in a large store most of what the process has. */
export const indexPages = new MappedPages({ drop: dropPages, looksMax: () => looksMax })

/**
 * Lets go of the pages of files that are mapped to be read. None of them may be unmapped meanwhile: something else
 * might come to lie there, and be wiped.
 */
export function dropPages(paths: ReadonlySet<string>): void {
  if (allocator === undefined) return
  let maps: string
  try {
    maps = readFileSync('/proc/self/maps', 'latin1')
  } catch {
    return // no such file on this system: the process is larger, and works as well
  }
  for (const [, from = '0', to = '0', path = ''] of maps.matchAll(sharedMapping)) {
    if (!paths.has(Buffer.from(path, 'latin1').toString())) continue
    const address = BigInt(`0x${from}`)
    allocator.madvise(address, BigInt(`0x${to}`) - address, MADV_DONTNEED)
  }
}

/**
 * Has the process of who only stores stay small: called early, before it has grown. Left alone, V8 lets its heap grow
 * to some hundred mebibytes on a machine that has many, before it looks once for what is garbage: for a node that only
 * stores and passes on, nearly all of it is. Costs time of the processor whenever much is received or sent: not for
 * those that make backups.
 */
export function keepHeapSmall(): void {
  looksMax = looksOfStorerMax
  // What is young stays where it is: half of it is always empty.
  setFlagsFromString('--semi-space-growth-factor=1')
  growthPercentMax = growthPercentMin
  mayGrow(growthPercentMax)
  // The bound counts from the first collection on, so there is one now: some ten milliseconds.
  collector()()
}

/** Says by how much the heap may grow; counts from the next time that it is collected whole. */
function mayGrow(percent: number): void {
  const within = Math.min(growthPercentMax, Math.max(growthPercentMin, Math.round(percent)))
  setFlagsFromString(`--heap-growing-percent=${String(within)}`)
}

/** A heap of scripts of a backup is some 30 MiB; what is more is garbage, mostly. */
const grownBytes = 40 * MiB

/** Has the heap of scripts collected if it has grown: some thirty milliseconds, for who goes on for long. */
export function collectIfGrown(): void {
  if (getHeapStatistics().used_heap_size > grownBytes) collector()()
}

/** What collects the heap at once; made at the first call. */
function collector(): () => void {
  if (collect !== undefined) return collect
  setFlagsFromString('--expose-gc')
  collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return collect
}

function findAllocator(): Allocator | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const libc = koffi.load('libc.so.6')
    return {
      mallopt: libc.func('int mallopt(int parameter, int value)') as Allocator['mallopt'],
      trim: libc.func('int malloc_trim(size_t pad)') as Allocator['trim'],
      madvise: libc.func('int madvise(uintptr_t address, size_t length, int advice)') as Allocator['madvise'],
    }
  } catch {
    return undefined // no glibc, or no binding for this machine: the process is larger, and works as well
  }
}
