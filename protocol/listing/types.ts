/** The words of a root listing (listing.md §1). All shapes are immutable. */

import type { DeviceId, MeshId, RootId } from '../ids.ts'

/** Lower-case hex (64 digits) of the SHA-256 of a head's content, without its signature (listing.md §2). */
export type ListingHash = string & { readonly __brand: 'ListingHash' }

/** Names one chain of listings: a device, and which of its beginnings. */
export interface DeviceIncarnation {
  readonly device: DeviceId
  /** From 1. */
  readonly incarnation: number
}

/** Names one announcement of a root: the listing that first had it, and a number within that listing. */
export interface Dot extends DeviceIncarnation {
  readonly seq: number
  readonly n: number
}

/** A root that the signer has announced. */
export interface Add {
  /** The listing that first announced it, 1 .. seq of the head. */
  readonly seq: number
  /** Number within that listing, from 0. */
  readonly n: number
  readonly root: RootId
  /** 16 bytes; equal for snapshots of one source, meaningless without the vault. */
  readonly source: Uint8Array
  /** Binary logarithm of the snapshot's bytes, rounded up: 0 .. 63. */
  readonly sizeClass: number
}

/** Why a root is no longer wanted: a person said so, or a rule of retention. */
export type ForgetReason = 'person' | 'retention'

/** A statement that one announcement of a root is no longer wanted. */
export interface Forget {
  readonly dot: Dot
  /** What the signer saw under that dot; a forget of another root under it says nothing about this one. */
  readonly root: RootId
  readonly reason: ForgetReason
  /** The listing that first said so, and the membership it was signed under. */
  readonly seq: number
  readonly epoch: number
}

/** All forgets of the first listings, up to `seq`, which this body no longer spells out. */
export interface ForgetBase {
  readonly seq: number
  /** Digest of them (listing.md §4); 64 zeros when there are none. */
  readonly digest: string
}

/** A held root that the signer means to let go, and the listing that first said so. */
export interface Shedding {
  readonly root: RootId
  readonly seq: number
}

/** How far one device's listings are taken account of (R4). */
export interface HorizonEntry extends DeviceIncarnation {
  readonly seq: number
  readonly hash: ListingHash
}

/** At most one entry for each device and incarnation, sorted; a missing one is bottom. */
export type Horizon = readonly HorizonEntry[]

/** The signed part of a listing: small, so that a long chain can be checked without its bodies. */
export interface ListingHead {
  readonly mesh: MeshId
  readonly device: DeviceId
  /** From 1. */
  readonly incarnation: number
  /** From 1. */
  readonly seq: number
  /** The listing before; undefined for the first. */
  readonly prev: ListingHash | undefined
  /** The membership known to the signer. */
  readonly epoch: number
  /** Claimed time, milliseconds since 1970; for display only. */
  readonly atMs: number
  /** Digest of all forgets ever signed in this chain up to here, in order (listing.md §4). */
  readonly forgetsDigest: string
  /** Hex SHA-256 of the body. */
  readonly bodyHash: string
}

/** The whole statement of a device. */
export interface ListingBody {
  /** Sorted by seq, then n. */
  readonly adds: readonly Add[]
  readonly forgetBase: ForgetBase
  /** Sorted by seq, then dot. */
  readonly forgets: readonly Forget[]
  /** Sorted. */
  readonly holds: readonly RootId[]
  /** Sorted by root; each is in `holds`. */
  readonly shedding: readonly Shedding[]
  readonly horizon: Horizon
  /** Whether the signer may refer to chunks that it cannot supply itself (R5). */
  readonly leans: boolean
  /** Whether the signer takes no more roots: its disk or what it gives is full (R12). */
  readonly full: boolean
  /** Roots that no retention may forget, as a person at the signer said. Sorted. */
  readonly pins: readonly RootId[]
}

/** A head whose signature has been verified. */
export interface SignedHead {
  readonly head: ListingHead
  readonly hash: ListingHash
  /** As sent: content, then signature. */
  readonly bytes: Uint8Array
}

/** A verified head with its body. */
export interface Listing {
  readonly signed: SignedHead
  readonly body: ListingBody
  readonly bodyBytes: Uint8Array
}

/** Orders dots by device, incarnation, seq and n. */
export function compareDots(a: Dot, b: Dot): number {
  if (a.device !== b.device) return a.device < b.device ? -1 : 1
  return a.incarnation - b.incarnation || a.seq - b.seq || a.n - b.n
}
