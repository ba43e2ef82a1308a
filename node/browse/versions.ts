/** The distinct versions of one path, gathered from snapshots the newest first. Pure: what each snapshot has is given. */

import { type Content, type Entry, type RootId, toHex } from '../../protocol/index.ts'

/** Snapshots named by one version; the rest is counted. */
const snapshotsNamedMax = 100

/** A snapshot that has the path, and what it has there. */
export interface Sighting {
  readonly snapshot: RootId
  readonly timeMs: number
  /** Name of the device that made the snapshot. */
  readonly device: string
  readonly entry: Entry
}

/** One version, and where it was seen. */
export interface Version {
  /** As the newest snapshot has it. */
  readonly newest: Sighting
  readonly oldest: Sighting
  /** Newest first, at most 100. */
  readonly snapshots: readonly RootId[]
  readonly count: number
  readonly devices: readonly string[]
}

interface Gathering {
  readonly newest: Sighting
  oldest: Sighting
  readonly snapshots: RootId[]
  count: number
  readonly devices: Set<string>
}

/** Gathers versions; sightings come from the newest snapshot to the oldest. */
export class VersionGatherer {
  readonly #versions: Gathering[] = []
  readonly #byContent = new Map<string, Gathering>()
  readonly #byFacts = new Map<string, Gathering>()

  /** Takes one more sighting; newest first. */
  add(sighting: Sighting): void {
    const [content, facts] = [contentKey(sighting.entry), factsKey(sighting)]
    const known = this.#byContent.get(content) ?? (facts === undefined ? undefined : this.#byFacts.get(facts))
    const { snapshot, device } = sighting
    const version = known ?? {
      newest: sighting,
      oldest: sighting,
      snapshots: [],
      count: 0,
      devices: new Set<string>(),
    }
    if (known === undefined) this.#versions.push(version)
    this.#byContent.set(content, version)
    if (facts !== undefined) this.#byFacts.set(facts, version)
    version.oldest = sighting
    version.count++
    version.devices.add(device)
    if (version.snapshots.length < snapshotsNamedMax) version.snapshots.push(snapshot)
  }

  /** All, in the order of the newest snapshot of each. */
  versions(): Version[] {
    return this.#versions.map(({ devices, ...version }) => ({ ...version, devices: [...devices].sort() }))
  }
}

/** Equal for what is the same: of a directory all that is below, of a file its bytes and when they were written. */
function contentKey(entry: Entry): string {
  const { type, size, mtimeNs, content, holes, target, trees, deviceNumber } = entry
  if (trees !== undefined) return `dir ${trees.join(' ')}`
  return JSON.stringify([
    type,
    size,
    String(mtimeNs),
    content === undefined ? '' : placeOf(content),
    holes?.map(({ offset, length }) => [offset, length]) ?? [],
    target === undefined ? '' : toHex(target),
    deviceNumber === undefined ? [] : [deviceNumber.major, deviceNumber.minor],
  ])
}

/**
 * A small file moves to another bundle when its neighbours change. That it is the same is told by what also tells a
 * backup that a file is unchanged (backup.md §7); where that differs too, a version is told twice rather than hidden.
 */
function factsKey({ device, entry }: Sighting): string | undefined {
  const { size, mtimeNs, ctimeNs, inode, content } = entry
  return content?.kind === 'bundle' ? [size, mtimeNs, ctimeNs, inode, device].join(' ') : undefined
}

function placeOf(content: Content): string {
  if (content.kind === 'file') return content.chunk
  if (content.kind === 'bundle') return `${content.chunk} ${String(content.offset)} ${String(content.length)}`
  return content.chunks.map(({ id, length }) => `${id} ${String(length)}`).join(' ')
}
