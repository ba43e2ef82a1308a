/**
 * The contract of a chunk store: what it promises, whoever keeps the bytes. `openStore` (a directory) and
 * `memoryStore` (its twin) both pass `test/contract/chunk-store.ts`.
 *
 * A chunk is **staged** when its bytes are here, **complete** when everything its links reach is here too,
 * and a root is **held** when a mark keeps its whole closure (R3). Words and rules: `spec/README.md`.
 */
import type { ChunkId, RootId } from '../protocol/index.ts'

/** Where the bytes of a chunk lie, so that a worker thread can read them itself (`readPlace`). May go stale. */
export interface ChunkPlace {
  /** Absolute path of the pack file. */
  readonly path: string
  /** Number of the pack. */
  readonly pack: number
  /** First byte of the chunk in the file (behind the record header). */
  readonly offset: number
  /** Bytes of the chunk. */
  readonly length: number
}

/** A pack file lent to one writer elsewhere (a worker thread). Plain data, structured-clonable. */
export interface PackLoan {
  readonly path: string
  readonly pack: number
  /** First byte that may be written. */
  readonly offset: number
  /** The writer asks for another loan once the file is this long. */
  readonly bytesMax: number
  /** Bytes of the disk that the writer leaves alone. */
  readonly headroomBytes: number
}

/** One chunk that a borrower of a pack has appended. Plain data, structured-clonable. */
export interface LoanRecord {
  readonly id: ChunkId
  /** First byte of the chunk in the file (behind the record header). */
  readonly offset: number
  /** Bytes of the chunk. */
  readonly length: number
  /** The links in its visible header. */
  readonly links: readonly ChunkId[]
}

/** What `put` may be told. */
export interface PutOptions {
  /**
   * Lets a commit make the chunk complete as soon as all it links to is. Default true. False: only `hold` does, so that
   * until then nothing that it links to counts as needed here, and `drop` may take it.
   */
  readonly completes?: boolean
}

/** What `lend` may be told. */
export interface LendOptions {
  /** The pack takes no more once it is this long, bytes; at most what the store was opened with. */
  readonly bytesMax?: number
}

/** A chunk that is durable here and that nothing here refers to. */
export interface UnusedChunk {
  readonly id: ChunkId
  /** Bytes of the chunk. */
  readonly length: number
}

/** What `reclaim` is told. */
export interface ReclaimOptions {
  /**
   * Says whether a chunk under no complete parent and no hold may go (R6). Asked once per chunk, in the very moment in
   * which it is decided: a session that opened just before is known by its answer.
   */
  readonly mayReclaim: (id: ChunkId) => boolean
  /**
   * Says of a chunk that may go whether its own bytes are to stay alone: a tree of which others have what is below. It
   * is staged from then on and no longer complete, so nothing below it is kept for its sake.
   */
  readonly staysAlone?: (id: ChunkId) => boolean
  /**
   * Looks also at what nothing has ever referred to: what an interrupted backup or fetch has stored, and what is being
   * stored now. Default false: only what has lost its last reference, and what is below.
   */
  readonly unfinished?: boolean
  /** Stops between two steps, within a few milliseconds; what is done stays done, and the next call goes on. */
  readonly signal?: AbortSignal
  /** Also gives the bytes back to the disk by compacting, and how. Default true. */
  readonly compact?: boolean | Omit<CompactOptions, 'signal'>
  /** Told after each step. */
  readonly onProgress?: (progress: ReclaimProgress) => void
}

/** How far `reclaim` is. */
export interface ReclaimProgress {
  readonly step: 'removing' | 'compacting'
  /** Chunks removed so far, and their bytes. */
  readonly chunks: number
  readonly bytes: number
  /** Bytes given back to the disk so far. */
  readonly freedBytes: number
}

