/** What devices say to one another, as plain values (wire.md §3). */

import type { ErrorCode } from '../errors.ts'
import type { ChunkId, DeviceId, MeshId, OrderId, RootId, UploadId } from '../ids.ts'
import type { ListingHash } from '../listing/types.ts'

/** Names of the stream protocols; the number is the version of the messages. */
export const SYNC_PROTOCOL = '/rootcellar/sync/1'
export const CHUNKS_PROTOCOL = '/rootcellar/chunks/1'
export const PAIR_PROTOCOL = '/rootcellar/pair/1'
export const RECOVER_PROTOCOL = '/rootcellar/recover/1'
export const AUDIT_PROTOCOL = '/rootcellar/audit/1'
export const UPLOAD_PROTOCOL = '/rootcellar/upload/1'
export const RESTORE_PROTOCOL = '/rootcellar/restore/1'

/** Version of the messages in {@link Hello}. */
export const WIRE_VERSION = 1

/** A listing by name. */
export interface HeadName {
  readonly device: DeviceId
  readonly incarnation: number
  readonly seq: number
  readonly hash: ListingHash
}

/** First message of both sides on a stream. */
export interface Hello {
  readonly type: 'hello'
  readonly mesh: MeshId
  readonly device: DeviceId
  readonly incarnation: number
  /** Highest version of the messages that the sender speaks. */
  readonly version: number
  readonly epoch: number
  /** Hash of the newest membership entry. */
  readonly membershipHead: string
  /** Name and version of the program, for people: at most 64 bytes. */
  readonly program: string
}

/** The newest listing of every lane that the sender knows; of a fork, one for each branch. */
export interface Heads {
  readonly type: 'heads'
  readonly heads: readonly HeadName[]
}

/** Asks for the heads of a lane from `fromSeq` on, and the newest body. */
export interface GetListing {
  readonly type: 'getListing'
  readonly device: DeviceId
  readonly incarnation: number
  readonly fromSeq: number
  /** The branch wanted, when there is a fork. */
  readonly tip?: ListingHash
}

/** A chain of heads and the body of the last, or a part of them: the last says so. */
export interface ListingPart {
  readonly type: 'listing'
  /** Signed heads as they were sent, oldest first. */
  readonly heads: readonly Uint8Array[]
  readonly body: Uint8Array
  /** Whether more parts follow. */
  readonly isMore: boolean
}

/** Asks for entries of the membership log. */
export interface GetMembership {
  readonly type: 'getMembership'
  readonly fromEpoch: number
}

/** Signed entries of the membership log, in order. */
export interface MembershipEntries {
  readonly type: 'membership'
  readonly entries: readonly Uint8Array[]
}

/** Says that the sender cannot do what was asked; nothing else is at fault. */
export interface WireError {
  readonly type: 'error'
  readonly code: ErrorCode
  /** For people; at most 256 bytes, no names of files. */
  readonly message: string
}

/** Asks whether the other side lives. */
export interface Ping {
  readonly type: 'ping'
}

/** Says that it does. */
export interface Pong {
  readonly type: 'pong'
}

/** Asks for chunks; each comes in a frame of its own, or is named absent. */
export interface Want {
  readonly type: 'want'
  /** Chosen by the asker, 0 .. 2^32 - 1; answers repeat it. */
  readonly request: number
  readonly ids: readonly ChunkId[]
}

/** Names chunks of a request that the sender cannot supply. */
export interface Absent {
  readonly type: 'absent'
  readonly request: number
  readonly ids: readonly ChunkId[]
}

/** Says that every chunk of a request was sent or named absent. */
export interface Done {
  readonly type: 'done'
  readonly request: number
}

/** Says that the bytes received for some chunks were not what their ids say, so that the sender looks at its disk. */
export interface Corrupt {
  readonly type: 'corrupt'
  readonly ids: readonly ChunkId[]
}

/** Asks for a proof that the other side has some chunks now: the asker has them too, and compares (wire.md §6). */
export interface Prove {
  readonly type: 'prove'
  /** Chosen by the asker, 0 .. 2^32 - 1; the answer repeats it. */
  readonly request: number
  /** 32 bytes, drawn anew for each question. */
  readonly nonce: Uint8Array
  /** 1 .. `proveIdsMax`, each once. */
  readonly ids: readonly ChunkId[]
}

/** The answer: for each chunk asked for, in that order, what only one who has its bytes can compute. */
export interface Proof {
  readonly type: 'proof'
  readonly request: number
  /** 32 bytes each; zeros for a chunk that is not there. */
  readonly macs: readonly Uint8Array[]
}

/** Tells the owner of a snapshot that some chunks of it are nowhere in the sender's reach: it may make them again. */
export interface Missing {
  readonly type: 'missing'
  readonly ids: readonly ChunkId[]
}

