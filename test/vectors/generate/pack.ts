/** The vectors of pack files (storage/spec/pack.md). */
import { encodePackHeader, encodeRecordHeader, packHeaderBytes } from '../../../storage/pack/format.ts'
import { testChunk, type TestChunk } from '../../support/chunks.ts'
import type { Vector } from '../format.ts'

const one = testChunk('one', [], 6)
const two = testChunk('two', [one.id], 40)
const record = ({ id, bytes }: TestChunk): Uint8Array =>
  Buffer.concat([encodeRecordHeader(id, bytes.byteLength), bytes])
const pack = (...parts: Uint8Array[]): Buffer => Buffer.concat([encodePackHeader(1), ...parts])

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

const recordBytes = record(one).byteLength
const whole = pack(record(one), record(two))
const at2 = packHeaderBytes + recordBytes
const good = (chunk: TestChunk, at: number): string => `record ${chunk.id} at ${String(at + 44)}`
const bad = (chunk: TestChunk, at: number): string => `bad ${chunk.id} at ${String(at + 44)}`
const damage = (at: number, length: number): string => `damage at ${String(at)} of ${String(length)}`

interface Scenario {
  readonly name: string
  readonly comment: string
  readonly body: Uint8Array
  readonly found: readonly string[]
}

const scenarios: readonly Scenario[] = [
  { name: 'empty', comment: 'a pack without records', body: pack(), found: [] },
  { name: 'two-records', comment: 'as it should be', body: whole, found: [good(one, 16), good(two, at2)] },
  {
    name: 'torn-tail',
    comment: 'the last record was not written to its end (F3.2)',
    body: whole.subarray(0, whole.length - 1),
    found: [good(one, 16), damage(at2, whole.length - 1 - at2)],
  },
  {
    name: 'chunk-flipped',
    comment: 'a bit of the first chunk is flipped (F3.3)',
    body: flipped(whole, 16 + 44 + 70),
    found: [bad(one, 16), good(two, at2)],
  },
  {
    name: 'length-flipped',
    comment: 'a bit of the first length is flipped (F3.1); the second record is found',
    body: flipped(whole, 16 + 7),
    found: [damage(16, recordBytes), good(two, at2)],
  },
  {
    name: 'garbage-between',
    comment: 'bytes that are no record, among them the magic, between two that are',
    body: pack(record(one), Buffer.from('RCrdRCrd garbage'), record(two)),
    found: [good(one, 16), damage(at2, 16), good(two, at2 + 16)],
  },
  {
    name: 'length-beyond-limit',
    comment: 'a record that says it has more than 8 MiB (F3.2)',
    body: pack(encodeRecordHeader(one.id, 8 * 1024 * 1024 + 1), record(two)),
    found: [damage(16, 44), good(two, 60)],
  },
]

/** The vectors of pack files. */
export function packVectors(): Vector[] {
  return scenarios.map(({ name, comment, body, found }) => ({
    name,
    header: { spec: 'storage/spec/pack.md', comment, found: found.join(', ') },
    body,
  }))
}
