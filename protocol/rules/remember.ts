/** Memories of what follows from a view, so that rules may be asked for each root without counting all roots again. */

import type { Membership } from '../membership/types.ts'
import type { View } from './view.ts'

/** What follows from announcements, forgets and membership, by the forgets ({@link View.forgetsMark}). */
export type RootsMemory<T> = WeakMap<object, { adds: readonly object[]; membership: Membership; value: T }>

/** The value for this view; the same as before when a listing said nothing new of announcements and forgets. */
export function rememberRoots<T>(
  memory: RootsMemory<T>,
  view: View,
  membership: Membership,
  make: () => T,
): T {
  const adds = [...view.lanes.values()].map((lane) => lane.adds)
  const known = memory.get(view.forgetsMark)
  const isSame =
    known?.membership === membership &&
    known.adds.length === adds.length &&
    known.adds.every((map, at) => map === adds[at])
  if (isSame) return known.value
  const value = make()
  memory.set(view.forgetsMark, { adds, membership, value })
  return value
}

/** What follows from all of a view, as a device sees it. */
export type ViewMemory<T> = WeakMap<View, { membership: Membership; self: string; value: T }>

/** The value for this view and device. */
export function rememberView<T>(
  memory: ViewMemory<T>,
  view: View,
  membership: Membership,
  self: string,
  make: () => T,
): T {
  const known = memory.get(view)
  if (known?.membership === membership && known.self === self) return known.value
  const value = make()
  memory.set(view, { membership, self, value })
  return value
}
