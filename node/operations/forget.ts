/** `forget`: signs that snapshots are not wanted any more, by their ids or by rules (spec/deletion.md §1). */

import {
  CellarError,
  checkRules,
  type Dot,
  type ForgetReason,
  isCellarError,
  type RootId,
} from '../../protocol/index.ts'
import type {
  CallContext,
  ForgetGroup,
  ForgetParams,
  Forgotten,
  GroupField,
  Refused,
  RetentionRules,
  SnapshotFilter,
} from '../api.ts'
import { rankSnapshots, type RankedSnapshot } from '../deletion/candidates.ts'
import { protectionFacts } from '../deletion/protection.ts'
import { GROUP_BY_DEFAULT, selectByRules, type SelectedGroup } from '../deletion/selection.ts'
import { judgeAll } from '../deletion/suspicion.ts'
import type { NodeParts } from '../parts.ts'
import { pathDisplay, pathText } from '../path-text.ts'
import type { KnownSnapshot } from '../snapshots.ts'
import { needCapability } from './entitled.ts'
import { snapshotInfo } from './look.ts'
import { isOfProfile, profileOf } from './profile-snapshots.ts'
import { refusedOf } from './refused.ts'
import { fetchRootChunks, hearNews } from './sources.ts'

/** Forgets, see `Methods.forget`. @throws {CellarError} `NOT_ENTITLED`, `USAGE` */
export async function runForget(
  parts: NodeParts,
  params: ForgetParams,
  context: CallContext<'forget'>,
): Promise<Forgotten> {
  needCapability(parts, 'forget', 'only adds snapshots, and forgets none')
  if (params.snapshots.length > 0 && params.rules !== undefined)
    throw new CellarError('USAGE', 'give either snapshots or rules: rules decide by themselves what goes')
  if (params.profile !== undefined)
    return await forgetOfProfile(parts, params.profile, params, context.signal)
  if (params.rules !== undefined) return await forgetByRules(parts, params.rules, params, context.signal)
  if (params.snapshots.length === 0)
    throw new CellarError('USAGE', 'say what to forget: snapshots, or rules of what to keep')
  return await forgetByName(parts, params, context.signal)
}

async function forgetByName(parts: NodeParts, params: ForgetParams, signal: AbortSignal): Promise<Forgotten> {
  const refused: Refused[] = []
  const found = new Set<RootId>()
  await fetchRootChunks(parts, signal)
  let hasHeard = false
  for (const snapshot of params.snapshots) {
    try {
      let root = findRoot(parts, snapshot, params.filter)
      if (root === undefined && !hasHeard) {
        // It may be one that this device has not heard of.
        await hearNews(parts, signal)
        await fetchRootChunks(parts, signal)
        hasHeard = true
        root = findRoot(parts, snapshot, params.filter)
      }
      if (root === undefined)
        throw new CellarError('SNAPSHOT_NOT_FOUND', `no snapshot begins with ${snapshot}`)
      found.add(root)
    } catch (error) {
      if (!isCellarError(error) || signal.aborted) throw error
      refused.push(refusedOf(snapshot, error))
    }
  }
  // A person means the snapshot, whoever announced it and how often.
  const live = parts.ledger.live().filter(({ root }) => found.has(root))
  if (!params.dryRun) await sign(parts, live, 'person')
  return {
    message_type: 'forgotten',
    dry_run: params.dryRun,
    groups: [],
    snapshot_ids: [...found],
    refused,
    waits_for_contact: waitsForContact(parts, [...found]),
  }
}

/** The live snapshot that a text means; undefined when none does. @throws {CellarError} as `resolve`, but for that */
function findRoot(parts: NodeParts, text: string, filter: SnapshotFilter): RootId | undefined {
  if (text.includes(':'))
    throw new CellarError('USAGE', `"${text}" has a path: snapshots are forgotten whole`)
  try {
    return parts.snapshots.resolve(text, filter).snapshot.live.root
  } catch (error) {
    if (!isCellarError(error, 'SNAPSHOT_NOT_FOUND')) throw error
    if (!parts.ledger.dead().some(({ root }) => root.startsWith(text))) return undefined
    throw new CellarError('SNAPSHOT_NOT_FOUND', `snapshot ${text} is forgotten already: see cellar trash`)
  }
}

async function forgetOfProfile(
  parts: NodeParts,
  name: string,
  params: ForgetParams,
  signal: AbortSignal,
): Promise<Forgotten> {
  if (params.snapshots.length > 0)
    throw new CellarError(
      'USAGE',
      'give either snapshots or a profile: its rules decide by themselves what goes',
    )
  const profile = profileOf(parts, name)
  const rules = params.rules ?? profile.retention ?? parts.config.retention?.rules
  if (rules === undefined)
    throw new CellarError(
      'USAGE',
      `neither profile ${name} nor [retention] has rules: give some, or write them there`,
    )
  return await forgetByRules(parts, rules, params, signal, isOfProfile(parts, profile))
}

