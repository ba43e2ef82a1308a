/** Keeps a long-lived process small: what a backup used goes back to the system (DECISIONS.md). */

import { createRequire } from 'node:module'

// The numbers of <malloc.h> (glibc).
const M_TRIM_THRESHOLD = -1
const M_MMAP_THRESHOLD = -3
const M_ARENA_MAX = -8

const MiB = 1024 * 1024
/** Free bytes at the end of a heap that are kept for the next buffers. */
const trimThresholdBytes = 32 * MiB
/**
 * Blocks from this size on are mapped one by one: above all buffers of chunks, as mapping each anew costs more than
 * filling it.
 */
const mmapThresholdBytes = 16 * MiB
/** Heaps that threads share; the default is eight for each core, and each keeps what it once had. */
const arenas = 2

/** What is used of the system's allocator. */
interface Allocator {
  readonly mallopt: (parameter: number, value: number) => number
  readonly trim: (padBytes: number) => number
}

let allocator: Allocator | undefined
let isTuned = false

/**
 * Tells the system's allocator to share few heaps among threads and to keep little. A node moves chunks of about a
 * mebibyte through many buffers; left alone, glibc learns from their size to keep them, in a heap for each thread, and
 * a backup leaves hundreds of mebibytes behind. Without glibc it does nothing. Idempotent; before threads are started.
 */
export function tuneMemory(): void {
  if (isTuned || process.platform !== 'linux') return
  isTuned = true
  allocator = findAllocator()
  allocator?.mallopt(M_MMAP_THRESHOLD, mmapThresholdBytes)
  allocator?.mallopt(M_TRIM_THRESHOLD, trimThresholdBytes)
  allocator?.mallopt(M_ARENA_MAX, arenas)
}

/** Gives what is free in all heaps back to the system: after long work. */
export function trimMemory(): void {
  allocator?.trim(0)
}

function findAllocator(): Allocator | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const libc = koffi.load('libc.so.6')
    return {
      mallopt: libc.func('int mallopt(int parameter, int value)') as Allocator['mallopt'],
      trim: libc.func('int malloc_trim(size_t pad)') as Allocator['trim'],
    }
  } catch {
    return undefined // no glibc, or no binding for this machine: the process is larger, and works as well
  }
}
