/**
 * The seam to the file system, as far as packs need it: `adapters/node-disk.ts` is the real one, `memory-disk.ts`
 * its twin, which can lose what was not synced. Errors carry Node's codes (`ENOSPC`, `ENOENT`).
 */

/** One open file. */
export interface DiskFile {
  /**
   * Reads as much as there is from `position`, at most the buffer's length.
   *
   * @param into - filled; borrowed
   * @returns bytes read; less than asked only at the end of the file, or where the disk cannot read
   */
  read(into: Uint8Array, position: number): number
  /** Writes all parts one after another from `position`, or throws; then any prefix of them may be in the file. */
  write(parts: readonly Uint8Array[], position: number): void
  /** Bytes of the file. */
  size(): number
  /** Cuts the file to a length. */
  truncate(length: number): void
  /** Makes content and length durable (fdatasync). */
  sync(): Promise<void>
  /** Closes the file; no sync. Idempotent. */
  close(): void
}

/** A directory tree. Paths are absolute. */
export interface Disk {
  /** Opens a file; `create` makes it and throws `EEXIST` when it is there. */
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile
  /** Names in a directory, sorted. */
  list(directory: string): string[]
  /** Bytes of a file; undefined when there is none. */
  size(path: string): number | undefined
  /** Makes a directory and those above it. */
  mkdir(directory: string): void
  /** Gives a file another name, replacing what had it, atomically. */
  rename(from: string, to: string): void
  /** Removes a file; one that is not there is no error. */
  remove(path: string): void
  /** Makes names made, changed or removed in a directory durable. */
  syncDirectory(directory: string): Promise<void>
  /** Bytes that may still be written to the disk under a directory. */
  freeBytes(directory: string): number
}

/** Says whether an error means that the disk, or the quota of the user, is full. */
export function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return true
    // Level has one code for every I/O error and tells which in words.
    if (/No space left|quota exceeded|File too large/i.test(at.message)) return true
  }
  return false
}
