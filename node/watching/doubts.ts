/** Copies that a device says it has and could not prove: remembered until it can (spec/watching.md §3). */

import type { ChunkId, DeviceId, RootId } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'

/** Chunks remembered of one doubt: enough to ask for again. */
const lackingMax = 32

/** What could not be proven. Kept on disk: a restart makes no copy good. */
export class Doubts {
  readonly #catalog: Catalog
  readonly #lacking: Map<string, readonly ChunkId[]>

  private constructor(catalog: Catalog, lacking: Map<string, readonly ChunkId[]>) {
    this.#catalog = catalog
    this.#lacking = lacking
  }

  /**
   * Reads what was doubted before.
   *
   * @param catalog - of doubts alone
   */
  static async open(catalog: Catalog): Promise<Doubts> {
    const lacking = new Map<string, readonly ChunkId[]>()
    for await (const [key, value] of catalog.iterate())
      lacking.set(key, JSON.parse(Buffer.from(value).toString()) as ChunkId[])
    return new Doubts(catalog, lacking)
  }

  /** Whether nothing is doubted: then nobody needs to be asked. */
  get isEmpty(): boolean {
    return this.#lacking.size === 0
  }

  /** Whether a device could not prove that it has a root, and has not proven it since. */
  has(device: DeviceId, root: RootId): boolean {
    return this.#lacking.has(keyOf(device, root))
  }

  /** The chunks that it could not prove, the first of them; empty when nothing is doubted. */
  lacking(device: DeviceId, root: RootId): readonly ChunkId[] {
    return this.#lacking.get(keyOf(device, root)) ?? []
  }

  /** Every doubt. */
  all(): { readonly device: DeviceId; readonly root: RootId }[] {
    return [...this.#lacking.keys()].map((key) => {
      const [device = '', root = ''] = key.split('/')
      return { device: device as DeviceId, root: root as RootId }
    })
  }

  /** Notes what could not be proven; nothing: it was proven. Durable once it resolves. */
  async note(device: DeviceId, root: RootId, lacking: readonly ChunkId[]): Promise<void> {
    const key = keyOf(device, root)
    if (lacking.length === 0) {
      if (!this.#lacking.delete(key)) return
      await this.#catalog.batch([{ type: 'del', key }], { durable: true })
      return
    }
    const kept = lacking.slice(0, lackingMax)
    this.#lacking.set(key, kept)
    await this.#catalog.batch([{ type: 'put', key, value: Buffer.from(JSON.stringify(kept)) }], {
      durable: true,
    })
  }

  /** Forgets doubts that are about nothing any more: the device no longer says that it holds the root. */
  async keepOnly(isSaid: (device: DeviceId, root: RootId) => boolean): Promise<void> {
    for (const { device, root } of this.all()) if (!isSaid(device, root)) await this.note(device, root, [])
  }
}

function keyOf(device: DeviceId, root: RootId): string {
  return `${device}/${root}`
}