/** Begins an upload, or goes on with one: the first message of its stream (wire.md §7). */
export interface UploadOpen {
  readonly type: 'uploadOpen'
  /** 32 hex digits, drawn once by the owner; the same in all streams that go on with it. */
  readonly upload: UploadId
}

/** Says that the upload may go on, and how much more the sender can store. */
export interface UploadReady {
  readonly type: 'uploadReady'
  /** Bytes; 0 when it is full, and only what it has may be named. */
  readonly roomBytes: number
}

/** Asks the other side to keep some chunks for the upload that the stream opened; it says which of them it lacks. */
export interface Deposit {
  readonly type: 'deposit'
  /** Chosen by the asker, 0 .. 2^32 - 1; answers repeat it, and the frames of the chunks too. */
  readonly request: number
  /** 1 .. `idsPerMessageMax`, each once. */
  readonly ids: readonly ChunkId[]
}

/** Names the chunks of a deposit that the sender has not got: they are to be sent, in this order. */
export interface Lacking {
  readonly type: 'lacking'
  readonly request: number
  readonly ids: readonly ChunkId[]
}

/** Says that all chunks of a deposit are durable and stay until the upload ends; or, of an end, that it is noted. */
export interface Durable {
  readonly type: 'durable'
  readonly request: number
}

/** Ends an upload: what was deposited stays until its roots are held or forgotten; without a root it may go. */
export interface UploadClose {
  readonly type: 'uploadClose'
  readonly request: number
  /** What needs it, announced by its owner, 0 .. `idsPerMessageMax`; none: it is given up. */
  readonly roots: readonly RootId[]
}

/** Patterns that choose what is restored, as `cellar restore` takes them; raw bytes each. */
export interface OrderPatterns {
  readonly includes: readonly Uint8Array[]
  readonly iincludes: readonly Uint8Array[]
  readonly excludes: readonly Uint8Array[]
  readonly iexcludes: readonly Uint8Array[]
}

/** Asks the other side to restore something on its own disk: the first message of its stream (wire.md §8). */
export interface RestoreOrder {
  readonly type: 'restoreOrder'
  /** 32 hex digits, drawn once by the asker; the same however often it is sent. */
  readonly order: OrderId
  readonly root: RootId
  /** Raw path in the snapshot, 0 .. `pathBytesMax` bytes; empty: all of it. */
  readonly path: Uint8Array
  /** At most `orderPatternsMax` in all. */
  readonly patterns: OrderPatterns
  /** What the asker would like the new directory to be called, 0 .. `orderNameBytesMax` bytes: a wish. */
  readonly name: string
}

/** Asks how an order stands that was given earlier: the first message of its stream. */
export interface RestoreAsk {
  readonly type: 'restoreAsk'
  readonly order: OrderId
}

/** How an order stands, from being asked for to its end. */
export type OrderState =
  | 'waiting'
  | 'accepted'
  | 'running'
  | 'done'
  | 'failed'
  | 'refused'
  | 'expired'
  | 'withdrawn'

/** How far a restore is: entries of every type, bytes of content, and what could not be restored. */
export interface OrderProgress {
  readonly files: number
  readonly filesTotal: number
  readonly bytes: number
  readonly bytesTotal: number
  readonly errors: number
}

/** Says how the order of this stream stands: at once, and whenever that changes. */
export interface RestoreState {
  readonly type: 'restoreState'
  readonly state: OrderState
  readonly progress: OrderProgress
  /** Why it failed. */
  readonly code?: ErrorCode
  /** The name of the directory that was made for it, without its place; at most `orderDirectoryBytesMax` bytes. */
  readonly directory?: string
}

/** Takes the order of this stream back. */
export interface RestoreWithdraw {
  readonly type: 'restoreWithdraw'
}

/** A step of pairing; the fields mean what pairing.md says of the step. */
export interface PairingMessage {
  readonly type: 'pake' | 'confirm' | 'offer' | 'accept' | 'refuse'
  readonly fields: readonly Uint8Array[]
}

/** Everything but the chunks themselves. */
export type Message =
  | Hello
  | Heads
  | GetListing
  | ListingPart
  | GetMembership
  | MembershipEntries
  | WireError
  | Ping
  | Pong
  | Want
  | Absent
  | Done
  | Corrupt
  | Prove
  | Proof
  | Missing
  | UploadOpen
  | UploadReady
  | Deposit
  | Lacking
  | Durable
  | UploadClose
  | RestoreOrder
  | RestoreAsk
  | RestoreState
  | RestoreWithdraw
  | PairingMessage

/** Told by gossip: there is a new listing. A hint only, and not signed; what matters is pulled and verified. */
export interface HeadNotice extends HeadName {
  readonly mesh: MeshId
  readonly epoch: number
}

/** What one frame holds. */
export type Frame =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'chunk'; readonly request: number; readonly chunk: Uint8Array }
