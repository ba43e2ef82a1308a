/**
 * A small ordered map from text to bytes, beside the chunks: for what a node remembers (`openCatalog`,
 * `memoryCatalog`).
 */
import { openLevelKeyValue } from './adapters/level-key-value.ts'
import { nodeDisk } from './adapters/node-disk.ts'
import type { KeyValue, KeyValueChange } from './key-value.ts'
import type { MappedPages } from './mapped-pages.ts'
import { memoryKeyValue } from './memory-key-value.ts'
import { Reserve } from './store/reserve.ts'

/** One change of a batch; the value is kept until the batch is done. */
export type CatalogChange =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string }

/** Which keys: all from `gte` (default: the first) up to, not including, `lt` (default: the end), by UTF-8 bytes. */
export interface CatalogRange {
  readonly gte?: string
  readonly lt?: string
}

/** An ordered map from text to bytes. Keys are never empty and hold no NUL. */
export interface Catalog {
  /** The value of a key, fresh. */
  get(key: string): Uint8Array | undefined
  /** The values of many keys, in order. */
  getMany(keys: readonly string[]): (Uint8Array | undefined)[]
  /** Does all changes or none; with `durable` they are on disk once it resolves. @throws {CellarError} `STORE_FULL` */
  batch(changes: readonly CatalogChange[], options: { readonly durable: boolean }): Promise<void>
  /** Entries in the order of their keys, as they were when iteration began. */
  iterate(range?: CatalogRange): AsyncIterable<readonly [key: string, value: Uint8Array]>
  /** A catalog of its own inside this one; closing it does nothing. @param name - 1 .. 64 of a-z, 0-9 and - */
  sub(name: string): Catalog
  /** Closes; idempotent. */
  close(): Promise<void>
}

// A key of the catalog itself is 01 || text; one of a sub is 02 || name || 00 || key there.
const OWN = '\u0001'
const SUB = '\u0002'

class KeyValueCatalog implements Catalog {
  readonly #map: KeyValue
  readonly #prefix: string
  readonly #isOwner: boolean

  constructor(map: KeyValue, prefix: string, isOwner: boolean) {
    this.#map = map
    this.#prefix = prefix
    this.#isOwner = isOwner
  }

  #key(key: string): Uint8Array {
    if (key === '' || key.includes('\0')) throw new TypeError('a catalog key is not empty and holds no NUL')
    return Buffer.from(this.#prefix + OWN + key)
  }

  get(key: string): Uint8Array | undefined {
    return this.#map.get(this.#key(key))
  }

  getMany(keys: readonly string[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.get(key))
  }

  async batch(changes: readonly CatalogChange[], options: { readonly durable: boolean }): Promise<void> {
    const translated = changes.map((change): KeyValueChange => {
      const key = this.#key(change.key)
      return change.type === 'put' ? { type: 'put', key, value: change.value } : { type: 'del', key }
    })
    await this.#map.batch(translated, options.durable)
  }

  async *iterate(range: CatalogRange = {}): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    const from = this.#prefix + OWN
    const gte = Buffer.from(from + (range.gte ?? ''))
    const lt = Buffer.from(range.lt === undefined ? this.#prefix + SUB : from + range.lt)
    const skip = Buffer.byteLength(from)
    for await (const [key, value] of this.#map.iterate({ gte, lt })) {
      yield [Buffer.from(key).toString('utf8', skip), value]
    }
  }

  sub(name: string): Catalog {
    if (!/^[a-z0-9-]{1,64}$/.test(name)) throw new TypeError(`not a name of a catalog: ${name}`)
    return new KeyValueCatalog(this.#map, `${this.#prefix}${SUB}${name}\0`, false)
  }

  async close(): Promise<void> {
    if (this.#isOwner) await this.#map.close()
  }
}

/** Room a catalog sets aside for a full disk: more than LevelDB takes to open. */
const RESERVE_BYTES = 6 * 1024 * 1024

/**
 * Opens the catalog in a directory, made if it is not there. One process at a time. On a full disk it gives up the room
 * that it had set aside, so that it opens all the same.
 *
 * @param options - reserveBytes: room set aside; default 6 MiB, 0 for none. pages: lets go of those of its tables
 * @throws {CellarError} `STORE_IN_USE`, `STORE_FULL`, `STORE_DAMAGED`
 */
export async function openCatalog(
  directory: string,
  options: { readonly reserveBytes?: number; readonly pages?: MappedPages } = {},
): Promise<Catalog> {
  const reserve = new Reserve(nodeDisk(), directory, options.reserveBytes ?? RESERVE_BYTES)
  const map = await openLevelKeyValue(directory, {
    onDiskFull: () => reserve.release(),
    onRelief: () => reserve.restore(),
    ...(options.pages && { pages: options.pages }),
  })
  await reserve.restore()
  return new KeyValueCatalog(map, '', true)
}

/** A catalog in memory, or over a map of one's own, with the same behaviour. */
export function memoryCatalog(map: KeyValue = memoryKeyValue()): Catalog {
  return new KeyValueCatalog(map, '', true)
}
