/**
 * Settings that may be changed from the page in the browser (spec/config.md §6): when, how fast, how long. Never what
 * runs a program, opens a place to listen at, says where things are, or holds a secret: who gets hold of a session of
 * the page shall not come to run programs by it. Pure.
 */

import { profileFields } from './profiles.ts'
import { retentionType, rulesType } from './retention.ts'
import type { Field } from './table.ts'
import { fieldsOf } from './table.ts'
import { rootFields } from './tables.ts'
import { drillTable, scheduleTable, scrubTable } from './tables-upkeep.ts'

const TOP = [
  'limit_upload',
  'limit_download',
  'limits',
  'hold_window',
  'floor_age',
  'floor_newest',
  'silent_after',
]

const PROFILE = [
  'exclude',
  'iexclude',
  'exclude_caches',
  'exclude_if_present',
  'exclude_larger_than',
  'one_file_system',
  'tags',
  'skip_if_unchanged',
  'schedule',
  'jitter',
  'on_battery',
  'on_metered',
  'priority',
  'copies',
  'silent_after',
]

/** A setting that may be changed. */
export interface HarmlessSetting {
  readonly path: readonly string[]
  readonly field: Field<unknown>
}

/**
 * All of them, in the order of their declaration.
 *
 * @param profiles - names of those that there are: none is made here
 */
export function harmlessSettings(profiles: readonly string[]): HarmlessSetting[] {
  const within = (above: readonly string[], fields: readonly Field<unknown>[]): HarmlessSetting[] =>
    fields.map((field) => ({ path: [...above, field.key], field }))
  return [
    ...within(
      [],
      fieldsOf(rootFields).filter(({ key }) => TOP.includes(key)),
    ),
    ...within(['retention'], fieldsOf(retentionType.fields)),
    ...within(['schedule'], fieldsOf(scheduleTable.fields)),
    ...within(['scrub'], fieldsOf(scrubTable.fields)),
    ...within(['drill'], fieldsOf(drillTable.fields)),
    ...profiles.flatMap((name) => [
      ...within(
        ['profile', name],
        fieldsOf(profileFields).filter(({ key }) => PROFILE.includes(key)),
      ),
      ...within(['profile', name, 'retention'], fieldsOf(rulesType.fields)),
    ]),
  ]
}
