/** The seam to an ordered map from bytes to bytes: `adapters/level-key-value.ts` and `memory-key-value.ts`. */

/** One change of a batch. Key and value are kept by the map: fresh, or never changed again. */
export type KeyValueChange =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** Keys from `gte` up to, not including, `lt`, in the order of bytes. */
export interface KeyRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

/** An ordered map from bytes to bytes. */
export interface KeyValue {
  /** The value of a key (borrowed for the call), fresh. */
  get(key: Uint8Array): Uint8Array | undefined
  /**
   * Does all changes or none.
   *
   * @param durable - true: on disk, with all batches before it, once this resolves; false: soon
   */
  batch(changes: readonly KeyValueChange[], durable: boolean): Promise<void>
  /** The entries of a range as they were when iteration began. */
  iterate(range: KeyRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** Removes everything. */
  clear(): Promise<void>
  /** Closes; idempotent. */
  close(): Promise<void>
}

/** The range of all keys that begin with `prefix` (not empty, its last byte below 0xff). */
export function prefixRange(prefix: Uint8Array): KeyRange {
  const lt = Uint8Array.from(prefix)
  const last = lt.length - 1
  lt[last] = (lt[last] ?? 0) + 1
  return { gte: prefix, lt }
}
