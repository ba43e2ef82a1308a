/** The bytes of a pack file (pack.md): a file header, then records one after another. Integers are big-endian. */
import { crc32 } from 'node:zlib'
import { chunkBytesMax, chunkIdFromBytes, type ChunkId } from '../../protocol/index.ts'

/** Bytes of the file header: magic 7, version 1, pack number 4, CRC-32 of those 4. */
export const packHeaderBytes = 16

/** Bytes of a record header: magic 4, length 4, id 32, CRC-32 of those 4. */
export const recordHeaderBytes = 44

/** A pack that is this long takes no more records. 64 MiB. */
export const packBytesMax = 64 * 1024 * 1024

const PACK_MAGIC = Buffer.from('RCPACK\0\x01', 'latin1')
const RECORD_MAGIC = Buffer.from('RCrd', 'latin1')

/** The four bytes every record begins with. */
export const recordMagic: Uint8Array = RECORD_MAGIC

/** What a record header says. */
export interface RecordHeader {
  readonly id: ChunkId
  /** Bytes of the chunk behind the header: 1 .. chunkBytesMax. */
  readonly length: number
}

/** The header of a pack file, fresh (pack.md §2). @param pack - 1 .. 2^32 - 1 */
export function encodePackHeader(pack: number): Uint8Array {
  const bytes = Buffer.alloc(packHeaderBytes)
  PACK_MAGIC.copy(bytes)
  bytes.writeUInt32BE(pack, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12)), 12)
  return bytes
}

/** Says whether bytes are the header of this pack. @param bytes - at least 16; borrowed */
export function isPackHeader(bytes: Uint8Array, pack: number): boolean {
  return (
    bytes.byteLength >= packHeaderBytes &&
    Buffer.compare(bytes.subarray(0, packHeaderBytes), encodePackHeader(pack)) === 0
  )
}

/** The header of a record, fresh (pack.md §3). */
export function encodeRecordHeader(id: ChunkId, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(recordHeaderBytes)
  RECORD_MAGIC.copy(bytes)
  bytes.writeUInt32BE(length, 4)
  bytes.write(id, 8, 32, 'hex')
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 40)), 40)
  return bytes
}

/** Reads a record header; undefined when the bytes are none. @param bytes - borrowed */
export function decodeRecordHeader(bytes: Uint8Array): RecordHeader | undefined {
  if (bytes.byteLength < recordHeaderBytes) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, recordHeaderBytes)
  if (!view.subarray(0, 4).equals(RECORD_MAGIC)) return undefined
  if (view.readUInt32BE(40) !== crc32(view.subarray(0, 40))) return undefined
  const length = view.readUInt32BE(4)
  if (length === 0 || length > chunkBytesMax) return undefined
  return { id: chunkIdFromBytes(view.subarray(8, 40)), length }
}

/** The name of a pack file: eight hex digits and `.pack`. */
export function packName(pack: number): string {
  return `${pack.toString(16).padStart(8, '0')}.pack`
}

/** The number in a pack's name; undefined for other names. */
export function packNumber(name: string): number | undefined {
  const found = /^([0-9a-f]{8})\.pack$/.exec(name)
  const pack = found === null ? 0 : Number.parseInt(found[1] ?? '', 16)
  return pack === 0 ? undefined : pack
}
