/** What a node remembers of its tasks over restarts: one record for each, in its catalog (spec/schedule.md §3). */

import type { Catalog } from '../../storage/index.ts'
import type { TaskRecord } from './plan.ts'

/** Reads and writes records. */
export class TaskRecords {
  readonly #catalog: Catalog

  /** @param catalog - of its own */
  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** What is remembered of a task; undefined when it is new. */
  get(id: string): TaskRecord | undefined {
    const value = this.#catalog.get(id)
    return value === undefined ? undefined : parseRecord(Buffer.from(value).toString())
  }

  /** Durable once it resolves. @throws {CellarError} `STORE_FULL` */
  async put(id: string, record: TaskRecord): Promise<void> {
    const value = Buffer.from(JSON.stringify(record))
    await this.#catalog.batch([{ type: 'put', key: id, value }], { durable: true })
  }
}

/** A record that a later version has written otherwise is begun anew, as that of a new task. */
function parseRecord(text: string): TaskRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Partial<TaskRecord>
  return Number.isFinite(record.sinceMs) && Number.isFinite(record.attempts)
    ? (record as TaskRecord)
    : undefined
}
