/** What one more entry makes of a membership, and which may stand there (membership.md §3). Pure. */

import { CellarError } from '../errors.ts'
import type { MeshId } from '../ids.ts'
import { membersMax, membershipEntriesMax } from '../limits.ts'
import type { SignedEntry } from './entry.ts'
import { areTermsOfPaper, isPaper, isPaperProof } from './paper.ts'
import {
  type Member,
  type Membership,
  type MemberSpan,
  type MembershipStatement,
  type MemberTerms,
  ROLE_CAPABILITIES,
} from './types.ts'
import { vaultsAfter } from './vaults.ts'

/** Checks an entry in its place and applies it (M3.1 .. M3.9). */
export function applyEntry(before: Membership | undefined, signed: SignedEntry): Membership {
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
  if (isPaper(old) !== isPaper(statement.terms))
    throw refuse('turns a machine into paper, or paper into one', signed)
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
