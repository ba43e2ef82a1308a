/** Admits a device that has proven the code of an invitation (pairing.md §5). */

import {
  admitMember,
  type Capability,
  type Clock,
  changeMember,
  memberNow,
  ROLE_CAPABILITIES,
} from '../../protocol/index.ts'
import { shareNewest, type VaultKeeper } from '../keys/vault-change.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { freeName } from './free-name.ts'
import type { AdmitRequest } from './pairing/invite.ts'

/**
 * Admits a device, durably. For one that is a member already, after an interrupted try, its terms are brought up to
 * date.
 *
 * @param keeper - who has the vault keys here: a newcomer that reads is given them in the log, in the same step
 * @returns the whole membership log, oldest entry first
 * @throws {CellarError} `NOT_ENTITLED`, `MEMBERSHIP_INVALID` (a removed key, a name that is taken)
 */
export async function admit(
  ledger: Ledger,
  clock: Clock,
  request: AdmitRequest,
  keeper: VaultKeeper,
): Promise<readonly Uint8Array[]> {
  const membership = await ledger.changeMembership((before, signer) => {
    const { device, role, quotaBytes } = request
    const member = memberNow(before, device)
    const capabilities = capabilitiesOf(request)
    // It may be leaning just now: that is taken by a decision of its own only (R5).
    if (member?.capabilities.has('lean') === true) capabilities.add('lean')
    const terms = {
      device,
      name: freeName(before, device, request.name),
      role,
      capabilities,
      atMs: clock.nowMs(),
      ...(quotaBytes !== undefined && { quotaBytes }),
    }
    const isSame =
      member !== undefined &&
      member.name === terms.name &&
      member.role === role &&
      member.capabilities.size === capabilities.size
    if (isSame) return shareNewest(before, signer, keeper, terms.atMs)
    const changed = (member === undefined ? admitMember : changeMember)(before, signer, terms)
    return shareNewest(changed, signer, keeper, terms.atMs)
  })
  return membership.entries
}

function capabilitiesOf({ role, mayForget }: AdmitRequest): Set<Capability> {
  const capabilities = new Set(ROLE_CAPABILITIES[role])
  if (mayForget) capabilities.add('forget')
  return capabilities
}
