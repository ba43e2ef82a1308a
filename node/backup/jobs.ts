/** What the threads of a backup tell each other. All of it is plain data, structured-clonable. */

import type { ChunkId, ErrorCode, ErrorContext, Extent, VaultKeys, Xattr } from '../../protocol/index.ts'
import type { LoanRecord, PackLoan } from '../../storage/index.ts'
import type { CutSizes } from './gear.ts'
import type { WasmModule } from './webassembly.ts'

/** What must be the same before and after a file was read. */
export interface FileFacts {
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly device: bigint
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly linkCount: number
}

/** Read these small files, in this order, into one bundle. */
export interface BundleJob {
  readonly kind: 'bundle'
  /** Paths to open, each ended by NUL. */
  readonly paths: Uint8Array
  /** Size, mtime, ctime (ns) and inode of each, as signed 64 bits; see `FACTS_WIDTH`. */
  readonly facts: BigInt64Array
}

/** Words of `BundleJob.facts` for one file. */
export const FACTS_WIDTH = 4

/** Read a stretch of one file and cut it by content. */
export interface FileJob {
  readonly kind: 'file'
  readonly path: Uint8Array
  /** What the file was when it was found; `undefined`: take it as it is now, whole (the second try). */
  readonly expected?: FileFacts
  readonly offset: number
  readonly length: number
  readonly sizes: CutSizes
  /** Has fewer blocks than bytes: look for holes. */
  readonly isSparse: boolean
  /** This one also brings the attributes. */
  readonly wantsXattrs: boolean
}

/** What a thread is given: many small files for one bundle, or a stretch of a large file. */
export type Job = BundleJob | FileJob

/** A file could not be read, or not as it was expected. */
export interface Failure {
  /** As the system says (`EACCES`), or `CHANGED`. */
  readonly code: string
  readonly message: string
}

/** One file of a bundle that did not go the usual way. */
export type OddFile =
  | { readonly index: number; readonly kind: 'failed'; readonly failure: Failure }
  /** It was not as expected; what it is now is in the bundle, or (`large`) must be read as a file of its own. */
  | {
      readonly index: number
      readonly kind: 'changed'
      readonly facts: FileFacts
      readonly isStable: boolean
    }
  | { readonly index: number; readonly kind: 'large' }

/** What came of a bundle; its chunk is sealed and accepted, not yet durable. */
export interface BundleResult {
  readonly kind: 'bundle'
  /** Absent when no file gave any byte. */
  readonly chunk?: ChunkId
  /** Offset and length of each file in the bundle. */
  readonly places: Int32Array
  readonly odd: readonly OddFile[]
  /** Attributes of those that have some. */
  readonly xattrs: readonly { readonly index: number; readonly xattrs: readonly Xattr[] }[]
}

/** What came of a file, or of a stretch of it; its chunks are accepted, not yet durable. */
export interface FileResult {
  readonly kind: 'file'
  /** `missed`: not as expected, try again. `unsteady`: changed while it was read, at the second try. */
  readonly state: 'read' | 'unsteady' | 'missed'
  readonly chunks: readonly { readonly id: ChunkId; readonly length: number }[]
  readonly holes: readonly Extent[]
  /** What it is, at the second try; its size is what was read. */
  readonly facts?: FileFacts
  readonly xattrs: readonly Xattr[]
  readonly failure?: Failure
}

/** What came of a job, of the same `kind`. */
export type JobResult = BundleResult | FileResult

/** About one piece of content: the chunk it is in; or seal it; or somebody else is at it, ask again with `settle`. */
export type Verdict = ChunkId | 'mine' | 'wait'

/** A chunk sealed by a thread. */
export interface Sealed {
  /** 32 bytes: the content's name in the local index. */
  readonly key: Uint8Array
  readonly id: ChunkId
  readonly rawBytes: number
  /** Bytes of the chunk. */
  readonly chunkBytes: number
  /** It was not in the store: a chunk may be there that no content is known of here, from a peer or before a crash. */
  readonly isNew: boolean
  /** The chunk itself, where it was not appended to a lent pack. */
  readonly bytes?: Uint8Array
}

/** What becomes of sealed chunks: a thread appends them to packs lent to it, or sends them, or drops them. */
export type KeepMode = 'append' | 'send' | 'drop'

/** What a thread begins with. */
export interface WorkerInit {
  readonly keys: VaultKeys
  readonly gear: WasmModule | undefined
  readonly keep: KeepMode
  /** Other programs go before it. */
  readonly isLow: boolean
}

/** An error on its way between threads. */
export interface ErrorNote {
  readonly code?: ErrorCode
  readonly message: string
  readonly context?: ErrorContext
  readonly stack?: string
}

/** What the main thread says to a worker. */
export type ToWorker =
  /** Comes first, once. */
  | { readonly type: 'begin'; readonly init: WorkerInit }
  | { readonly type: 'job'; readonly number: number; readonly job: Job }
  | {
      readonly type: 'reply'
      readonly call: number
      readonly verdicts: readonly Verdict[]
      readonly have?: readonly boolean[]
      readonly loan?: PackLoan
    }
  /** Make durable what was appended, and say what it is; with `isLast`, close the pack too. */
  | { readonly type: 'sync'; readonly isLast: boolean }

/** What a worker says to the main thread; what has a `call` is answered by a `reply` with that number. */
export type FromWorker =
  | { readonly type: 'ask'; readonly call: number; readonly keys: Uint8Array }
  | { readonly type: 'settle'; readonly call: number; readonly keys: Uint8Array }
  /** Which of these chunks are in the store? */
  | { readonly type: 'have'; readonly call: number; readonly ids: readonly ChunkId[] }
  | { readonly type: 'sealed'; readonly call: number; readonly sealed: readonly Sealed[] }
  /** A pack is wanted to append to. */
  | { readonly type: 'lend'; readonly call: number }
  /** Durable in the pack; `isClosed`: the pack may be given back. `isAnswer`: of a `sync`. */
  | {
      readonly type: 'synced'
      readonly loan?: PackLoan
      readonly records: readonly LoanRecord[]
      readonly isClosed: boolean
      readonly isAnswer: boolean
    }
  | { readonly type: 'progress'; readonly bytes: number }
  | { readonly type: 'done'; readonly number: number; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: ErrorNote }
