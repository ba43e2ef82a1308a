/** In which order snapshots are searched, and beside which newer ones. Pure. */

/** One snapshot to search. */
export interface SearchStep<S> {
  readonly snapshot: S
  /** Newer snapshots of the same group, the next newer first. */
  readonly newer: readonly S[]
}

/**
 * First the newest of each group, which is what is there now; then all older ones, newest first, for what has gone.
 *
 * @param snapshots - the newest first
 * @param groupOf - equal for snapshots of the same device and paths
 */
export function searchSteps<S>(snapshots: readonly S[], groupOf: (snapshot: S) => string): SearchStep<S>[] {
  const groups = new Map<string, S[]>()
  const [newest, older]: [SearchStep<S>[], SearchStep<S>[]] = [[], []]
  for (const snapshot of snapshots) {
    const group = groupOf(snapshot)
    const newer = groups.get(group) ?? []
    const step = { snapshot, newer: newer.slice(0, newerMax) }
    if (newer.length === 0) newest.push(step)
    else older.push(step)
    groups.set(group, [snapshot, ...newer.slice(0, newerMax - 1)])
  }
  return [...newest, ...older]
}

/** So many newer ones are remembered of each: the first of them that can be read is what a snapshot is compared with. */
const newerMax = 8