/** What `freedBy` is told. */
export interface FreedOptions {
  /** Look-ups in the index, at most. Default 200,000. */
  readonly limit?: number
  /**
   * Counts only what may go, and also what is free already: all that `reclaim` with the same options would remove once
   * the roots are released.
   */
  readonly mayReclaim?: (id: ChunkId) => boolean
  /** As for `reclaim`. */
  readonly staysAlone?: (id: ChunkId) => boolean
  /** As for `reclaim`; only with `mayReclaim`. */
  readonly unfinished?: boolean
}

/** What `freedBy` found. */
export interface Freed {
  readonly chunks: number
  /** Bytes of those chunks, with their record headers. */
  readonly bytes: number
  /** False when the limit was met first: it is at least so much. */
  readonly isWhole: boolean
}

/** What `reclaim` did. */
export interface ReclaimResult {
  /** Chunks removed from the index. */
  readonly chunks: number
  /** Bytes of those chunks, with their record headers. */
  readonly bytes: number
  /** Bytes by which the pack files shrank, net of what was moved. */
  readonly freedBytes: number
}

/** What `compact` is told. Packs without a live chunk always go: that costs nothing. */
export interface CompactOptions {
  /**
   * Packs with less than this share of dead bytes are left as they are, so that at most `1 / share - 1` bytes are moved
   * for each that is freed. 0 < share <= 1, default 0.1.
   */
  readonly deadShareMin?: number
  /**
   * Nothing more is moved once all packs together have at most this share of dead bytes, and disk and quota have room
   * for as many again: when space is short, everything that `deadShareMin` allows is given back. 0 .. 1, default 0.05.
   */
  readonly wasteShareMax?: number
  /** Stops between two steps of at most a few MiB; what is done stays done. */
  readonly signal?: AbortSignal
}

/** What is in a store, in numbers. */
export interface StoreStats {
  /** Committed chunks. */
  readonly chunks: number
  /** Bytes of those chunks with their record headers. */
  readonly bytes: number
  readonly packs: number
  /** Bytes of the pack files. */
  readonly packBytes: number
  /** Bytes of the pack files that no chunk needs. */
  readonly deadBytes: number
  /** Chunks accepted but not yet durable. */
  readonly pending: number
  readonly holds: number
  /** Chunks known to be bad, with their bytes set aside until good ones are put. */
  readonly quarantined: number
  /** True when the disk was too full to open the index: reading works, every change is `STORE_FULL`. */
  readonly readOnly: boolean
  /** True when this opening made the index again from the packs. */
  readonly rebuilt: boolean
}

/** What `verify` is told. */
export interface VerifyOptions {
  /** Reads and hashes every byte, not only the structure. */
  readonly readData: boolean
  readonly signal: AbortSignal
  /** Told after each pack: packs done and in all, bytes read. */
  readonly onProgress?: (progress: VerifyProgress) => void
}

/** How far `verify` is. */
export interface VerifyProgress {
  readonly packsDone: number
  readonly packs: number
  readonly bytesRead: number
}

/** What `scrub` is told. */
export interface ScrubOptions {
  /** Only packs with greater numbers; 0: all. */
  readonly after: number
  readonly signal: AbortSignal
  /** Called after each 256 KiB (or a chunk more), and at the end of a pack: reading goes on once it resolves. */
  readonly pace?: (bytes: number) => Promise<void>
}

/** One pack as `scrub` found it. */
export interface ScrubbedPack {
  readonly pack: number
  /** No pack has a greater number. */
  readonly isLast: boolean
  /** Chunks that live in it. */
  readonly chunks: number
  /** Bytes read of it. */
  readonly bytes: number
  /** Chunks found bad by this reading, not those that were known to be; and, before them, what befell the file. */
  readonly problems: readonly Problem[]
}

/**
 * - `pack-missing`, `pack-truncated`: a file, or its end, is gone; a `chunk-missing` follows for each chunk lost
 * - `pack-damaged`: bytes that are no record where one should be
 * - `chunk-missing`: its bytes are gone; `chunk-corrupt`: its bytes are not what its id says
 * - `closure-incomplete`: a complete chunk refers to one that is not
 * - `refs-wrong`: a count of references is not the number of referrers (`rebuildIndex` mends it)
 */
