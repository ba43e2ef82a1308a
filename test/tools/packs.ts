/** Looks into the packs of a device, and flips bits in them as a rotting disk does. */

import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ChunkId } from '../../protocol/index.ts'
import { decodeRecordHeader, packHeaderBytes, recordHeaderBytes } from '../../storage/pack/format.ts'

/** Between two looks at files that grow, milliseconds. */
const lookEveryMs = 2

interface PackRecord {
  readonly path: string
  /** Of the chunk in the pack. */
  readonly offset: number
  readonly id: ChunkId
  readonly length: number
}

/** The whole records of a device's packs; its store is below its home, its node may run. */
function recordsOf(home: string): PackRecord[] {
  const packs = join(home, 'store', 'packs')
  return readdirSync(packs)
    .filter((name) => name.endsWith('.pack'))
    .flatMap((name) => recordsIn(join(packs, name)))
}

function recordsIn(path: string): PackRecord[] {
  const fd = openSync(path, 'r')
  const records: PackRecord[] = []
  const header = Buffer.alloc(recordHeaderBytes)
  try {
    const { size } = statSync(path)
    for (let at = packHeaderBytes; at + recordHeaderBytes <= size; ) {
      readSync(fd, header, 0, recordHeaderBytes, at)
      const record = decodeRecordHeader(header)
      const offset = at + recordHeaderBytes
      if (record === undefined || offset + record.length > size) break
      records.push({ path, offset, ...record })
      at = offset + record.length
    }
  } finally {
    closeSync(fd)
  }
  return records
}

/** What a store has on its disk, by its packs alone. */
export interface Stored {
  readonly chunks: number
  readonly bytes: number
  /** Bytes of chunks that are there once more: stored for nothing. */
  readonly bytesTwice: number
}

/** Counts what is on a device's disk. */
export function storedBy(home: string): Stored {
  const seen = new Set<ChunkId>()
  let bytes = 0
  let bytesTwice = 0
  for (const { id, length } of recordsOf(home)) {
    bytes += length
    if (seen.has(id)) bytesTwice += length
    seen.add(id)
  }
  return { chunks: seen.size, bytes, bytesTwice }
}

/** Bytes of the files of packs; 0 where there are none yet. */
export function packBytes(home: string): number {
  const packs = join(home, 'store', 'packs')
  if (!existsSync(packs)) return 0
  return readdirSync(packs).reduce(
    (sum, name) => sum + (statSync(join(packs, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

/**
 * Resolves in the middle of storing: as soon as the packs have grown by so many bytes, or the work is over.
 *
 * @returns false when the work was over before
 */
export async function untilGrown(home: string, bytes: number, work: Promise<unknown>): Promise<boolean> {
  const before = packBytes(home)
  const state = { isOver: false }
  const end = () => (state.isOver = true)
  work.then(end, end)
  while (!state.isOver && packBytes(home) - before <= bytes) await pause(lookEveryMs)
  return !state.isOver
}

/**
 * Flips one bit in the middle of each stored chunk of at least so many bytes.
 *
 * @returns the chunks that are bad now; at least one
 */
export function damageChunks(home: string, bytesMin: number): ChunkId[] {
  const bad = recordsOf(home).filter(({ length }) => length >= bytesMin)
  assert.ok(bad.length > 0, `no chunk of ${String(bytesMin)} bytes in ${home}`)
  for (const { path, offset, length } of bad) flip(path, offset + Math.floor(length / 2))
  return bad.map(({ id }) => id)
}

function flip(path: string, at: number): void {
  const fd = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, at)
  byte[0] = (byte[0] ?? 0) ^ 0x10
  writeSync(fd, byte, 0, 1, at)
  closeSync(fd)
}
