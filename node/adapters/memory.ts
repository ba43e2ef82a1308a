/** Keeps a long-lived process small: large buffers go back to the system when they are freed (DECISIONS.md). */

import { createRequire } from 'node:module'

// The numbers of <malloc.h> (glibc): M_MMAP_THRESHOLD, M_ARENA_MAX.
const MMAP_THRESHOLD = -3
const ARENA_MAX = -8

/** Blocks from this size on are mapped one by one, and unmapped when they are freed. Bytes. */
const mappedFromBytes = 128 * 1024
/** Heaps that threads share; the default is eight for each core, and each keeps what it once had. */
const arenas = 2

let isDone = false

/**
 * Tells the system's allocator to give large blocks back. A node moves chunks of about a mebibyte through many
 * buffers; by default glibc learns from their size to keep them, and a backup leaves hundreds of mebibytes behind.
 * Without glibc it does nothing. Idempotent; to be called before threads are started.
 */
export function giveMemoryBack(): void {
  if (isDone || process.platform !== 'linux') return
  isDone = true
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const mallopt = koffi.load('libc.so.6').func('int mallopt(int parameter, int value)') as (parameter: number, value: number) => number
    mallopt(MMAP_THRESHOLD, mappedFromBytes)
    mallopt(ARENA_MAX, arenas)
  } catch {
    // No glibc, or no binding for this machine: the process is larger, and works as well.
  }
}
