/** How much is looked at, and what: pure (spec/watching.md §1, §3). */

import type { DeviceId, Random, RootId } from '../../protocol/index.ts'

const dayMs = 86_400_000
/** A machine that was off for longer makes up for so many days, and no more: else a scrub would last for days. */
const daysMax = 7

/**
 * Bytes that a scrub by the schedule is to read.
 *
 * @param percentPerDay - 0.1 .. 100
 * @param packBytes - of the whole store
 * @param sinceMs - since the last one; undefined: there was none, or the clock was set back
 */
export function bytesDue(percentPerDay: number, packBytes: number, sinceMs: number | undefined): number {
  const days = sinceMs === undefined ? 1 : Math.min(daysMax, sinceMs / dayMs)
  return Math.min(packBytes, Math.ceil((packBytes * percentPerDay * days) / 100))
}

/** How long reading has to wait after so many bytes so that it stays within so many KiB a second, milliseconds. */
export function paceMs(bytes: number, limitKib: number | undefined, tookMs: number): number {
  if (limitKib === undefined) return 0
  return Math.max(0, (bytes / (limitKib * 1024)) * 1000 - tookMs)
}

/** A device that is to prove that it has a root. */
export interface AuditTarget {
  readonly device: DeviceId
  readonly root: RootId
}

/** What choosing goes by. */
export interface AuditChoice {
  /** Who can be asked, and what each says it holds of what is whole here, the newest first. */
  readonly held: ReadonlyMap<DeviceId, readonly RootId[]>
  /** What each could not prove before: it is asked again, for that is how a doubt ends. */
  readonly doubted: ReadonlyMap<DeviceId, readonly RootId[]>
  /** Roots asked of one device beside these, 1 or more. */
  readonly rootsEach: number
}

/**
 * Chooses: of each device what is doubted, its newest root, which a person would want first, and others by chance, so
 * that in time each has its turn.
 */
export function chooseAudits({ held, doubted, rootsEach }: AuditChoice, random: Random): AuditTarget[] {
  return [...held].flatMap(([device, roots]) => {
    const chosen = new Set<RootId>((doubted.get(device) ?? []).filter((root) => roots.includes(root)))
    const left = roots.filter((root) => !chosen.has(root))
    for (let drawn = 0; drawn < rootsEach && left.length > 0; drawn++) {
      const at = drawn === 0 ? 0 : draw(random, left.length)
      const [root] = left.splice(at, 1)
      if (root !== undefined) chosen.add(root)
    }
    return [...chosen].map((root) => ({ device, root }))
  })
}

/** A number 0 .. limit - 1. */
export function draw(random: Random, limit: number): number {
  const word = Buffer.from(random.bytes(4)).readUInt32BE(0)
  return Math.floor((word / 2 ** 32) * limit)
}