async function forgetByRules(
  parts: NodeParts,
  rules: RetentionRules,
  params: ForgetParams,
  signal: AbortSignal,
  among?: RetentionRequest['among'],
): Promise<Forgotten> {
  const { groups, gone } = await applyRetention(parts, { ...params, rules, ...(among && { among }) }, signal)
  return {
    message_type: 'forgotten',
    dry_run: params.dryRun,
    groups: groups.map((group) => groupInfo(parts, group)),
    snapshot_ids: gone,
    refused: [],
    waits_for_contact: waitsForContact(parts, gone),
  }
}

/** What rules are applied to. */
export interface RetentionRequest {
  readonly rules: RetentionRules
  readonly filter: SnapshotFilter
  readonly groupBy?: readonly GroupField[]
  readonly dryRun: boolean
  /** Left out: all that fit. */
  readonly among?: (snapshot: KnownSnapshot) => boolean
}

/** What rules came to. */
export interface RetentionOutcome {
  readonly groups: readonly SelectedGroup[]
  /** Those that live no more, or would not. */
  readonly gone: readonly RootId[]
}

/**
 * Applies rules and signs what they do not keep, unless `dryRun`. What is new is judged first (R14): so a device that
 * has never run a node before does not forget by the rules of yesterday what was destroyed today.
 *
 * @throws {CellarError} `USAGE` when the rules cannot be applied, or not on this device
 */
export async function applyRetention(
  parts: NodeParts,
  request: RetentionRequest,
  signal: AbortSignal,
): Promise<RetentionOutcome> {
  checkRules(request.rules)
  const groupBy = request.groupBy ?? GROUP_BY_DEFAULT
  if (parts.vault === undefined) checkReadable(parts, request.rules, groupBy)
  await fetchRootChunks(parts, signal)
  await judgeAll(parts, signal)
  const chosen = parts.snapshots.list(request.filter).filter(request.among ?? (() => true))
  const options = { rules: request.rules, groupBy }
  const groups = selectByRules(rankSnapshots(parts, chosen), options, protectionFacts(parts))
  const removed = groups.flatMap(({ remove }) => remove)
  const forgets = removed.flatMap(({ root, dots }) => dots.map((dot) => ({ root, dot })))
  const gone = rootsGone(parts, forgets)
  if (!request.dryRun) await sign(parts, forgets, 'retention')
  return { groups, gone }
}

/** A device without keys knows whose a snapshot is and of which source, and nothing that is sealed. */
function checkReadable(parts: NodeParts, rules: RetentionRules, groupBy: readonly GroupField[]): void {
  const { name } = parts.ledger.self
  if (rules.tags !== undefined)
    throw new CellarError('USAGE', `${name} reads no snapshot, so it cannot tell which have a tag`)
  if (groupBy.includes('host') || groupBy.includes('tags'))
    throw new CellarError('USAGE', `${name} reads no snapshot: group by device and paths`)
}

/** The roots of which no announcement is left. */
function rootsGone(parts: NodeParts, forgets: readonly { root: RootId; dot: Dot }[]): RootId[] {
  const left = new Map<RootId, number>()
  for (const { root } of parts.ledger.live()) left.set(root, (left.get(root) ?? 0) + 1)
  for (const { root } of forgets) left.set(root, (left.get(root) ?? 0) - 1)
  return [...new Set(forgets.map(({ root }) => root))].filter((root) => left.get(root) === 0)
}

async function sign(
  parts: NodeParts,
  forgets: readonly { readonly root: RootId; readonly dot: Dot }[],
  reason: ForgetReason,
): Promise<void> {
  if (forgets.length === 0) return
  await parts.ledger.forget(forgets.map(({ root, dot }) => ({ root, dot, reason })))
  await parts.publish()
}

/** R11: nothing is signed before a peer was asked, unless there is nobody to ask. */
function waitsForContact(parts: NodeParts, forgotten: readonly RootId[]): boolean {
  const waiting = new Set(parts.ledger.dead().flatMap(({ root, isSigned }) => (isSigned ? [] : [root])))
  return forgotten.some((root) => waiting.has(root))
}

function groupInfo(parts: NodeParts, group: SelectedGroup): ForgetGroup {
  const { first, groupBy } = group
  const { root } = first.known
  const keep = group.keep.map(({ snapshot, matches }) => ({ snapshot: infoOf(parts, snapshot), matches }))
  return {
    ...(groupBy.includes('device') && { device: parts.ledger.nameOf(first.known.maker) }),
    ...(groupBy.includes('host') && { host: root?.host ?? '' }),
    ...(groupBy.includes('paths') && {
      paths: (root?.paths ?? []).map((path) => pathDisplay(pathText(path))),
    }),
    ...(groupBy.includes('tags') && { tags: root?.tags ?? [] }),
    keep: keep.map(({ snapshot }) => snapshot),
    remove: group.remove.map((snapshot) => infoOf(parts, snapshot)),
    reasons: keep,
    ...(group.stopped !== undefined && { stopped: group.stopped }),
  }
}

/** A device that cannot read a snapshot shows by which time its rules went. */
function infoOf(parts: NodeParts, { known, timeMs }: RankedSnapshot) {
  const isDated = known.root === undefined && Number.isFinite(timeMs)
  return snapshotInfo(parts, isDated ? { ...known, timeMs } : known)
}
