/** What rules of retention make of snapshots, group by group; pure but for the questions in `SelectionFacts`. */

import {
  applyRules,
  type Candidate,
  type DeviceId,
  type RetentionRules,
  toHex,
} from '../../protocol/index.ts'
import type { GroupField } from '../api.ts'
import type { RankedSnapshot } from './candidates.ts'

/** What the selection asks of the node. */
export interface SelectionFacts {
  /** Why a snapshot is kept whatever the rules say: pins and floors (R9). It takes part in them like any other. */
  protectionsOf(snapshot: RankedSnapshot): readonly string[]
  /**
   * Why rules can say nothing of a snapshot: nobody but its device is known to have it, or its root cannot be read
   * here. Then it is kept, and fills no place in them.
   */
  reasonToLeave(snapshot: RankedSnapshot): string | undefined
  /** Why nothing of a device is forgotten by rules (R14). */
  suspicionOf(device: DeviceId): string | undefined
}

/** How snapshots are chosen. */
export interface SelectionOptions {
  readonly rules: RetentionRules
  readonly groupBy: readonly GroupField[]
}

/** A snapshot that stays, and why. */
export interface KeptSnapshot {
  readonly snapshot: RankedSnapshot
  readonly matches: readonly string[]
}

/** What rules make of one group; lists newest first. */
export interface SelectedGroup {
  /** Those that the group is named by; the newest of them speaks for all. */
  readonly groupBy: readonly GroupField[]
  readonly first: RankedSnapshot
  readonly keep: readonly KeptSnapshot[]
  readonly remove: readonly RankedSnapshot[]
  /** Set when nothing is forgotten though rules would. */
  readonly stopped?: string
}

/** By device and source, as restic groups by host and paths. */
export const GROUP_BY_DEFAULT: readonly GroupField[] = ['device', 'paths']

/**
 * Applies rules to each group of snapshots.
 *
 * @param snapshots - in the order in which they came; each owner and root once
 * @throws {CellarError} `USAGE` when the rules cannot be applied
 */
export function selectByRules(
  snapshots: readonly RankedSnapshot[],
  options: SelectionOptions,
  facts: SelectionFacts,
): SelectedGroup[] {
  const groups = new Map<string, RankedSnapshot[]>()
  for (const snapshot of snapshots) {
    const key = groupKey(snapshot, options.groupBy)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [snapshot])
    else group.push(snapshot)
  }
  return [...groups.values()].map((group) => selectOfGroup(group, options, facts))
}

/**
 * Names the group of a snapshot. Whose it is says who announced it first, never only what is sealed in it: a device
 * could seal the name of another. What somebody else announced anew fills no place here (`SelectionFacts`). Of one
 * device, a source is one set of paths, and can be told apart without reading.
 */
function groupKey(snapshot: RankedSnapshot, groupBy: readonly GroupField[]): string {
  const { root } = snapshot.known
  const isOfDevice = groupBy.includes('device')
  return JSON.stringify(
    (['device', 'host', 'paths', 'tags'] as const).map((field) => {
      if (!groupBy.includes(field)) return undefined
      if (field === 'device') return snapshot.known.maker
      if (field === 'paths')
        return isOfDevice || root === undefined ? snapshot.source : root.paths.map(toHex).sort()
      if (field === 'host') return root?.host
      return [...(root?.tags ?? [])].sort()
    }),
  )
}

function selectOfGroup(
  group: readonly RankedSnapshot[],
  { rules, groupBy }: SelectionOptions,
  facts: SelectionFacts,
): SelectedGroup {
  const left = group.flatMap((snapshot): KeptSnapshot[] => {
    const reason = facts.reasonToLeave(snapshot)
    return reason === undefined ? [] : [{ snapshot, matches: [reason] }]
  })
  const known = new Set(left.map(({ snapshot }) => snapshot))
  const byId = new Map(group.flatMap((one) => (known.has(one) ? [] : [[idOf(one), one]])))
  const { keep, forget, isRefused } = applyRules(
    [...byId].map(([id, one]) => candidateOf(id, one, facts)),
    rules,
  )
  const kept = keep.flatMap(({ id, matches }) => keptOf(byId.get(id), matches))
  const remove = forget.flatMap((id) => byId.get(id) ?? [])
  const first = (kept[0]?.snapshot ?? remove[0] ?? group.at(-1)) as RankedSnapshot
  const stopped = isRefused ? 'the rules would keep nothing of it' : suspicionWithin(group, facts)
  if (stopped === undefined || (remove.length === 0 && !isRefused)) {
    return { groupBy, first, keep: newestFirst([...kept, ...left]), remove }
  }
  const spared = remove.map((snapshot) => ({ snapshot, matches: ['retention stands still'] }))
  return { groupBy, first, keep: newestFirst([...kept, ...left, ...spared]), remove: [], stopped }
}

/** One device under suspicion stops a group: what it made may push out what others did. What it only brought back may not. */
function suspicionWithin(group: readonly RankedSnapshot[], facts: SelectionFacts): string | undefined {
  const made = group.filter(({ owner, known }) => owner === known.maker)
  for (const device of new Set(made.map(({ owner }) => owner))) {
    const reason = facts.suspicionOf(device)
    if (reason !== undefined) return reason
  }
  return undefined
}

function candidateOf(id: string, snapshot: RankedSnapshot, facts: SelectionFacts): Candidate {
  const { root } = snapshot.known
  return {
    id,
    timeMs: snapshot.timeMs,
    order: snapshot.order,
    tags: root?.tags ?? [],
    offsetMinutes: root?.offsetMinutes ?? 0,
    protections: facts.protectionsOf(snapshot),
  }
}

function keptOf(snapshot: RankedSnapshot | undefined, matches: readonly string[]): KeptSnapshot[] {
  return snapshot === undefined ? [] : [{ snapshot, matches }]
}

function idOf({ owner, root }: RankedSnapshot): string {
  return `${root}/${owner}`
}

function newestFirst(kept: readonly KeptSnapshot[]): KeptSnapshot[] {
  return [...kept].sort(
    (a, b) => b.snapshot.timeMs - a.snapshot.timeMs || b.snapshot.order - a.snapshot.order,
  )
}
