/** Names of devices: for people, so they must differ (protocol/spec/membership.md M3.7). Pure. */

import type { DeviceId, Membership } from '../../protocol/index.ts'

/**
 * The name wished for, or with a number behind when another device has it: a second "laptop" is "laptop-2". What a
 * removed device was called is free: the machine that comes in its place may be called the same.
 */
export function freeName(membership: Membership, device: DeviceId, wished: string): string {
  const taken = new Set(
    [...membership.members.values()]
      .filter((member) => member.device !== device && member.removedEpoch === undefined)
      .map(({ name }) => name),
  )
  if (!taken.has(wished)) return wished
  for (let n = 2; ; n++) {
    const other = `${wished}-${String(n)}`
    if (!taken.has(other)) return other
  }
}
