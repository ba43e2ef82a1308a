/** Flips bits in the packs of a device, as a rotting disk does. */

import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ChunkId } from '../../protocol/index.ts'
import { decodeRecordHeader, packHeaderBytes, recordHeaderBytes } from '../../storage/pack/format.ts'

/**
 * Flips one bit in the middle of each stored chunk of at least so many bytes.
 *
 * @param home - of a device that keeps its store there; its node may run
 * @returns the chunks that are bad now; at least one
 */
export function damageChunks(home: string, bytesMin: number): ChunkId[] {
  const packs = join(home, 'store', 'packs')
  const bad = readdirSync(packs)
    .filter((name) => name.endsWith('.pack'))
    .flatMap((name) => damagePack(join(packs, name), bytesMin))
  assert.ok(bad.length > 0, `no chunk of ${String(bytesMin)} bytes in ${packs}`)
  return bad
}

function damagePack(path: string, bytesMin: number): ChunkId[] {
  const fd = openSync(path, 'r+')
  const { size } = statSync(path)
  const header = Buffer.alloc(recordHeaderBytes)
  const bad: ChunkId[] = []
  try {
    for (let at = packHeaderBytes; at + recordHeaderBytes <= size; ) {
      readSync(fd, header, 0, recordHeaderBytes, at)
      const record = decodeRecordHeader(header)
      if (record === undefined) break
      const middle = at + recordHeaderBytes + Math.floor(record.length / 2)
      if (record.length >= bytesMin && middle < size) {
        flip(fd, middle)
        bad.push(record.id)
      }
      at += recordHeaderBytes + record.length
    }
  } finally {
    closeSync(fd)
  }
  return bad
}

function flip(fd: number, at: number): void {
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, at)
  byte[0] = (byte[0] ?? 0) ^ 0x10
  writeSync(fd, byte, 0, 1, at)
}
