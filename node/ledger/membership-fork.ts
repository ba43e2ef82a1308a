/** Whether entries prove that the membership has two histories (R8); pure. */

import { extendMembership, isCellarError, type Membership, openMembership } from '../../protocol/index.ts'

/**
 * Says whether entries leave a log for a branch that a keeper of then signed. Anybody can sign what looks like an
 * entry, and must not stop reclaiming by it.
 *
 * @param entries - in order, as a peer sent them: from the first on, or from our newest on
 * @param epoch - of the first that is of another branch, as `extendMembership` found
 */
export function isForkProven(membership: Membership, entries: readonly Uint8Array[], epoch: number): boolean {
  if (epoch < 1 || epoch > membership.epoch + 1) return false
  const entry = entries[epoch] ?? entries[epoch - membership.epoch]
  if (entry === undefined) return false
  try {
    // As good as ours after the entry before, which both have, and not ours.
    const branch = extendMembership(openMembership(membership.entries.slice(0, epoch)), [entry])
    return branch.epoch === epoch && branch.headHash !== membership.hashes[epoch]
  } catch (error) {
    if (isCellarError(error)) return false
    throw error
  }
}
