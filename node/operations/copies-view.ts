/** `copies`: who has which snapshot, and what the loss of each device would mean (spec/activity.md §4). */

import { CellarError, type DeviceId, machinesOf, type RootId } from '../../protocol/index.ts'
import { type CopiesOf, lossesOf, standsOn } from '../activity/loss.ts'
import type { CopiesParams, CopiesView, DeviceLoss, SnapshotCopies } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { pathDisplay, pathText } from '../path-text.ts'
import { EVERY, type KnownSnapshot } from '../snapshots.ts'
import { isThin } from '../thin/thin.ts'
import { isSafe, trustedCopies } from './copies.ts'
import { findDevice } from './devices.ts'
import { recoveryInfo } from './recovery.ts'

/** One snapshot, and who has it. */
interface Counted extends CopiesOf {
  readonly snapshot: KnownSnapshot
  readonly doubted: readonly DeviceId[]
}

/** Counts, see `Methods.copies`. @throws {CellarError} `DEVICE_NOT_FOUND`, `USAGE` */
export function readCopies(parts: NodeParts, params: CopiesParams): CopiesView {
  const counted = countAll(parts)
  const device = params.device === undefined ? undefined : findDevice(parts, params.device).device
  const storing = storingOf(parts)
  const fitting = counted.filter(
    (one) =>
      (device === undefined || standsOn(one, device, storing)) &&
      (!params.incomplete || !isSafe(parts, one.root)),
  )
  const from = params.after === undefined ? 0 : behind(fitting, params.after)
  const page = fitting.slice(from, from + params.limit)
  const last = page.at(-1)
  const isMore = last !== undefined && from + page.length < fitting.length
  return {
    devices: describeLosses(parts, counted, storing),
    snapshots: page.map((one) => describe(parts, one)),
    total: fitting.length,
    ...(isMore && { next: cursorOf(last) }),
    paper: recoveryInfo(parts).opens,
  }
}

/** Every live snapshot once, the newest first. */
function countAll(parts: NodeParts): Counted[] {
  const { ledger, store, signer, watching } = parts
  const isHere = !isThin(ledger.membership, signer.device)
  const seen = new Set<RootId>()
  const counted: Counted[] = []
  for (const snapshot of parts.snapshots.list(EVERY).reverse()) {
    const { root } = snapshot.live
    if (seen.has(root)) continue
    seen.add(root)
    const { holders: trusted, missing, goal } = trustedCopies(parts, root)
    // What this device holds counts before it has been announced.
    const isUnsaid = isHere && store.isHeld(root) && !trusted.includes(signer.device)
    const holders = isUnsaid ? [...trusted, signer.device] : trusted
    const doubted = watching.doubts.isEmpty
      ? []
      : ledger.copies(root).holders.filter((device) => watching.doubts.has(device, root))
    counted.push({
      ...{ snapshot, root, holders, doubted, goal },
      missing: isUnsaid ? missing.filter((device) => device !== signer.device) : missing,
      // Who made it has it, or most of it, before anybody says so.
      owner: snapshot.maker,
      bytes: snapshot.root?.stats.bytesStored,
    })
  }
  return counted
}

function storingOf({ ledger }: NodeParts): ReadonlySet<DeviceId> {
  const storing = machinesOf(ledger.membership).filter(({ capabilities }) => capabilities.has('store'))
  return new Set(storing.map(({ device }) => device))
}

function describeLosses(
  parts: NodeParts,
  counted: readonly Counted[],
  storing: ReadonlySet<DeviceId>,
): DeviceLoss[] {
  const { ledger, signer } = parts
  const machines = machinesOf(ledger.membership)
  const losses = lossesOf(
    counted,
    machines.map(({ device }) => device),
    storing,
  )
  const readers = machines.filter(({ capabilities }) => capabilities.has('read')).length
  const connected = new Set(parts.connected()?.network.connected() ?? [])
  const described = machines.flatMap(({ device, name, capabilities }): DeviceLoss[] => {
    const loss = losses.get(device)
    if (loss === undefined) return []
    const { lostBytes, missingBytes, oneLeft, tooFew, waitsFor, holds, lost } = loss
    const self = device === signer.device
    const seenMs = ledger.headOf(device)?.head.atMs
    return [
      {
        ...{ device, name, self, holds, lost },
        connected: self || connected.has(device),
        ...(seenMs !== undefined && { last_seen: timeText(seenMs) }),
        one_left: oneLeft,
        too_few: tooFew,
        ...(lostBytes !== undefined && { lost_bytes: lostBytes }),
        readers_left: readers - (capabilities.has('read') ? 1 : 0),
        waits_for: waitsFor,
        ...(missingBytes !== undefined && { missing_bytes: missingBytes }),
      },
    ]
  })
  return described.sort(
    (a, b) =>
      b.lost - a.lost || b.one_left - a.one_left || b.too_few - a.too_few || (a.name < b.name ? -1 : 1),
  )
}

function describe({ ledger }: NodeParts, one: Counted): SnapshotCopies {
  const names = (devices: readonly DeviceId[]) => devices.map((device) => ledger.nameOf(device))
  const { snapshot, root, holders, missing, doubted, goal, bytes } = one
  return {
    id: root,
    short_id: root.slice(0, 8),
    time: timeText(snapshot.timeMs),
    device_name: ledger.nameOf(snapshot.maker),
    paths: (snapshot.root?.paths ?? []).map((path) => pathDisplay(pathText(path))),
    holders: names(holders),
    doubted: names(doubted),
    missing: names(missing),
    copies: holders.length,
    copies_wanted: goal,
    ...(bytes !== undefined && { bytes, missing_bytes: bytes * missing.length }),
  }
}

/** Names a place in the list that stays one when snapshots come and go. */
function cursorOf({ snapshot, root }: Counted): string {
  return `${String(snapshot.timeMs)}.${root}`
}

/** The first of the list that comes behind a place. @throws {CellarError} `USAGE` */
function behind(list: readonly Counted[], cursor: string): number {
  const [, time, root] = /^(-?[0-9]{1,16})\.([0-9a-f]{64})$/.exec(cursor) ?? []
  if (time === undefined || root === undefined)
    throw new CellarError('USAGE', 'after is not what an answer gave as next', { parameter: 'after' })
  const at = list.findIndex(
    ({ snapshot, root: other }) =>
      snapshot.timeMs < Number(time) || (snapshot.timeMs === Number(time) && other < root),
  )
  return at < 0 ? list.length : at
}

/** What a device claims may be no date at all. */
function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}
