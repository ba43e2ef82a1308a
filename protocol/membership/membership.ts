/** The membership log: one line of signed entries, and what each may say (membership.md §3). */

import type { Signer } from '../crypto/keys.ts'
import { CellarError } from '../errors.ts'
import type { DeviceId } from '../ids.ts'
import { sha256Hex, statementContent } from '../statement.ts'
import type { Random } from '../world.ts'
import { applyEntry } from './apply.ts'
import { isGoodName, openEntry, signEntry } from './entry.ts'
import {
  type Capability,
  type CopiesGoal,
  type Cut,
  type Member,
  type Membership,
  type MemberTerms,
  type Role,
  ROLE_CAPABILITIES,
  type MembershipStatement,
} from './types.ts'
import { readersOf, readersWithoutBox, vaultNow, vaultStatements } from './vaults.ts'

/** What the founder of a mesh chooses. */
export interface FoundOptions {
  /** Name of the founding device, shown to people: 1 .. 64 bytes of UTF-8. */
  readonly name: string
  /** @defaultValue all */
  readonly copiesGoal?: CopiesGoal
  /** 16 random bytes, so that one key may found several meshes; borrowed. */
  readonly nonce: Uint8Array
  /** Milliseconds since 1970, for display. */
  readonly atMs: number
  readonly quotaBytes?: number
  readonly domain?: string
}

/** What is said of a device when it is admitted or changed. */
export interface TermsOptions {
  readonly name: string
  readonly role: Role
  /** @defaultValue those of the role */
  readonly capabilities?: Iterable<Capability>
  readonly quotaBytes?: number
  readonly domain?: string
}

/** What goes with every later entry. */
export interface EntryOptions {
  readonly device: DeviceId
  /** Milliseconds since 1970, for display. */
  readonly atMs: number
  /** The newest listing of the device known here. Always give it when there is one: see membership.md §4. */
  readonly cut?: Cut
}

/** Founds a mesh: its first entry, its first keeper. */
export function foundMesh(signer: Signer, options: FoundOptions): Membership {
  const { nonce, atMs, copiesGoal = 'all', ...rest } = options
  const statement: MembershipStatement = {
    kind: 'found',
    nonce,
    terms: makeTerms({ ...rest, role: 'keeper' }),
    copiesGoal,
  }
  return applyEntry(
    undefined,
    signEntry({ mesh: undefined, epoch: 0, prev: undefined, atMs, statement }, signer),
  )
}

/**
 * Admits a device: a new one, or one that starts again as its next incarnation.
 *
 * @returns the membership with one more entry
 * @throws {CellarError} `NOT_ENTITLED`; `MEMBERSHIP_INVALID` for a key that was removed, or a name that is taken
 */
export function admitMember(
  membership: Membership,
  signer: Signer,
  options: EntryOptions & TermsOptions,
): Membership {
  const { device, atMs, cut, ...rest } = options
  const incarnation = (membership.members.get(device)?.incarnation ?? 0) + 1
  return append(membership, signer, atMs, {
    kind: 'admit',
    device,
    incarnation,
    terms: makeTerms(rest),
    ...(cut && { cut }),
  })
}

/**
 * Removes a device for good; its roots stay (R2).
 *
 * @returns the membership with one more entry
 * @throws {CellarError} `NOT_ENTITLED`; `NOT_A_MEMBER`; `MEMBERSHIP_INVALID` for the last device that may admit
 */
export function removeMember(membership: Membership, signer: Signer, options: EntryOptions): Membership {
  const { device, atMs, cut } = options
  return append(membership, signer, atMs, { kind: 'remove', device, ...(cut && { cut }) })
}

/**
 * Changes what is said of a device; what is not given stays, but a new role brings its own capabilities. Leaning stays
 * with a new role: to stop waiting for a device that may be leaning just now is a decision of its own (R5).
 */
export function changeMember(
  membership: Membership,
  signer: Signer,
  options: EntryOptions & Partial<TermsOptions>,
): Membership {
  const { device, atMs, cut, ...changes } = options
  const old = membership.members.get(device)
  if (old === undefined) throw new CellarError('NOT_A_MEMBER', 'this device is not a member', { device })
  const { name, role, quotaBytes, domain } = old
  const capabilities = changes.role === undefined ? old.capabilities : capabilitiesIn(old, changes.role)
  const kept = {
    name,
    role,
    capabilities,
    ...(quotaBytes !== undefined && { quotaBytes }),
    ...(domain !== undefined && { domain }),
  }
  const terms = makeTerms({ ...kept, ...changes })
  return append(membership, signer, atMs, { kind: 'change', device, terms, ...(cut && { cut }) })
}

function capabilitiesIn(old: Member, role: Role): ReadonlySet<Capability> {
  const capabilities = ROLE_CAPABILITIES[role]
  return old.capabilities.has('lean') ? new Set<Capability>([...capabilities, 'lean']) : capabilities
}

/** Changes how many devices should hold each root. */
export function changeCopiesGoal(
  membership: Membership,
  signer: Signer,
  options: { copiesGoal: CopiesGoal; atMs: number },
): Membership {
  return append(membership, signer, options.atMs, { kind: 'goal', copiesGoal: options.copiesGoal })
}

/**
 * Admits a paper device: the key on paper that people recover by (membership.md §7).
 *
 * @throws {CellarError} as {@link admitMember}
 */
