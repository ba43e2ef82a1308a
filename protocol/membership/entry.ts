/** The form of one entry of the membership log (membership.md §2). */

import { compareBytes, fromHex, toHex } from '../bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor.ts'
import type { Signer } from '../crypto/keys.ts'
import { CellarError } from '../errors.ts'
import { Fields } from '../fields.ts'
import type { MeshId, VaultId } from '../ids.ts'
import {
  copiesGoalMax,
  deviceNameBytesMax,
  listingSeqMax,
  membershipEntriesMax,
  membershipEntryBytesMax,
  quotaBytesMax,
  vaultBoxesMax,
} from '../limits.ts'
import type { ListingHash } from '../listing/types.ts'
import {
  deviceFromKey,
  isSignedBy,
  keyOfDevice,
  sha256Hex,
  signStatement,
  statementContent,
} from '../statement.ts'
import {
  CAPABILITIES,
  type Capability,
  type CopiesGoal,
  type Cut,
  type MembershipEntry,
  type MemberTerms,
  type Role,
  ROLES,
  type MembershipStatement,
  vaultBoxBytes,
} from './types.ts'

/** Version 2 has what version 1 has not: paper devices and vaults. All else stays what every program can read (M2.4). */
type Version = 1 | 2
const WORDS = { what: 'an entry of the membership', code: 'MEMBERSHIP_INVALID' } as const
const KINDS: readonly MembershipStatement['kind'][] = ['found', 'admit', 'remove', 'change', 'goal', 'vault']
/** Numbers of the last kind and of the last role of each version. */
const LAST_KIND: Readonly<Record<Version, number>> = { 1: KINDS.indexOf('goal'), 2: KINDS.length - 1 }
const LAST_ROLE: Readonly<Record<Version, number>> = { 1: ROLES.indexOf('storer'), 2: ROLES.length - 1 }

/** An entry whose signature has been verified. */
export interface SignedEntry {
  readonly entry: MembershipEntry
  /** Hex SHA-256 of the content, without its signature. */
  readonly hash: string
  readonly bytes: Uint8Array
}

/** Signs an entry as its device. */
export function signEntry(entry: Omit<MembershipEntry, 'by'>, signer: Signer): SignedEntry {
  const full: MembershipEntry = { ...entry, by: signer.device }
  const content = encodeCbor([
    versionOf(full.statement),
    full.mesh === undefined ? null : fromHex(full.mesh),
    full.epoch,
    full.prev === undefined ? null : fromHex(full.prev),
    keyOfDevice(full.by),
    full.atMs,
    KINDS.indexOf(full.statement.kind),
    ...statementValues(full.statement),
  ])
  return { entry: full, hash: sha256Hex(content), bytes: signStatement('membership', content, signer) }
}

/**
 * Reads an entry and verifies its signature; whether it may stand where it does is for the log to say.
 *
 * @param bytes - content, then 64 bytes of signature; kept, not copied
 * @throws {CellarError} `MEMBERSHIP_INVALID`; `VERSION_UNKNOWN` for a later format
 */
export function openEntry(bytes: Uint8Array): SignedEntry {
  const content = statementContent(bytes)
  const fields = new Fields(
    decodeCbor(content, { ...WORDS, bytesMax: membershipEntryBytesMax, depthMax: 3 }),
    WORDS,
  )
  const version = fields.uint()
  if (version !== 1 && version !== 2)
    throw new CellarError('VERSION_UNKNOWN', 'a membership of a later format')
  const entry: MembershipEntry = {
    mesh: fields.skipNull() ? undefined : (toHex(fields.bytes(32)) as MeshId),
    epoch: fields.uint(membershipEntriesMax - 1),
    prev: fields.skipNull() ? undefined : toHex(fields.bytes(32)),
    by: deviceFromKey(fields.bytes(32)),
    atMs: fields.uint(),
    statement: readStatement(
      fields,
      KINDS[fields.uint(LAST_KIND[version])] as MembershipStatement['kind'],
      version,
    ),
  }
  fields.end()
  if (versionOf(entry.statement) !== version) fields.fail('it is of a later version than it has to be')
  if (!isSignedBy('membership', bytes, entry.by)) fields.fail('its device did not sign it')
  return { entry, hash: sha256Hex(content), bytes }
}

function versionOf(statement: MembershipStatement): Version {
  return statement.kind === 'vault' || ('terms' in statement && statement.terms.role === 'paper') ? 2 : 1
}

function statementValues(statement: MembershipStatement): CborValue[] {
  switch (statement.kind) {
    case 'found':
      return [statement.nonce, termsValue(statement.terms), goalValue(statement.copiesGoal)]
    case 'admit':
      return [
        keyOfDevice(statement.device),
        statement.incarnation,
        termsValue(statement.terms),
        cutValue(statement.cut),
        ...(statement.proof === undefined ? [] : [statement.proof]),
      ]
    case 'remove':
      return [keyOfDevice(statement.device), cutValue(statement.cut)]
    case 'change':
      return [keyOfDevice(statement.device), termsValue(statement.terms), cutValue(statement.cut)]
    case 'goal':
      return [goalValue(statement.copiesGoal)]
    case 'vault':
      return [
        fromHex(statement.vault),
        statement.before ?? null,
        statement.ephemeral,
        statement.boxes.map(({ device, sealed }) => [keyOfDevice(device), sealed]),
      ]
  }
}

