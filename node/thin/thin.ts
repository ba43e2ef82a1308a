/** Which device is thin, and what it keeps (spec/thin.md). */

import {
  compareDots,
  type DeviceId,
  type LiveRoot,
  memberNow,
  type Membership,
  type RootId,
} from '../../protocol/index.ts'

/**
 * A device that leans and is not asked to store: it keeps what nobody else has yet, and the trees of its newest
 * snapshots.
 */
export function isThin(membership: Membership, device: DeviceId): boolean {
  const capabilities = memberNow(membership, device)?.capabilities
  return capabilities?.has('lean') === true && !capabilities.has('store')
}

/** Of each source of its own a thin device keeps the trees of so many snapshots: what it compares with, and browses. */
export const treesKeptPerSource = 3

/**
 * The newest snapshots of each source of a device.
 *
 * @param seenMs - when this device first saw a root: what is announced anew after a forget is no younger for it
 */
export function newestOfEachSource(
  live: readonly LiveRoot[],
  device: DeviceId,
  count: number,
  seenMs: (root: RootId) => number,
): ReadonlySet<RootId> {
  const bySource = new Map<string, LiveRoot[]>()
  for (const one of live) {
    if (one.owner !== device) continue
    const source = Buffer.from(one.source).toString('hex')
    const others = bySource.get(source)
    if (others === undefined) bySource.set(source, [one])
    else others.push(one)
  }
  const newest = new Set<RootId>()
  for (const own of bySource.values()) {
    own.sort((a, b) => seenMs(b.root) - seenMs(a.root) || compareDots(b.dot, a.dot))
    for (const { root } of own.slice(0, count)) newest.add(root)
  }
  return newest
}
