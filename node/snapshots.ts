/** The live snapshots as people see them: found by id, `latest`, device, path and tag (cli.md "SNAPSHOT"). */

import {
  CellarError,
  type DeviceId,
  decodeRoot,
  isCellarError,
  chunkHeader,
  type LiveRoot,
  makerOf,
  type RootId,
  type SnapshotRoot,
  toHex,
} from '../protocol/index.ts'
import type { Catalog, ChunkStore } from '../storage/index.ts'
import type { SnapshotFilter } from './api.ts'
import type { Ledger } from './ledger/ledger.ts'
import { type PathText, pathBytes } from './path-text.ts'
import type { Vault } from './vault.ts'

/** Root chunks kept in memory, opened. */
const openedMax = 10_000

/** A live root, and what its root chunk says where that can be read here. */
export interface KnownSnapshot {
  readonly live: LiveRoot
  /** Whose it is: who brought it back announced it anew, and did not make it. */
  readonly maker: DeviceId
  /** Milliseconds since 1970: what the snapshot claims, else when this node first saw it. */
  readonly timeMs: number
  /** Undefined on a device that may not read, and while the root chunk has not come yet. */
  readonly root: SnapshotRoot | undefined
}

/** A snapshot someone named, with the path behind the colon. */
export interface ResolvedSnapshot {
  readonly snapshot: KnownSnapshot
  /** Raw bytes; undefined when none was given. */
  readonly path: Uint8Array | undefined
}

/** What this room stands on. */
export interface SnapshotsParts {
  readonly ledger: Ledger
  readonly store: ChunkStore
  /** Root chunks of live snapshots that are not in the store: enough to list them. */
  readonly cache: Catalog
  /** What opens root chunks now; undefined on a device that may not read. */
  readonly vault: () => Vault | undefined
}