function readStatement(
  fields: Fields,
  kind: MembershipStatement['kind'],
  version: Version,
): MembershipStatement {
  switch (kind) {
    case 'found':
      return {
        kind,
        nonce: fields.bytes(16),
        terms: readTerms(fields.nested(), version),
        copiesGoal: readGoal(fields),
      }
    case 'admit':
      return readAdmission(fields, version)
    case 'remove':
      return { kind, device: deviceFromKey(fields.bytes(32)), ...readCut(fields) }
    case 'change':
      return {
        kind,
        device: deviceFromKey(fields.bytes(32)),
        terms: readTerms(fields.nested(), version),
        ...readCut(fields),
      }
    case 'goal':
      return { kind, copiesGoal: readGoal(fields) }
    case 'vault':
      return readVault(fields)
  }
}

function readAdmission(fields: Fields, version: Version): MembershipStatement {
  const admission = {
    kind: 'admit',
    device: deviceFromKey(fields.bytes(32)),
    incarnation: fields.int(1, membershipEntriesMax),
    terms: readTerms(fields.nested(), version),
    ...readCut(fields),
  } as const
  return admission.terms.role === 'paper' ? { ...admission, proof: fields.bytes(64) } : admission
}

function readVault(fields: Fields): MembershipStatement {
  const vault = toHex(fields.bytes(16)) as VaultId
  const before = fields.skipNull() ? undefined : fields.bytes(vaultBoxBytes)
  const ephemeral = fields.bytes(32)
  let last: Uint8Array | undefined
  const boxes = fields.list(vaultBoxesMax, (value) => {
    const row = fields.nested(value)
    const key = row.bytes(32)
    const sealed = row.bytes(vaultBoxBytes)
    row.end()
    if (last !== undefined && compareBytes(last, key) >= 0) row.fail('its boxes are not in order')
    last = key
    return { device: deviceFromKey(key), sealed }
  })
  if (boxes.length === 0) fields.fail('it has no box')
  return { kind: 'vault', vault, ...(before && { before }), ephemeral, boxes }
}

function goalValue(goal: CopiesGoal): CborValue {
  return goal === 'all' ? null : goal
}

function readGoal(fields: Fields): CopiesGoal {
  return fields.skipNull() ? 'all' : fields.int(1, copiesGoalMax)
}

function cutValue(cut: Cut | undefined): CborValue {
  return cut === undefined ? null : [cut.seq, fromHex(cut.hash), cut.forkedAfter ?? null]
}

function readCut(fields: Fields): { cut?: Cut } {
  if (fields.skipNull()) return {}
  const row = fields.nested()
  const cut = { seq: row.int(1, listingSeqMax), hash: toHex(row.bytes(32)) as ListingHash }
  const forkedAfter = row.skipNull() ? undefined : row.uint(listingSeqMax)
  row.end()
  return { cut: { ...cut, ...(forkedAfter !== undefined && { forkedAfter }) } }
}

function termsValue(terms: MemberTerms): CborValue {
  let bits = 0
  for (const [at, capability] of CAPABILITIES.entries())
    if (terms.capabilities.has(capability)) bits |= 1 << at
  return [terms.name, ROLES.indexOf(terms.role), bits, terms.quotaBytes ?? null, terms.domain ?? null]
}

function readTerms(row: Fields, version: Version): MemberTerms {
  const name = row.text(deviceNameBytesMax)
  const role = ROLES[row.uint(LAST_ROLE[version])] as Role
  const bits = row.uint((1 << CAPABILITIES.length) - 1)
  const quotaBytes = row.skipNull() ? undefined : row.uint(quotaBytesMax)
  const domain = row.skipNull() ? undefined : row.text(deviceNameBytesMax)
  row.end()
  if (!isGoodName(name) || (domain !== undefined && !isGoodName(domain)))
    row.fail('a name that cannot be shown')
  const capabilities = new Set<Capability>(CAPABILITIES.filter((_, at) => (bits & (1 << at)) !== 0))
  return {
    name,
    role,
    capabilities,
    ...(quotaBytes !== undefined && { quotaBytes }),
    ...(domain !== undefined && { domain }),
  }
}

/** C0, C1, line and paragraph ends, marks that turn the direction of text, zero width, byte order mark. */
const NOT_FOR_NAMES = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u

/**
 * Whether a name can be shown on one line without deceiving: 1 .. 64 bytes, no control characters, no space at its
 * ends.
 */
export function isGoodName(name: string): boolean {
  if (name.length === 0 || Buffer.byteLength(name) > deviceNameBytesMax) return false
  return name.isWellFormed() && !NOT_FOR_NAMES.test(name) && name.trim() === name
}
