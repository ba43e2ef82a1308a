/** The membership log: one line of signed entries, and what each may say (membership.md §3). */

import type { Signer } from '../crypto/keys.ts'
import { CellarError } from '../errors.ts'
import type { DeviceId, MeshId } from '../ids.ts'
import { membersMax, membershipEntriesMax } from '../limits.ts'
import { sha256Hex, statementContent } from '../statement.ts'
import type { Random } from '../world.ts'
import { isGoodName, openEntry, signEntry, type SignedEntry } from './entry.ts'
import { areTermsOfPaper, isPaper, isPaperProof } from './paper.ts'
import {
  type Capability,
  type CopiesGoal,
  type Cut,
  type Member,
  type Membership,
  type MemberSpan,
  type MemberTerms,
  type Role,
  ROLE_CAPABILITIES,
  type MembershipStatement,
} from './types.ts'
import { readersOf, readersWithoutBox, vaultNow, vaultsAfter, vaultStatements } from './vaults.ts'

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

/** Checks an entry in its place and applies it (M3.1 .. M3.9). */
function applyEntry(before: Membership | undefined, signed: SignedEntry): Membership {
  const { entry } = signed
  if (before === undefined) return applyFounding(signed)
  if (entry.epoch !== before.epoch + 1 || entry.prev !== before.headHash || entry.mesh !== before.mesh) {
    throw refuse('does not follow the one before it', signed)
  }
  if (entry.epoch >= membershipEntriesMax) throw refuse('is one too many', signed)
  const signer = before.members.get(entry.by)
  if (signer === undefined || signer.removedEpoch !== undefined) {
    throw new CellarError('NOT_A_MEMBER', 'an entry of the membership is not by a member', {
      epoch: entry.epoch,
    })
  }
  if (!signer.capabilities.has('admit')) {
    throw new CellarError(
      'NOT_ENTITLED',
      'an entry of the membership is by a device that may not change it',
      { epoch: entry.epoch },
    )
  }
  const grown = {
    ...before,
    epoch: entry.epoch,
    headHash: signed.hash,
    entries: [...before.entries, signed.bytes],
    hashes: [...before.hashes, signed.hash],
  }
  if (isPaper(signer)) checkByPaper(before, signed)
  if (entry.statement.kind === 'goal') return { ...grown, copiesGoal: entry.statement.copiesGoal }
  if (entry.statement.kind === 'vault')
    return { ...grown, vaults: vaultsAfter(before, signer, entry.epoch, entry.statement) }
  const span = makeSpan(before, signer, signed)
  const after = { ...grown, ...withSpan(before, span) }
  if (![...after.members.values()].some((member) => mayAdmit(member)))
    throw refuse('leaves nobody who may admit', signed)
  return after
}

function applyFounding(signed: SignedEntry): Membership {
  const { entry, hash, bytes } = signed
  const { statement, by: device } = entry
  if (
    statement.kind !== 'found' ||
    entry.epoch !== 0 ||
    entry.prev !== undefined ||
    entry.mesh !== undefined
  ) {
    throw refuse('founds nothing', signed)
  }
  const member: Member = { ...statement.terms, device, incarnation: 1, admittedEpoch: 0 }
  if (member.role !== 'keeper' || !mayAdmit(member)) throw refuse('is by a founder who is no keeper', signed)
  const span = { epoch: 0, member }
  return {
    mesh: hash as MeshId,
    epoch: 0,
    headHash: hash,
    copiesGoal: statement.copiesGoal,
    members: new Map([[device, member]]),
    vaults: [],
    entries: [bytes],
    hashes: [hash],
    spans: new Map([[device, [span]]]),
  }
}

function mayAdmit(member: Member): boolean {
  return member.removedEpoch === undefined && member.capabilities.has('admit') && !isPaper(member)
}

/** M3.13: a phrase brings a new machine in, and does nothing else. */
function checkByPaper(before: Membership, signed: SignedEntry): void {
  const { epoch, statement } = signed.entry
  const isNewMachine =
    statement.kind === 'admit' && statement.terms.role !== 'paper' && !before.members.has(statement.device)
  if (!isNewMachine)
    throw new CellarError('NOT_ENTITLED', 'a paper device does more than admit a new machine', { epoch })
}

