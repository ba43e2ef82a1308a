/** The words of the membership log (membership.md §1). All shapes are immutable. */

import type { ListingHash } from '../listing/types.ts'
import type { DeviceId, MeshId, VaultId } from '../ids.ts'

/** One thing a device may do; `lean`: refer to chunks that others have and it has not (R5). */
export type Capability = 'backup' | 'read' | 'store' | 'forget' | 'admit' | 'lean'

/** A preset of capabilities, and the word that people see. A paper device is a key on paper: no machine runs it. */
export type Role = MachineRole | 'paper'

/** What a device that runs may be, and what others are invited as. */
export type MachineRole = 'keeper' | 'writer' | 'storer'

/** All capabilities, in the order of their bits on the wire. */
export const CAPABILITIES: readonly Capability[] = ['backup', 'read', 'store', 'forget', 'admit', 'lean']

/** Roles of devices that run, in the order of their numbers on the wire. */
export const MACHINE_ROLES: readonly MachineRole[] = ['keeper', 'writer', 'storer']

/** All roles, in the order of their numbers on the wire. */
export const ROLES: readonly Role[] = [...MACHINE_ROLES, 'paper']

/**
 * What each role may do unless its entry says otherwise. A writer stores, but only ever adds. `lean` is in no role: all
 * wait for a device that has it before they reclaim (R6), so a keeper gives it on purpose. Paper stores and signs
 * nothing, so it counts for no copy; what it may give is that of a keeper (M3.8).
 */
export const ROLE_CAPABILITIES: Readonly<Record<Role, ReadonlySet<Capability>>> = {
  keeper: new Set<Capability>(['backup', 'read', 'store', 'forget', 'admit']),
  writer: new Set<Capability>(['backup', 'read', 'store']),
  storer: new Set<Capability>(['store']),
  paper: new Set<Capability>(['read', 'admit']),
}

/** How many devices should hold a root: all that store, or a number 1 .. 1024. */
export type CopiesGoal = 'all' | number

/** The newest listing of a device that a keeper knew when it closed its chain, or took a capability from it. */
export interface Cut {
  readonly seq: number
  readonly hash: ListingHash
  /** Of a chain that forked, when it is closed: forgets after this listing are void, whichever branch they stand in. */
  readonly forkedAfter?: number
}

/** What an entry says of a device; a change states all of it anew. */
export interface MemberTerms {
  readonly name: string
  readonly role: Role
  readonly capabilities: ReadonlySet<Capability>
  /** Space it gives; undefined when nothing was said. Bytes, 0 .. 2^50. */
  readonly quotaBytes?: number
  /** Devices of one domain are lost together (one house, one disk); undefined: a domain of its own. */
  readonly domain?: string
}

/** A device as the membership log has it. */
export interface Member extends MemberTerms {
  readonly device: DeviceId
  /** From 1; a new one closes the chain of listings of the one before. */
  readonly incarnation: number
  /** Epoch of the entry that admitted this incarnation. */
  readonly admittedEpoch: number
  /** The paper device that admitted this one: somebody had the words. Undefined when a machine did. */
  readonly admittedBy?: DeviceId
  /** Epoch of the entry that removed it, for good; undefined while it is a member. */
  readonly removedEpoch?: number
}

/** One statement about a device, in force from an epoch on. */
export interface MemberSpan {
  readonly epoch: number
  readonly member: Member
  /** Newest listing of the state before that the signer knew. */
  readonly cut?: Cut
}

/** The key of a vault, sealed to one device that reads (membership.md §6). */
export interface VaultBox {
  readonly device: DeviceId
  /** Public key drawn for the entry, 32 bytes. */
  readonly ephemeral: Uint8Array
  /** {@link vaultBoxBytes} bytes. */
  readonly sealed: Uint8Array
}

/** One vault of the mesh: chunks are sealed under the newest, all can be read. */
export interface VaultRecord {
  readonly vault: VaultId
  /** Epoch of the entry that brought it. */
  readonly epoch: number
  /** The key of the vault before, sealed under this one's; undefined for the first. */
  readonly before: Uint8Array | undefined
  /** In the order in which they came; of several for one device any that opens will do. */
  readonly boxes: readonly VaultBox[]
}

/** Bytes of a vault key sealed: nonce, key, tag. */
export const vaultBoxBytes = 24 + 32 + 16

/** The membership after a number of entries; epoch = entries - 1. */
export interface Membership {
  readonly mesh: MeshId
  readonly epoch: number
  /** Hex SHA-256 of the newest entry's content. */
  readonly headHash: string
  readonly copiesGoal: CopiesGoal
  /** Removed devices too. */
  readonly members: ReadonlyMap<DeviceId, Member>
  /** Oldest first; empty where the vault key travels by pairing only, as in a mesh founded before there were boxes. */
  readonly vaults: readonly VaultRecord[]
  /** Signed entries as sent, oldest first. */
  readonly entries: readonly Uint8Array[]
  /** Hashes of the entries' contents, by epoch. */
  readonly hashes: readonly string[]
  /** All that was ever said of each device, oldest first. */
  readonly spans: ReadonlyMap<DeviceId, readonly MemberSpan[]>
}

/** What one entry says. */
export type MembershipStatement =
  | {
      readonly kind: 'found'
      readonly nonce: Uint8Array
      readonly terms: MemberTerms
      readonly copiesGoal: CopiesGoal
    }
  | {
      readonly kind: 'admit'
      readonly device: DeviceId
      readonly incarnation: number
      readonly terms: MemberTerms
      readonly cut?: Cut
      /** Of a paper device, its own signature (64 bytes): it belongs to this mesh and to no other (M3.11). */
      readonly proof?: Uint8Array
    }
  | { readonly kind: 'remove'; readonly device: DeviceId; readonly cut?: Cut }
  | { readonly kind: 'change'; readonly device: DeviceId; readonly terms: MemberTerms; readonly cut?: Cut }
  | { readonly kind: 'goal'; readonly copiesGoal: CopiesGoal }
  | {
      readonly kind: 'vault'
      readonly vault: VaultId
      readonly before?: Uint8Array
      /** One for all boxes of the entry, 32 bytes. */
      readonly ephemeral: Uint8Array
      /** 1 .. `vaultBoxesMax`, in ascending order of the devices' keys. */
      readonly boxes: readonly { readonly device: DeviceId; readonly sealed: Uint8Array }[]
    }

/** An entry of the log: a statement in its place. */
export interface MembershipEntry {
  /** Undefined in the founding entry, whose hash it is. */
  readonly mesh: MeshId | undefined
  readonly epoch: number
  /** Hash of the entry before. */
  readonly prev: string | undefined
  readonly by: DeviceId
  /** Claimed time, milliseconds since 1970; for display only. */
  readonly atMs: number
  readonly statement: MembershipStatement
}
