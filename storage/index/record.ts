/** Keys and values of the index (index.md §2). Integers are big-endian. */
import { chunkIdFromBytes, type ChunkId } from '../../protocol/index.ts'

/** What the index knows of a chunk. */
export interface ChunkRecord {
  /** The pack it is in; 0: in none, its bytes are wanted (only while quarantined). */
  readonly pack: number
  /** First byte of the chunk in the pack. */
  readonly offset: number
  /** Bytes of the chunk. */
  readonly length: number
  /** Complete chunks that link to it, and 1 for a hold. */
  readonly refs: number
  /** Links in its header. */
  readonly linkCount: number
  /** Its links are counted in the `refs` of what they name. */
  readonly isComplete: boolean
  /** Its bytes are bad or gone. */
  readonly isBad: boolean
  /** It has lost its last reference, and got none since. */
  readonly isReleased: boolean
}

/** What the index knows of a pack. */
export interface PackRecord {
  /** Up to here the pack is indexed; what lies beyond was not committed. */
  readonly end: number
  /** Bytes of records that a chunk record names. */
  readonly liveBytes: number
  readonly liveCount: number
  /** `cut`: bytes beyond `end` are to be cut off, not recovered; `drop`: the file is to be removed. */
  readonly state: 'open' | 'cut' | 'drop'
}

/** Tables of the index: the first byte of a key. */
export const TABLE = {
  chunk: 0x63,
  unused: 0x75,
  released: 0x72,
  hold: 0x68,
  bad: 0x71,
  pack: 0x70,
  meta: 0x6d,
} as const

const CHUNK_BYTES = 19
const PACK_BYTES = 13
const STATES = ['open', 'cut', 'drop'] as const

/** The key of a chunk id in a table, fresh. */
export function idKey(table: number, id: ChunkId): Uint8Array {
  const key = Buffer.allocUnsafe(33)
  key[0] = table
  key.write(id, 1, 32, 'hex')
  return key
}

/** The chunk id in a key. */
export function idOfKey(key: Uint8Array): ChunkId {
  return chunkIdFromBytes(key.subarray(1))
}

/** The key of a pack. */
export function packKey(pack: number): Uint8Array {
  const key = Buffer.allocUnsafe(5)
  key[0] = TABLE.pack
  key.writeUInt32BE(pack, 1)
  return key
}

/** The pack number in a key. */
export function packOfKey(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(1)
}

/** The value of a chunk record, 19 bytes, fresh. */
export function encodeChunkRecord(record: ChunkRecord): Uint8Array {
  const bytes = Buffer.allocUnsafe(CHUNK_BYTES)
  bytes.writeUInt32BE(record.pack, 0)
  bytes.writeUInt32BE(record.offset, 4)
  bytes.writeUInt32BE(record.length, 8)
  bytes.writeUInt32BE(record.refs, 12)
  bytes.writeUInt16BE(record.linkCount, 16)
  bytes[18] = (record.isComplete ? 1 : 0) | (record.isBad ? 2 : 0) | (record.isReleased ? 4 : 0)
  return bytes
}

/** Reads a chunk record. */
export function decodeChunkRecord(bytes: Uint8Array): ChunkRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, CHUNK_BYTES)
  const flags = view.getUint8(18)
  return {
    pack: view.getUint32(0),
    offset: view.getUint32(4),
    length: view.getUint32(8),
    refs: view.getUint32(12),
    linkCount: view.getUint16(16),
    isComplete: (flags & 1) !== 0,
    isBad: (flags & 2) !== 0,
    isReleased: (flags & 4) !== 0,
  }
}

/** The value of a pack record, 13 bytes, fresh. */
export function encodePackRecord(record: PackRecord): Uint8Array {
  const bytes = Buffer.allocUnsafe(PACK_BYTES)
  bytes.writeUInt32BE(record.end, 0)
  bytes.writeUInt32BE(record.liveBytes, 4)
  bytes.writeUInt32BE(record.liveCount, 8)
  bytes[12] = STATES.indexOf(record.state)
  return bytes
}

/** Reads a pack record. */
export function decodePackRecord(bytes: Uint8Array): PackRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PACK_BYTES)
  return {
    end: view.getUint32(0),
    liveBytes: view.getUint32(4),
    liveCount: view.getUint32(8),
    state: STATES[view.getUint8(12)] ?? 'open',
  }
}
