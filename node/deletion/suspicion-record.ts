/** How suspicion lies in the catalog (spec/deletion.md §4): keys and values, and nothing of what they mean. */

import { decodeCbor, type DeviceId, type Dot, encodeCbor, Fields, type RootId } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'

/** What stands against a device. */
export interface SuspicionRecord {
  /** Milliseconds since 1970. */
  readonly sinceMs: number
  /** Those that came first. */
  readonly reasons: readonly SuspicionReason[]
}

/** One thing that stands against a device. */
export interface SuspicionReason {
  /** Names what was found, so that it is not said twice. */
  readonly name: string
  /** For a person; the device is its subject. */
  readonly text: string
}

/** Up to where a person has found the announcements of a device in order. */
export interface TrustRecord {
  readonly dot: Dot
  /** Plausible time of the newest of them. */
  readonly timeMs: number
}

/** The newest snapshot of a source that was compared with the one before it. */
export interface JudgedRecord {
  readonly root: RootId
  /** Of its closure; undefined while nobody counted. */
  readonly bytes: number | undefined
}

/** Reasons that are kept of one suspicion. */
export const reasonsMax = 8

const reasonBytesMax = 1024
const recordBytesMax = 64 * 1024

/** Key of a standing suspicion. */
export function suspicionKey(device: DeviceId): string {
  return `device/${device}`
}

/** Key of what a person has found in order. */
export function trustKey(device: DeviceId): string {
  return `trusted/${device}`
}

/** Key of how far the snapshots of a source have been compared. @param source - hex */
export function judgedKey(device: DeviceId, source: string): string {
  return `judged/${device}/${source}`
}

/** The value of a suspicion's record. */
export function encodeSuspicion({ sinceMs, reasons }: SuspicionRecord): Uint8Array {
  return encodeCbor([sinceMs, reasons.map(({ name, text }) => [name, text])])
}

/** Reads the suspicion that stands against a device. @throws {CellarError} `FORMAT_INVALID` */
export function readSuspicion(catalog: Catalog, device: DeviceId): SuspicionRecord | undefined {
  const fields = read(catalog, suspicionKey(device))
  if (fields === undefined) return undefined
  const sinceMs = fields.uint()
  const reasons = fields.list(reasonsMax, (value) => {
    const reason = fields.nested(value)
    return { name: reason.text(reasonBytesMax), text: reason.text(reasonBytesMax) }
  })
  return { sinceMs, reasons }
}

/** The value of a trust's record. */
export function encodeTrust({ dot, timeMs }: TrustRecord): Uint8Array {
  return encodeCbor([dot.device, dot.incarnation, dot.seq, dot.n, Math.round(timeMs)])
}

/** Reads up to where a device is trusted. @throws {CellarError} `FORMAT_INVALID` */
export function readTrust(catalog: Catalog, device: DeviceId): TrustRecord | undefined {
  const fields = read(catalog, trustKey(device))
  if (fields === undefined) return undefined
  const dot = {
    device: fields.text(128) as DeviceId,
    incarnation: fields.uint(),
    seq: fields.uint(),
    n: fields.uint(),
  }
  return { dot, timeMs: fields.int(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) }
}

/** The value of the record of a comparison. */
export function encodeJudged({ root, bytes }: JudgedRecord): Uint8Array {
  return encodeCbor([root, bytes ?? null])
}

/** Reads how far a source has been compared. @throws {CellarError} `FORMAT_INVALID` */
export function readJudged(catalog: Catalog, device: DeviceId, source: string): JudgedRecord | undefined {
  const fields = read(catalog, judgedKey(device, source))
  if (fields === undefined) return undefined
  const root = fields.text(64) as RootId
  return { root, bytes: fields.skipNull() ? undefined : fields.uint() }
}

function read(catalog: Catalog, key: string): Fields | undefined {
  const value = catalog.get(key)
  const words = { what: 'a record of suspicion' }
  return value === undefined
    ? undefined
    : new Fields(decodeCbor(value, { ...words, bytesMax: recordBytesMax }), words)
}
