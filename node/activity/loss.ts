/** What it would mean if a device were gone at this moment (spec/activity.md §4): pure. */

import type { DeviceId, RootId } from '../../protocol/index.ts'

/** Who has one snapshot. */
export interface CopiesOf {
  readonly root: RootId
  /** Who made it. */
  readonly owner: DeviceId
  /** Devices that have it, and are trusted to. */
  readonly holders: readonly DeviceId[]
  /** Devices that should have it, and do not yet. */
  readonly missing: readonly DeviceId[]
  /** How many should. */
  readonly goal: number
  /** What its backup added to the store; undefined where that cannot be read. */
  readonly bytes: number | undefined
}

/** Counts of snapshots, and bytes; undefined where no size is known of any. */
export interface Loss {
  holds: number
  lost: number
  oneLeft: number
  tooFew: number
  lostBytes: number | undefined
  waitsFor: number
  missingBytes: number | undefined
}

/** Who has a snapshot: while nobody says so, whoever made it. */
function placesOf({ holders, owner }: CopiesOf): readonly DeviceId[] {
  return holders.length === 0 ? [owner] : holders
}

/** How many copies can be asked for once a device is gone. */
function askedFor(goal: number, device: DeviceId, storing: ReadonlySet<DeviceId>): number {
  return Math.min(goal, storing.size - (storing.has(device) ? 1 : 0))
}

/** Whether a snapshot would be gone, or have too few copies, without a device. */
export function standsOn(copies: CopiesOf, device: DeviceId, storing: ReadonlySet<DeviceId>): boolean {
  const places = placesOf(copies)
  if (!places.includes(device)) return false
  const left = places.length - 1
  return left === 0 || left < askedFor(copies.goal, device, storing)
}

/**
 * Counts for every device. What nobody is known to have counts with whoever made it.
 *
 * @param storing - devices that store
 */
export function lossesOf(
  all: readonly CopiesOf[],
  devices: readonly DeviceId[],
  storing: ReadonlySet<DeviceId>,
): ReadonlyMap<DeviceId, Loss> {
  const losses = new Map<DeviceId, Loss>(devices.map((device) => [device, nothing()]))
  for (const copies of all) {
    const { missing, holders, goal, bytes } = copies
    const places = placesOf(copies)
    const left = places.length - 1
    for (const device of places) {
      const loss = losses.get(device)
      if (loss === undefined) continue
      if (holders.length > 0) loss.holds++
      if (left === 0) {
        loss.lost++
        loss.lostBytes = plus(loss.lostBytes, bytes)
        continue
      }
      if (left === 1) loss.oneLeft++
      if (left < askedFor(goal, device, storing)) loss.tooFew++
    }
    for (const device of missing) {
      const loss = losses.get(device)
      if (loss === undefined) continue
      loss.waitsFor++
      loss.missingBytes = plus(loss.missingBytes, bytes)
    }
  }
  return losses
}

function nothing(): Loss {
  return {
    ...{ holds: 0, lost: 0, oneLeft: 0, tooFew: 0, waitsFor: 0 },
    ...{ lostBytes: undefined, missingBytes: undefined },
  }
}

function plus(sum: number | undefined, bytes: number | undefined): number | undefined {
  return bytes === undefined ? sum : (sum ?? 0) + bytes
}
