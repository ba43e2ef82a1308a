/** What watching remembers from one start to the next: where a scrub stopped, and what came of each kind of look. */

import type { DeviceId, RootId } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import { Serial } from '../serial.ts'

/** Where scrubbing is; counts are of this device, since it keeps count. */
export interface ScrubRecord {
  /** The last pack that was read in the round under way; 0: the round has not begun. */
  readonly pack: number
  /** When the round under way began, milliseconds since 1970; 0 with `pack`. */
  readonly roundStartedMs: number
  /** Bytes that it has read. */
  readonly roundBytes: number
  /** When every pack had been read once more; 0: never yet. */
  readonly lastRoundMs: number
  /** When a part was read last, and how it was going; 0: never yet. */
  readonly lastMs: number
  readonly bytes: number
  readonly bad: number
  readonly mended: number
}

/** What asking for proofs has come to. */
export interface AuditRecord {
  readonly lastMs: number
  readonly proven: number
  readonly failed: number
}

/** The last drill. */
export interface DrillRecord {
  readonly lastMs: number
  /** When one last passed; 0: never yet. */
  readonly lastPassedMs: number
  readonly root: RootId
  readonly from: readonly DeviceId[]
  readonly files: number
  readonly bytes: number
  readonly compared: number
  readonly failed: number
}

/** What is remembered when nothing was. */
export const SCRUB_NONE: ScrubRecord = {
  pack: 0,
  roundStartedMs: 0,
  roundBytes: 0,
  lastRoundMs: 0,
  lastMs: 0,
  bytes: 0,
  bad: 0,
  mended: 0,
}
/** As {@link SCRUB_NONE}. */
export const AUDIT_NONE: AuditRecord = { lastMs: 0, proven: 0, failed: 0 }

/** The three records, kept in a catalog as JSON: they are nobody's format but this node's. */
export class WatchRecord {
  readonly #catalog: Catalog
  /** Scrubbing and mending change the same record. */
  readonly #turn = new Serial()

  /** @param catalog - of watching alone */
  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  get scrub(): ScrubRecord {
    return { ...SCRUB_NONE, ...(this.#read('scrub') as Partial<ScrubRecord> | undefined) }
  }

  get audit(): AuditRecord {
    return { ...AUDIT_NONE, ...(this.#read('audit') as Partial<AuditRecord> | undefined) }
  }

  get drill(): DrillRecord | undefined {
    return this.#read('drill') as DrillRecord | undefined
  }

  /** Durable once it resolves. */
  async changeScrub(change: (so: ScrubRecord) => Partial<ScrubRecord>): Promise<void> {
    await this.#turn.run(async () => {
      const so = this.scrub
      await this.#write('scrub', { ...so, ...change(so) })
    })
  }

  /** As {@link changeScrub}. */
  async changeAudit(change: (so: AuditRecord) => AuditRecord): Promise<void> {
    await this.#turn.run(() => this.#write('audit', change(this.audit)))
  }

  /** As {@link changeScrub}. */
  async setDrill(record: DrillRecord): Promise<void> {
    await this.#turn.run(() => this.#write('drill', record))
  }

  #read(key: string): unknown {
    const bytes = this.#catalog.get(key)
    return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString())
  }

  async #write(key: string, value: object): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(value))
    await this.#catalog.batch([{ type: 'put', key, value: bytes }], { durable: true })
  }
}