function withSpan(before: Membership, span: MemberSpan): Pick<Membership, 'members' | 'spans'> {
  const { device } = span.member
  return {
    members: new Map(before.members).set(device, span.member),
    spans: new Map(before.spans).set(device, [...(before.spans.get(device) ?? []), span]),
  }
}

/** What the entry makes of its device. */
function makeSpan(before: Membership, signer: Member, signed: SignedEntry): MemberSpan {
  const { epoch, statement } = signed.entry
  if (statement.kind === 'found' || statement.kind === 'goal' || statement.kind === 'vault')
    throw refuse('founds a mesh that there is', signed)
  const old = before.members.get(statement.device)
  const cut = statement.cut && { cut: statement.cut }
  // M3.5: a removed key never comes back.
  if (old?.removedEpoch !== undefined) throw refuse('is about a device that was removed for good', signed)
  if (statement.kind === 'admit') {
    if (statement.incarnation !== (old?.incarnation ?? 0) + 1)
      throw refuse('admits another incarnation than the next', signed)
    if (old === undefined && before.members.size >= membersMax)
      throw refuse('admits more members than a mesh can have', signed)
    if (statement.terms.role === 'paper') checkPaper(before, old, signed, statement)
    checkTerms(before, signer, old, signed, statement.terms)
    const { device, incarnation, terms } = statement
    const admittedBy = isPaper(signer) && { admittedBy: signer.device }
    return { epoch, member: { ...terms, device, incarnation, admittedEpoch: epoch, ...admittedBy }, ...cut }
  }
  if (old === undefined)
    throw new CellarError('NOT_A_MEMBER', 'an entry of the membership is about a stranger', { epoch })
  if (statement.kind === 'remove') return { epoch, member: { ...old, removedEpoch: epoch }, ...cut }
  if (isPaper(old) !== isPaper(statement.terms)) throw refuse('turns a machine into paper, or paper into one', signed)
  if (isPaper(old) && !areTermsOfPaper(statement.terms)) throw refuse('gives paper what no paper has', signed)
  checkTerms(before, signer, old, signed, statement.terms)
  const { device, incarnation, admittedEpoch, admittedBy } = old
  const by = admittedBy !== undefined && { admittedBy }
  return { epoch, member: { ...statement.terms, device, incarnation, admittedEpoch, ...by }, ...cut }
}

/** M3.11, M3.12: a key that never was a member, that says itself to which mesh it belongs, and has what paper has. */
function checkPaper(
  before: Membership,
  old: Member | undefined,
  signed: SignedEntry,
  { device, terms, proof }: Extract<MembershipStatement, { kind: 'admit' }>,
): void {
  if (old !== undefined) throw refuse('turns a machine into paper, or paper into one', signed)
  if (!areTermsOfPaper(terms)) throw refuse('gives paper what no paper has', signed)
  if (proof === undefined || !isPaperProof(device, before.mesh, proof))
    throw refuse('admits paper that did not say that it is of this mesh', signed)
}

/** M3.7: one name, one member. M3.8: nobody gives what it has not. */
function checkTerms(
  before: Membership,
  signer: Member,
  old: Member | undefined,
  signed: SignedEntry,
  terms: MemberTerms,
): void {
  for (const member of before.members.values()) {
    if (member.device !== old?.device && member.removedEpoch === undefined && member.name === terms.name) {
      throw refuse('gives a name that another member has', signed)
    }
  }
  for (const capability of terms.capabilities) {
    // Leaning gives no right over others, only makes them wait: who may admit may give it, and no role has it. A keeper
    // that leaves storing to others can still have others store. Paper gives what a keeper has: it stands in for the
    // keepers that are gone.
    const own = isPaper(signer) ? ROLE_CAPABILITIES.keeper : signer.capabilities
    const isHad = own.has(capability) || old?.capabilities.has(capability) === true
    if (capability !== 'lean' && capability !== 'store' && !isHad) {
      throw new CellarError('NOT_ENTITLED', 'a device gives what it has not', {
        capability,
        epoch: signed.entry.epoch,
      })
    }
  }
}

function refuse(reason: string, signed: SignedEntry): CellarError {
  return new CellarError('MEMBERSHIP_INVALID', `an entry of the membership ${reason}`, {
    epoch: signed.entry.epoch,
  })
}
