/** What stands wrong here until somebody sees to it: for `status`, and for telling (spec/telling.md). */

import { ERRORS, type RootId } from '../../protocol/index.ts'
import type { Problem } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { fullProblems } from './full.ts'
import { orderProblems } from './order-info.ts'
import { keyProblems } from './recovery.ts'

/** The problems that stand now, the gravest of the store and of the keys. */
export function standingProblems(
  parts: NodeParts,
  roots: readonly RootId[] = parts.ledger.liveRoots(),
): Problem[] {
  return [
    ...fullProblems(parts, roots),
    ...storeProblems(parts),
    ...ledgerProblems(parts),
    ...keyProblems(parts),
    ...orderProblems(parts),
  ]
}

function storeProblems(parts: NodeParts): Problem[] {
  const problems: Problem[] = []
  const stats = parts.store.stats()
  if (stats.readOnly) {
    problems.push({
      level: 'error',
      code: 'STORE_FULL',
      message: `the disk of ${parts.storePath} is full: nothing more can be stored`,
      remedy: 'free space on it',
    })
  }
  if (stats.quarantined > 0) {
    const what = `${String(stats.quarantined)} stored ${stats.quarantined === 1 ? 'chunk is' : 'chunks are'} damaged`
    problems.push({ level: 'error', code: 'CHUNK_CORRUPT', message: what, remedy: 'cellar check --repair' })
  }
  return problems
}

function ledgerProblems({ ledger }: NodeParts): Problem[] {
  const problems: Problem[] = []
  if (ledger.isMembershipForked) {
    problems.push({
      level: 'warning',
      code: 'MEMBERSHIP_FORK',
      message: 'two keepers changed the mesh at once: nothing is freed any more until that is settled',
      remedy: ERRORS.MEMBERSHIP_FORK.remedy,
    })
  }
  if (ledger.isRolledBack) {
    problems.push({
      level: 'error',
      code: 'LISTING_FORK',
      message: 'the disk of this device went back in time, so it announces nothing',
      remedy: 'remove this device on a keeper, then join again with a new home',
    })
  }
  return problems
}