export function admitPaper(
  membership: Membership,
  signer: Signer,
  { paper, name, atMs }: PaperOptions,
): Membership {
  const terms = makeTerms({ name, role: 'paper' })
  const { device, proof } = paper
  return append(membership, signer, atMs, { kind: 'admit', device, incarnation: 1, terms, proof })
}

/** Who is admitted on paper. */
export interface PaperOptions {
  /** `proof`: 64 bytes that the paper device's key has signed, see `signPaperProof`. */
  readonly paper: { readonly device: DeviceId; readonly proof: Uint8Array }
  readonly name: string
  /** Milliseconds since 1970, for display. */
  readonly atMs: number
}

/** What bringing vault keys into the log takes. */
export interface VaultOptions {
  /** 32 bytes; borrowed. */
  readonly vaultKey: Uint8Array
  /** For keys and nonces that are used once. */
  readonly random: Random
  /** Milliseconds since 1970, for display. */
  readonly atMs: number
}

/**
 * Brings a vault key into the log, sealed to every reader: the first, or a new one under which chunks are sealed from
 * now on. Several entries where there are many readers.
 *
 * @param options.before - the key of the newest vault; to be given exactly when there is one
 * @throws {CellarError} `NOT_ENTITLED`, `MEMBERSHIP_INVALID`
 */
export function introduceVault(
  membership: Membership,
  signer: Signer,
  options: VaultOptions & { readonly before?: Uint8Array },
): Membership {
  const others = readersOf(membership).map(({ device }) => device)
  const readers = [signer.device, ...others.filter((device) => device !== signer.device)]
  return sealFor(membership, signer, readers, options)
}

/**
 * Seals the key of the newest vault to every reader that has no box of it yet: one who has just been admitted.
 *
 * @returns the membership as it was when nobody lacks one, or where the log has no vault
 */
export function shareVault(membership: Membership, signer: Signer, options: VaultOptions): Membership {
  if (vaultNow(membership) === undefined) return membership
  const readers = readersWithoutBox(membership).map(({ device }) => device)
  return sealFor(membership, signer, readers, options)
}

function sealFor(
  membership: Membership,
  signer: Signer,
  readers: readonly DeviceId[],
  options: VaultOptions & { readonly before?: Uint8Array },
): Membership {
  const { atMs, ...rest } = options
  let now = membership
  for (const statement of vaultStatements({ mesh: membership.mesh, readers, ...rest }))
    now = append(now, signer, atMs, statement)
  return now
}

function makeTerms(options: TermsOptions): MemberTerms {
  const name = options.name.normalize('NFC').trim()
  if (!isGoodName(name))
    throw new CellarError('MEMBERSHIP_INVALID', 'a name has 1 to 64 bytes and no control characters')
  return { ...options, name, capabilities: new Set(options.capabilities ?? ROLE_CAPABILITIES[options.role]) }
}

function append(
  membership: Membership,
  signer: Signer,
  atMs: number,
  statement: MembershipStatement,
): Membership {
  const { mesh, epoch, headHash } = membership
  return applyEntry(
    membership,
    signEntry({ mesh, epoch: epoch + 1, prev: headHash, atMs, statement }, signer),
  )
}

/**
 * Opens a whole log, every entry of it checked.
 *
 * @param entries - oldest first; kept, not copied
 * @throws {CellarError} `MEMBERSHIP_INVALID`, `NOT_ENTITLED`, `NOT_A_MEMBER`, `VERSION_UNKNOWN`
 */
export function openMembership(entries: readonly Uint8Array[]): Membership {
  let membership: Membership | undefined
  for (const bytes of entries) membership = applyEntry(membership, openEntry(bytes))
  if (membership === undefined)
    throw new CellarError('MEMBERSHIP_INVALID', 'a membership log without entries')
  return membership
}

/**
 * Adds entries that another device sent; those known already are passed over.
 *
 * @param entries - in order, the first one not beyond the next epoch
 * @throws {CellarError} `MEMBERSHIP_FORK` when they are of another branch (R8), and as {@link openMembership}
 */
export function extendMembership(membership: Membership, entries: readonly Uint8Array[]): Membership {
  let now = membership
  const before = new Set(membership.hashes)
  for (const bytes of entries) {
    // Verifying all that is known again would take a second whenever a peer likes.
    if (before.has(entryHash(bytes))) continue
    const signed = openEntry(bytes)
    const known = now.hashes[signed.entry.epoch]
    if (known === signed.hash) continue
    if (known !== undefined) throw fork(signed.entry.epoch)
    if (signed.entry.epoch === now.epoch + 1 && signed.entry.prev !== now.headHash)
      throw fork(signed.entry.epoch)
    now = applyEntry(now, signed)
  }
  return now
}

function fork(epoch: number): CellarError {
  return new CellarError('MEMBERSHIP_FORK', 'two keepers have changed the membership at once', { epoch })
}

/** How log `a` stands to log `b`: equal, longer, shorter, or of another branch (R8). */
export function compareLogs(
  a: Pick<Membership, 'mesh' | 'hashes'>,
  b: Pick<Membership, 'mesh' | 'hashes'>,
): 'same' | 'ahead' | 'behind' | 'fork' {
  const common = Math.min(a.hashes.length, b.hashes.length)
  if (a.mesh !== b.mesh || a.hashes[common - 1] !== b.hashes[common - 1]) return 'fork'
  if (a.hashes.length === b.hashes.length) return 'same'
  return a.hashes.length > b.hashes.length ? 'ahead' : 'behind'
}

/** The hash of an entry as sent, by which log heads are named. */
export function entryHash(bytes: Uint8Array): string {
  return sha256Hex(statementContent(bytes))
}
