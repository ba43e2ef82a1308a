/**
 * Lets go of the pages of mapped tables (index.md §3). LevelDB maps its tables whole, and one look-up makes as much as
 * 64 KiB of one resident: after a thousand of them the index of a million chunks is in memory. The pages are those of
 * files that are only read, so that they come back, mostly from the system's own memory, when they are looked at again.
 */

/** Bytes that one look at a table makes resident at most (Linux maps what lies around it, in sixteens of pages). */
export const bytesPerLook = 64 * 1024

/** A map whose tables are mapped. */
export interface MappedTables {
  /** Calls `step` with the paths of tables, none of which is unmapped before it returns. */
  whilePinned(step: (paths: readonly string[]) => void): void
}

/** How pages are let go of. */
export interface MappedPagesOptions {
  /** Lets go of what is resident of these files. */
  readonly drop: (paths: ReadonlySet<string>) => void
  /** So many looks at tables, and the pages are let go of; asked each time. @defaultValue only when told to */
  readonly looksMax?: () => number
}

/** The mapped tables of a process, all together. */
export class MappedPages {
  readonly #options: MappedPagesOptions
  readonly #joined = new Set<MappedTables>()
  #looks = 0

  constructor(options: MappedPagesOptions) {
    this.#options = options
  }

  /** Looks since pages were last let go of. */
  get looks(): number {
    return this.#looks
  }

  /** A map is open. @returns ends it */
  join(tables: MappedTables): () => void {
    this.#joined.add(tables)
    return () => this.#joined.delete(tables)
  }

  /** Tables were looked at so often. */
  looked(count: number): void {
    this.#looks += count
    if (this.#looks >= (this.#options.looksMax?.() ?? Infinity)) this.release()
  }

  /** Lets go of all pages. */
  release(): void {
    this.#looks = 0
    for (const tables of this.#joined) {
      tables.whilePinned((paths) => {
        this.#options.drop(new Set(paths))
      })
    }
  }
}
