/** Paper devices: a key on paper that reads and admits, and that no machine runs (membership.md §7). Pure. */

import { concatBytes, fromHex } from '../bytes.ts'
import { type Signer, verifySignature } from '../crypto/keys.ts'
import type { DeviceId, MeshId } from '../ids.ts'
import { type Member, type MemberTerms, type Membership, ROLE_CAPABILITIES } from './types.ts'

const LABEL = Buffer.from('rootcellar/1/paper\0', 'ascii')

/** Whether a member is a key on paper: it is never there, and nothing is expected of it. */
export function isPaper({ role }: Pick<Member, 'role'>): boolean {
  return role === 'paper'
}

/** Members now that are machines, in the order of their admission. */
export function machinesOf(membership: Membership): Member[] {
  return [...membership.members.values()]
    .filter((member) => member.removedEpoch === undefined && !isPaper(member))
    .sort((a, b) => a.admittedEpoch - b.admittedEpoch)
}

/** The paper devices of a mesh now, in the order of their admission. */
export function papersOf(membership: Membership): Member[] {
  return [...membership.members.values()]
    .filter((member) => member.removedEpoch === undefined && isPaper(member))
    .sort((a, b) => a.admittedEpoch - b.admittedEpoch)
}

/** By its own key, a paper device says to which mesh it belongs (M3.11): nobody can make it a member of another. */
export function signPaperProof(paper: Signer, mesh: MeshId): Uint8Array {
  return paper.sign(concatBytes([LABEL, fromHex(mesh)]))
}

/** Whether a paper device signed that it belongs to this mesh. */
export function isPaperProof(device: DeviceId, mesh: MeshId, proof: Uint8Array): boolean {
  return verifySignature(device, concatBytes([LABEL, fromHex(mesh)]), proof)
}

/** M3.12: it has the two capabilities of its role and no other, and gives no space. */
export function areTermsOfPaper({ role, capabilities, quotaBytes, domain }: MemberTerms): boolean {
  const own = ROLE_CAPABILITIES[role]
  const isSame = capabilities.size === own.size && [...own].every((one) => capabilities.has(one))
  return isSame && quotaBytes === undefined && domain === undefined
}
