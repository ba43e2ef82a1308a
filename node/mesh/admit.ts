/** Admits a device that has proven the code of an invitation (pairing.md §5). */

import {
  admitMember,
  type Capability,
  type Clock,
  changeMember,
  type Membership,
  memberNow,
  ROLE_CAPABILITIES,
} from '../../protocol/index.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { AdmitRequest } from './pairing/invite.ts'

/**
 * Admits a device, durably. For one that is a member already, after an interrupted try, its terms are brought up to
 * date.
 *
 * @returns the whole membership log, oldest entry first
 * @throws {CellarError} `NOT_ENTITLED`, `MEMBERSHIP_INVALID` (a removed key, a name that is taken)
 */
export async function admit(
  ledger: Ledger,
  clock: Clock,
  request: AdmitRequest,
): Promise<readonly Uint8Array[]> {
  const membership = await ledger.changeMembership((before, signer) => {
    const { device, role, quotaBytes } = request
    const member = memberNow(before, device)
    const capabilities = capabilitiesOf(request)
    // It may be leaning just now: that is taken by a decision of its own only (R5).
    if (member?.capabilities.has('lean') === true) capabilities.add('lean')
    const terms = {
      device,
      name: freeName(before, request),
      role,
      capabilities,
      atMs: clock.nowMs(),
      ...(quotaBytes !== undefined && { quotaBytes }),
    }
    if (member === undefined) return admitMember(before, signer, terms)
    const isSame =
      member.name === terms.name && member.role === role && member.capabilities.size === capabilities.size
    return isSame ? before : changeMember(before, signer, terms)
  })
  return membership.entries
}

function capabilitiesOf({ role, mayForget }: AdmitRequest): Set<Capability> {
  const capabilities = new Set(ROLE_CAPABILITIES[role])
  if (mayForget) capabilities.add('forget')
  return capabilities
}

/** Names are for people and must differ: a second "laptop" becomes "laptop-2". */
function freeName(membership: Membership, { device, name }: AdmitRequest): string {
  const taken = new Set(
    [...membership.members.values()]
      .filter((member) => member.device !== device)
      .map((member) => member.name),
  )
  if (!taken.has(name)) return name
  for (let n = 2; ; n++) {
    const other = `${name}-${String(n)}`
    if (!taken.has(other)) return other
  }
}
