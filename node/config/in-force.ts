/** What is in force, setting by setting, for a page that shows it and offers to change what may be changed. Pure. */

import type { SettingInForce } from '../api.ts'
import { harmlessSettings } from './harmless.ts'
import { profileFields } from './profiles.ts'
import { pathInWords } from './reading.ts'
import { besides, type ShownSetting, tableInForce } from './show.ts'
import { type Field, type TableType, fieldsOf } from './table.ts'
import { rootFields } from './tables.ts'
import type { Config } from './types.ts'

/**
 * All that says something, and beside it what might.
 *
 * @param file - what the file says now; undefined while something is wrong with it
 * @param config - what is in force
 */
export function settingsInForce(file: readonly ShownSetting[] | undefined, config: Config): SettingInForce[] {
  const inForce = tableInForce(config)
  const shown = besides(file ?? [], inForce)
  const harmless = new Map(
    harmlessSettings(config.profiles.map(({ name }) => name)).map((one) => [pathInWords(one.path), one]),
  )
  const said = shown.map(({ path, value, origin }): SettingInForce => {
    const key = pathInWords(path)
    const may = harmless.get(key)
    harmless.delete(key)
    return {
      key,
      path: path.map(String),
      value,
      ...(file !== undefined && { origin }),
      about: may?.field.about ?? aboutOf(path.map(String)),
      changeable: may !== undefined,
      ...(may !== undefined && { schema: may.field.type.schema, ...defaultOf(may.field) }),
    }
  })
  const unsaid = [...harmless].map(
    ([key, { path, field }]): SettingInForce => ({
      key,
      path: [...path],
      about: field.about,
      changeable: true,
      schema: field.type.schema,
      ...defaultOf(field),
    }),
  )
  return [...said, ...unsaid]
}

function defaultOf({ without, type }: Field<unknown>): { default?: unknown } {
  return without === undefined ? {} : { default: type.write(without) }
}

/** What the nearest declaration says. */
function aboutOf(path: readonly string[]): string {
  const [top = '', next, last] = path
  const field = fieldsOf(rootFields).find(({ key }) => key === top)
  if (field === undefined) return ''
  if (top === 'profile') return fieldsOf(profileFields).find(({ key }) => key === last)?.about ?? field.about
  const inner = (field.type as Partial<TableType<object>>).fields
  const below = inner === undefined ? undefined : fieldsOf(inner).find(({ key }) => key === next)
  return (below ?? field).about
}
