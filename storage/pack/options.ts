/** How much packs may take of a disk. */
import { packBytesMax } from './format.ts'

/** How packs are written. */
export interface PackOptions {
  /** Bytes of the disk that packs never use, so that the index can live. */
  readonly headroomBytes: number
  /** Bytes all packs together may have. */
  readonly quotaBytes: number
  /** Length from which a pack takes no more records. */
  readonly packBytes: number
}

/** The options of packs as a store uses them. */
export const packDefaults: PackOptions = {
  headroomBytes: 8 * 1024 * 1024,
  quotaBytes: Infinity,
  packBytes: packBytesMax,
}
