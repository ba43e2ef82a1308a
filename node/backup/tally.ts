/** Counts what a backup saw and did, and tells of it at a bounded rate. */

import type { Clock, EntryType, SnapshotStats } from '../../protocol/index.ts'
import type { Failure } from './jobs.ts'

/** How far a backup is. */
export interface BackupProgress {
  /** Of what was found so far; all there is once `isScanned`. */
  readonly totalFiles: number
  readonly totalBytes: number
  readonly filesDone: number
  readonly bytesDone: number
  /** Whether all directories have been looked at. */
  readonly isScanned: boolean
  /** Raw paths being read now, a few of them. */
  readonly currentFiles: readonly Uint8Array[]
  readonly errors: number
}

/** Something that could not be backed up, or not as it was. */
export interface UnreadSource extends Failure {
  /** Raw bytes. */
  readonly path: Uint8Array
}

const PROGRESS_MS = 100
const CURRENT_FILES_MAX = 4
/** What was unread is kept for the report up to here; all is counted. */
const UNREAD_MAX = 100_000

type Count = { -readonly [Key in keyof SnapshotStats]: number }

/** What a comparison with the snapshot before found. */
export type Change = 'New' | 'Changed' | 'Unmodified'

/** One entry, for a person who wants to see each. */
export interface EntryNote {
  /** Raw bytes. */
  readonly path: Uint8Array
  readonly change: Change | 'Excluded'
  /** Of a file. */
  readonly bytes?: number
}

/** Who is told of a backup on its way. */
export interface TallyListeners {
  /** At most ten times a second, and once at the end. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined
  /** For each entry; of a directory that is as before, what is in it is told too. Costs a path each. */
  readonly onEntry?: ((entry: EntryNote) => void) | undefined
  /** When all directories have been looked at. */
  readonly onScanned?: ((found: { readonly files: number; readonly bytes: number }) => void) | undefined
}

/** Counts what a backup finds, reads and stores, and tells of it at most ten times a second. */
export class Tally {
  readonly stats: Count = {
    ...{ files: 0, dirs: 0, others: 0, bytes: 0, filesNew: 0, filesChanged: 0, filesUnmodified: 0 },
    ...{ dirsNew: 0, dirsChanged: 0, dirsUnmodified: 0, bytesAdded: 0, bytesStored: 0, chunksAdded: 0 },
  }
  readonly unread: UnreadSource[] = []
  readonly notices: string[] = []
  dataChunks = 0
  treeChunks = 0
  #unreadLeftOut = 0
  #filesDone = 0
  #bytesDone = 0
  #bytesRead = 0
  #told = Number.NEGATIVE_INFINITY
  readonly #current = new Set<Uint8Array>()
  readonly #clock: Clock
  readonly #listeners: TallyListeners
  #isScanned = false

  constructor(clock: Clock, listeners: TallyListeners = {}) {
    this.#clock = clock
    this.#listeners = listeners
  }

  /** Sources that could not be read, those too that are not listed one by one. */
  get unreadCount(): number {
    return this.unread.length + this.#unreadLeftOut
  }

  /** Counts an entry of the snapshot. @param bytes - size of a file, else 0 */
  found(type: EntryType, bytes: number): void {
    if (type === 'file') {
      this.stats.files++
      this.stats.bytes += bytes
    } else if (type === 'dir') this.stats.dirs++
    else this.stats.others++
  }

  /** A file that is in the end not in the snapshot, or is of another size. */
  amend(files: number, bytes: number): void {
    this.stats.files += files
    this.stats.bytes += bytes
  }

  /** All directories have been looked at. */
  scanned(): void {
    this.#isScanned = true
    this.#listeners.onScanned?.({ files: this.stats.files, bytes: this.stats.bytes })
  }

  /** Counts a file by what the comparison with the snapshot before found. @param path - called if someone listens */
  file(change: Change, bytes: number, path: () => Uint8Array): void {
    this.stats[`files${change}`]++
    this.#listeners.onEntry?.({ path: path(), change, bytes })
  }

  /** Counts a directory by what the comparison with the snapshot before found. @param path - as of `file` */
  directory(change: Change, path: () => Uint8Array): void {
    this.stats[`dirs${change}`]++
    this.#listeners.onEntry?.({ path: path(), change })
  }

  /** An entry is left out because a person said so. @param path - as of `file` */
  excluded(path: () => Uint8Array): void {
    this.#listeners.onEntry?.({ path: path(), change: 'Excluded' })
  }

  /** A file is being read: it is named among the current ones. @param path - kept */
  begin(path: Uint8Array): void {
    if (this.#current.size < CURRENT_FILES_MAX) this.#current.add(path)
  }

  /** A file is done with; `bytes`: its size. */
  done(bytes: number, path?: Uint8Array): void {
    this.#filesDone++
    this.#bytesDone += bytes
    this.#bytesRead = Math.max(0, this.#bytesRead - bytes)
    if (path !== undefined) this.#current.delete(path)
    this.tell()
  }

  /** Bytes of files that are not done yet. */
  read(bytes: number): void {
    this.#bytesRead += bytes
    this.tell()
  }

  /** A source could not be read; the first 100,000 are listed, the others counted. @param path - kept */
  fail(path: Uint8Array, failure: Failure): void {
    if (this.unread.length < UNREAD_MAX) this.unread.push({ path, ...failure })
    else this.#unreadLeftOut++
    this.tell()
  }

  /** Keeps a sentence for the end, once; at most 1,000 of them. */
  notice(text: string): void {
    if (this.notices.length < 1000 && !this.notices.includes(text)) this.notices.push(text)
  }

  /** Counts a new chunk. @param rawBytes - before compression @param storedBytes - as it is in the store */
  chunk(kind: 'data' | 'tree', rawBytes: number, storedBytes: number): void {
    this.stats.chunksAdded++
    this.stats.bytesStored += storedBytes
    if (kind === 'data') {
      this.dataChunks++
      this.stats.bytesAdded += rawBytes
    } else this.treeChunks++
  }

  /** Tells, unless it did a moment ago. */
  tell(isLast = false): void {
    const { onProgress } = this.#listeners
    if (onProgress === undefined) return
    const now = this.#clock.monotonicMs()
    if (!isLast && now - this.#told < PROGRESS_MS) return
    this.#told = now
    onProgress({
      totalFiles: this.stats.files,
      totalBytes: this.stats.bytes,
      filesDone: this.#filesDone,
      bytesDone: Math.min(this.stats.bytes, this.#bytesDone + this.#bytesRead),
      isScanned: this.#isScanned,
      currentFiles: [...this.#current],
      errors: this.unreadCount,
    })
  }
}