export type ProblemKind =
  | 'pack-missing'
  | 'pack-truncated'
  | 'pack-damaged'
  | 'chunk-missing'
  | 'chunk-corrupt'
  | 'closure-incomplete'
  | 'refs-wrong'

/** One thing that `verify` found. */
export interface Problem {
  readonly kind: ProblemKind
  readonly id?: ChunkId
  readonly pack?: number
  /** One sentence for a person. */
  readonly message: string
}

/**
 * Keeps chunks on one disk. One process at a time; all methods may be called at any moment, and those that
 * change something are done one after another. After `close()` every method is `STORE_CLOSED`.
 */
export interface ChunkStore extends AsyncDisposable {
  /** Says whether a chunk is here: accepted, durable or not yet, and not quarantined. */
  has(id: ChunkId): boolean
  /** Those of `ids` that are not here, in order, each once. */
  missing(ids: readonly ChunkId[]): ChunkId[]
  /** Says whether a chunk and all that it reaches are durable here, found so by `commit` or `hold`. */
  isComplete(id: ChunkId): boolean
  /**
   * The bytes of a chunk, fresh, their hash checked. Pending chunks too.
   *
   * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT` (context: id; also when quarantined)
   */
  get(id: ChunkId): Uint8Array
  /**
   * As `get`, without computing the hash: for sending to a peer, who checks it. Only the record header is checked.
   *
   * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`
   */
  read(id: ChunkId): Uint8Array
  /**
   * Places of chunks, in the order asked, for `readPlace` in another thread; undefined for what is not here or
   * not in a file. A place goes stale when its pack is compacted: `readPlace` then throws, and one locates again.
   */
  locate(ids: readonly ChunkId[]): (ChunkPlace | undefined)[]
  /**
   * The links in a chunk's visible header, in order.
   *
   * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`
   */
  links(id: ChunkId): ChunkId[]

  /**
   * Accepts a chunk. It is staged: readable at once, durable after `commit`. When too much is waiting for the disk
   * the promise resolves later (and a commit happens); callers await it. A quarantined chunk is mended by it.
   *
   * @param bytes - the whole chunk; borrowed until the promise resolves
   * @returns false when it was here already and nothing was done
   * @throws {CellarError} `CHUNK_CORRUPT` (hash is not the id), `CHUNK_MALFORMED`, `CHUNK_TOO_LARGE`, `STORE_FULL`,
   * `QUOTA_EXCEEDED`; nothing changes then
   */
  put(id: ChunkId, bytes: Uint8Array, options?: PutOptions): Promise<boolean>
  /**
   * Makes every chunk accepted so far durable: THE durability point (ordering.md §2). Chunks whose links are all
   * complete become complete. Calls that come while one runs share the next.
   *
   * @throws {CellarError} `STORE_FULL`; then what could not be made durable is no longer here
   */
  commit(): Promise<void>

  /**
   * Lends a pack that is not full to a writer in another thread (`openAppender`). Packs given back with room are
   * lent again.
   *
   * @throws {CellarError} `STORE_FULL`, `QUOTA_EXCEEDED`
   */
  lend(options?: LendOptions): PackLoan
  /** Accepts chunks which a borrower has appended, as `put` does (no hash is computed again: the writer made it). */
  adopt(loan: PackLoan, records: readonly LoanRecord[]): void
  /** Takes a pack back. What was appended but not adopted is cut off. The borrower has closed its file. */
  giveBack(loan: PackLoan): void

