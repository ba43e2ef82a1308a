/** What is sent sealed in pairing: the terms, the newcomer's name, and what makes it a member (pairing.md §4). */

import { encode } from 'cborg'
import {
  addressBytesMax,
  addressesPerDeviceMax,
  deviceNameBytesMax,
  type MeshId,
  membershipEntriesMax,
  membershipEntryBytesMax,
  MACHINE_ROLES,
  type MachineRole,
} from '../../../protocol/index.ts'
import { decodeStrictly, malformed } from './messages.ts'

/** What the joiner is offered. */
export interface Terms {
  readonly mesh: MeshId
  readonly role: MachineRole
  /** Whether a storer may forget by rule, so that a box without a keyboard runs retention. */
  readonly mayForget: boolean
  readonly inviterName: string
}

/** What makes the joiner a member. */
export interface Gift {
  /** The membership log, oldest entry first, the joiner's admission among them. */
  readonly entries: readonly Uint8Array[]
  /** 32 bytes; only for those who may read. */
  readonly vaultKey?: Uint8Array
  /** Where members can be called: multiaddrs with device ids. */
  readonly addresses: readonly string[]
}

/** Bytes of a vault key. */
const vaultKeyBytes = 32
/** Addresses of several members. */
const giftAddressesMax = 4 * addressesPerDeviceMax

/** @returns fresh bytes */
export function encodeTerms(terms: Terms): Uint8Array {
  return encode([
    Buffer.from(terms.mesh, 'hex'),
    MACHINE_ROLES.indexOf(terms.role),
    terms.mayForget,
    terms.inviterName,
  ])
}

/** @throws {CellarError} `PEER_PROTOCOL` */
export function decodeTerms(bytes: Uint8Array): Terms {
  const [mesh, role, mayForget, inviterName] = list(decodeStrictly(bytes), 4)
  if (!(mesh instanceof Uint8Array) || mesh.byteLength !== 32) throw malformed()
  const preset = typeof role === 'number' ? MACHINE_ROLES[role] : undefined
  if (preset === undefined || typeof mayForget !== 'boolean') throw malformed()
  return {
    mesh: Buffer.from(mesh).toString('hex') as MeshId,
    role: preset,
    mayForget,
    inviterName: name(inviterName),
  }
}

/** @returns fresh bytes */
export function encodeName(text: string): Uint8Array {
  return encode([text])
}

/** @throws {CellarError} `PEER_PROTOCOL` */
export function decodeName(bytes: Uint8Array): string {
  return name(list(decodeStrictly(bytes), 1)[0])
}

/** @returns fresh bytes */
export function encodeGift(gift: Gift): Uint8Array {
  return encode([[...gift.entries], gift.vaultKey ?? null, gift.addresses.slice(0, giftAddressesMax)])
}

/** @throws {CellarError} `PEER_PROTOCOL` */
export function decodeGift(bytes: Uint8Array): Gift {
  const [entries, vaultKey, addresses] = list(decodeStrictly(bytes), 3)
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > membershipEntriesMax)
    throw malformed()
  for (const entry of entries as unknown[]) {
    if (!(entry instanceof Uint8Array) || entry.byteLength > membershipEntryBytesMax) throw malformed()
  }
  if (!Array.isArray(addresses) || addresses.length > giftAddressesMax) throw malformed()
  for (const one of addresses as unknown[])
    if (typeof one !== 'string' || one.length > addressBytesMax) throw malformed()
  const gift = { entries: entries as Uint8Array[], addresses: addresses as string[] }
  if (vaultKey === null) return gift
  if (!(vaultKey instanceof Uint8Array) || vaultKey.byteLength !== vaultKeyBytes) throw malformed()
  return { ...gift, vaultKey }
}

function list(value: unknown, length: number): unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw malformed()
  return value as unknown[]
}

function name(value: unknown): string {
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > deviceNameBytesMax)
    throw malformed()
  return value
}