/** Finds live snapshots and opens their root chunks. */
export class Snapshots {
  readonly #parts: SnapshotsParts
  readonly #opened = new Map<RootId, SnapshotRoot>()

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
  }

  /** Live roots whose root chunk is neither in the store nor in the cache. */
  unseen(): LiveRoot[] {
    const { ledger, store, cache } = this.#parts
    return ledger.live().filter((live) => !store.has(live.root) && cache.get(live.root) === undefined)
  }

  /** Keeps a root chunk for listing; checked by whoever fetched it. */
  async remember(root: RootId, bytes: Uint8Array): Promise<void> {
    await this.#parts.cache.batch([{ type: 'put', key: root, value: bytes }], { durable: false })
  }

  /** All live snapshots that fit, the oldest first. */
  list(filter: SnapshotFilter): KnownSnapshot[] {
    const known = this.#parts.ledger.live().map((live) => this.#know(live))
    return known
      .filter((snapshot) => this.#fits(snapshot, filter))
      .sort((a, b) => a.timeMs - b.timeMs || (a.live.root < b.live.root ? -1 : 1))
  }

  /**
   * Finds the one snapshot a text means: `ID`, `latest`, with `:PATH` behind it.
   *
   * @throws {CellarError} `SNAPSHOT_NOT_FOUND`, `SNAPSHOT_AMBIGUOUS`, `USAGE`
   */
  resolve(choice: PathText, filter: SnapshotFilter): ResolvedSnapshot {
    const { name, path } = splitChoice(pathBytes(choice))
    if (name === 'latest') {
      const newest = this.list(filter).at(-1)
      if (newest === undefined) throw new CellarError('SNAPSHOT_NOT_FOUND', 'there is no snapshot that fits')
      return { snapshot: newest, path }
    }
    if (!/^[0-9a-f]{1,64}$/.test(name))
      throw new CellarError('USAGE', `"${name}" is neither "latest" nor the beginning of a snapshot id`)
    const fitting = this.list(EVERY).filter((snapshot) => snapshot.live.root.startsWith(name))
    const roots = new Set(fitting.map((snapshot) => snapshot.live.root))
    if (roots.size > 1)
      throw new CellarError('SNAPSHOT_AMBIGUOUS', `${String(roots.size)} snapshots begin with ${name}`, {
        prefix: name,
      })
    const snapshot = fitting[0]
    if (snapshot === undefined)
      throw new CellarError('SNAPSHOT_NOT_FOUND', `no snapshot begins with ${name}`, { prefix: name })
    return { snapshot, path }
  }

  /** The snapshots named by ids or `latest`, or all that fit when none is named. */
  choose(names: readonly string[], filter: SnapshotFilter): KnownSnapshot[] {
    return names.length === 0
      ? once(this.list(filter))
      : names.map((name) => this.resolve(name, filter).snapshot)
  }

  /** Opens a root chunk that is in the store or the cache. */
  open(root: RootId): SnapshotRoot | undefined {
    const known = this.#opened.get(root)
    if (known !== undefined) return known
    const vault = this.#parts.vault()
    const bytes = this.#bytes(root)
    if (bytes === undefined || vault === undefined) return undefined
    const opened = decodeRoot(vault.open(bytes).raw, chunkHeader(bytes).links)
    if (this.#opened.size >= openedMax) this.#opened.clear()
    this.#opened.set(root, opened)
    return opened
  }

  /** Whose snapshot was announced, see {@link KnownSnapshot.maker}. */
  makerOf(announced: Pick<LiveRoot, 'root' | 'owner'>): DeviceId {
    const { ledger } = this.#parts
    return makerOf(ledger.view, ledger.membership, announced, {
      sealed: this.#openOrNothing(announced.root)?.device,
      announcedAtMs: (dot) => ledger.announcedAtMs(dot),
    })
  }

  #know(live: LiveRoot): KnownSnapshot {
    const root = this.#openOrNothing(live.root)
    const timeMs =
      root === undefined ? this.#parts.ledger.firstSeenMs(live.root) : Number(root.timeNs / 1_000_000n)
    return { live, maker: this.makerOf(live), timeMs, root }
  }

  /** A root of another vault, or a bad chunk, must not hide the other snapshots; `check` tells of it. */
  #openOrNothing(root: RootId): SnapshotRoot | undefined {
    try {
      return this.open(root)
    } catch (error) {
      if (isCellarError(error)) return undefined
      throw error
    }
  }

  #bytes(root: RootId): Uint8Array | undefined {
    const { store, cache } = this.#parts
    return store.has(root) ? store.get(root) : cache.get(root)
  }

  #fits(snapshot: KnownSnapshot, filter: SnapshotFilter): boolean {
    const { maker, root } = snapshot
    if (filter.devices.length > 0 && !filter.devices.some((text) => this.#isDevice(maker, text))) return false
    if (filter.paths.length > 0) {
      const paths = (root?.paths ?? []).map(toHex)
      if (!filter.paths.every((path) => paths.includes(toHex(pathBytes(path))))) return false
    }
    if (filter.tags.length === 0) return true
    const tags = root?.tags ?? []
    return filter.tags.some((list) =>
      list.every((tag) => (tag === '' ? tags.length === 0 : tags.includes(tag))),
    )
  }

  #isDevice(device: DeviceId, text: string): boolean {
    return (
      device === text ||
      this.#parts.ledger.nameOf(device) === text ||
      (text.length >= 8 && device.startsWith(text))
    )
  }
}

/** A filter that everything fits. */
export const EVERY: SnapshotFilter = { devices: [], paths: [], tags: [] }

/** A root that was announced more than once is one snapshot. */
function once(snapshots: readonly KnownSnapshot[]): KnownSnapshot[] {
  const seen = new Set<RootId>()
  return snapshots.filter(({ live }) => !seen.has(live.root) && seen.add(live.root))
}

function splitChoice(choice: Uint8Array): { name: string; path: Uint8Array | undefined } {
  const colon = choice.indexOf(0x3a)
  const name = Buffer.from(colon < 0 ? choice : choice.subarray(0, colon)).toString('latin1')
  return { name, path: colon < 0 ? undefined : choice.subarray(colon + 1) }
}