  /**
   * Marks a root as held, once its whole closure is here, durable and linked (R3). Durable when it resolves; done
   * twice it is done once. Costs what is new under the root.
   *
   * @throws {CellarError} `CLOSURE_INCOMPLETE` (context: missing = how many were found, first = an id), `STORE_FULL`
   */
  hold(root: RootId): Promise<void>
  /**
   * Takes marks away, all or none; removes no bytes. Durable when it resolves; a root that is not held is no error.
   */
  release(...roots: readonly RootId[]): Promise<void>
  /** Every marked root, sorted. A mark says "do not reclaim"; before telling others, ask `isComplete` too. */
  holds(): RootId[]
  /** Says whether a root is marked. */
  isHeld(root: RootId): boolean
  /**
   * What is still lacking under a root, each id once: walks only what is not complete. Chunks that come while one
   * iterates are not looked into; one asks again until nothing comes.
   */
  missingBelow(root: RootId): Iterable<ChunkId>

  /** Chunks without links that are durable here and that nothing refers to: what `drop` could take. Only reads. */
  unused(): AsyncIterable<UnusedChunk>
  /**
   * Takes back that complete chunks which nothing refers to count in what they link to, down to what something else
   * refers to: so `drop` may take what an interrupted backup has stored. `hold` counts them anew. In small steps.
   */
  loosen(): Promise<void>
  /**
   * Drops chunks that another device keeps for this one, which the caller has noted durably before (R10): those of
   * `ids` that have no links and that no complete chunk and no hold refers to; others stay. Packs of which nothing is
   * left go at once. Commits first; durable when it resolves; done twice it is done once. Costs what is dropped; safe
   * on a full disk. Nothing is dropped while `reclaim` would remove nothing, as something needed is unknown.
   */
  drop(ids: readonly ChunkId[]): Promise<ReclaimResult>
  /**
   * Removes chunks that no complete chunk and no hold refers to and that the caller names as safe, and then those
   * below them that became so; then compacts. Costs what is freed. In small steps, between which others have their
   * turn; safe on a full disk. Nothing is removed while something needed lacks its bytes and its links are unknown
   * (after a lost index): mend it first.
   */
  reclaim(options: ReclaimOptions): Promise<ReclaimResult>
  /**
   * What only these roots need here, of those things that are complete: what `reclaim` would remove if they were
   * released. Roots that are not held, or not here, may be among them. Only reads; others have their turn meanwhile.
   */
  freedBy(roots: readonly RootId[], options?: FreedOptions): Promise<Freed>
  /**
   * Rewrites packs with many dead bytes, those with the most first, in steps of a few MiB.
   *
   * @returns bytes given back to the disk
   */
  compact(options?: CompactOptions): Promise<number>

  /** Bytes that it can take still, as far as disk and quota say now; 0 or less when either is used up. */
  roomBytes(): number
  /** Counts of chunks, bytes and packs, from what the index keeps anyway: no disk is read. */
  stats(): StoreStats
  /** Looks for damage; changes nothing. What it names can be quarantined, and put again. */
  verify(options: VerifyOptions): AsyncIterable<Problem>
  /**
   * Reads packs in the order of their numbers, every byte with its hash: a part of what `verify` does, that can be left
   * after any pack and gone on with another time. Changes nothing. A chunk that compaction moves meanwhile may be read
   * twice, or not.
   */
  scrub(options: ScrubOptions): AsyncIterable<ScrubbedPack>
  /**
   * Marks a chunk as bad: it is no longer `has`, its bytes are kept out of every answer. Durable; unknown id: no
   * error.
   */
  quarantine(id: ChunkId): Promise<void>
  /**
   * Does so with a chunk that was found bad, if it still is: good bytes may have come since (ordering.md §8).
   *
   * @returns whether it is marked as bad now
   */
  quarantineIfBad(id: ChunkId): Promise<boolean>
  /** The chunks marked as bad, sorted: what to ask of peers. */
  quarantined(): ChunkId[]
  /** Makes the index again from the packs and the record of holds; every byte is read and hashed. */
  rebuildIndex(): Promise<void>

  /** Commits what is pending, then closes what it opened. Idempotent. */
  close(): Promise<void>
}
