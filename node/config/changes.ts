/** What may change under a running node, and what has changed. Pure (spec/config.md §5). */

import type { Field, Fields } from './table.ts'
import { dashboardFields, rootFields } from './tables.ts'
import type { Config } from './types.ts'

/** What other settings come to for a node that runs. */
export interface ConfigChanges {
  /** To be put in force: the new settings, but for what needs a restart. */
  readonly next: Config
  /** Settings of the top that differ in it from those before, as the file calls them. */
  readonly changed: readonly string[]
  /** Settings that stay as they were until the node is started again. */
  readonly needsRestart: readonly string[]
}

/** Compares the settings in force with those that were read. */
export function changesOf(before: Config, read: Config): ConfigChanges {
  const root = keepFixed(rootFields, before, read)
  const dashboard = keepFixed(dashboardFields, before.dashboard, read.dashboard)
  const next: Config = { ...root.next, dashboard: dashboard.next }
  return {
    next,
    changed: Object.entries<Field<unknown>>(rootFields).flatMap(([property, { key }]) =>
      isSame(before[property as keyof Config], next[property as keyof Config]) ? [] : [key],
    ),
    needsRestart: [...root.fixed, ...dashboard.fixed.map((key) => `dashboard.${key}`)],
  }
}

/** The new values, but the old ones for settings that need a restart. */
function keepFixed<T extends object>(
  fields: Fields<T>,
  before: T,
  read: T,
): { next: T; fixed: readonly string[] } {
  const kept: Partial<T> = {}
  const fixed: string[] = []
  for (const property of Object.keys(fields) as (keyof T)[]) {
    if (fields[property].needsRestart !== true || isSame(before[property], read[property])) continue
    kept[property] = before[property]
    fixed.push(fields[property].key)
  }
  return { next: { ...read, ...kept }, fixed }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
