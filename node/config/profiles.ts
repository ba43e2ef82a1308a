/** Profiles: what is backed up together. They inherit from one another (spec/config.md §3). */

import { PROFILE_DEFAULT } from './defaults.ts'
import { nearestName } from './nearest.ts'
import { isTable, kindOf, type Place, REFUSED, type Refused, type ValueType } from './reading.ts'
import { rulesType } from './retention.ts'
import {
  type Field,
  type Fields,
  fieldsOf,
  NAME_PATTERN,
  NAME_WANTS,
  refuseUnknown,
  tableSchema,
} from './table.ts'
import { calendar } from './times.ts'
import type { ProfileConfig } from './types.ts'
import { command, flag, kind, listOf, oneOf, orNone, path, size, span, text, whole } from './values.ts'

/** What a profile may say. */
export type ProfileSettings = Omit<ProfileConfig, 'name'>

const dayMs = 86_400_000

const waitFor = kind<'goal' | number>({
  wants: 'a number of devices, or "goal": as many as wanted',
  schema: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'goal' }] },
  example: 'goal',
  parse: (value) =>
    value === 'goal' || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1)
      ? value
      : undefined,
})

const fileName = kind<string>({
  wants: 'a name without directories',
  schema: { type: 'string', pattern: '^[^/]+$' },
  example: 'shop.sql',
  parse: (value) =>
    typeof value === 'string' && !/[/\0]/.test(value) && !['', '.', '..'].includes(value) ? value : undefined,
})

const tag = kind<string>({
  wants: 'a tag in quotes, without commas',
  schema: { type: 'string', pattern: '^[^,]+$' },
  example: 'system',
  parse: (value) => (typeof value === 'string' && /^[^,]+$/.test(value) ? value : undefined),
})

const list = <T>(key: string, type: ValueType<T>, about: string): Field<readonly T[]> => ({
  key,
  type: listOf(type),
  about,
  without: [],
  appends: true,
})

/** The settings of a profile. */
export const profileFields: Fields<ProfileSettings> = {
  inherits: {
    key: 'inherits',
    type: orNone(text),
    about:
      'The profile whose settings hold where this one says nothing. A list replaces that of the other, `{ append = […] }` adds to it.',
    without: undefined,
    example: 'default',
  },
  sources: list(
    'sources',
    path,
    'What is backed up. Without any, the profile is only there to be inherited from.',
  ),
  filesFrom: list('files_from', path, 'Files that name more of it, a path a line, wildcards expanded.'),
  filesFromVerbatim: list('files_from_verbatim', path, 'The same, taken as it stands.'),
  filesFromRaw: list('files_from_raw', path, 'The same, each ended by NUL.'),
  exclude: {
    ...list('exclude', text, 'Patterns of what is left out.'),
    example: ['*.tmp', '/home/*/.cache'],
  },
  iexclude: { ...list('iexclude', text, 'The same, upper and lower case alike.'), example: ['*.iso'] },
  excludeFile: list('exclude_file', path, 'Files of such patterns.'),
  iexcludeFile: list('iexclude_file', path, 'The same, upper and lower case alike.'),
  excludeCaches: {
    key: 'exclude_caches',
    type: flag,
    about: 'Leave out what is in directories with a CACHEDIR.TAG.',
    without: PROFILE_DEFAULT.excludeCaches,
  },
  excludeIfPresent: {
    ...list(
      'exclude_if_present',
      text,
      'Leave out what is in directories that hold such a file (`NAME`, `NAME:HEADER`).',
    ),
    example: ['.nobackup'],
  },
  excludeLargerThan: {
    key: 'exclude_larger_than',
    type: orNone(size),
    about: 'Leave out larger files.',
    without: undefined,
  },
  oneFileSystem: {
    key: 'one_file_system',
    type: flag,
    about: 'Stay on the file systems of the sources.',
    without: PROFILE_DEFAULT.oneFileSystem,
  },
  stdinFromCommand: {
    key: 'stdin_from_command',
    type: orNone(command),
    about: 'In the place of sources: a command whose output is backed up as one file, if it succeeds.',
    without: undefined,
    example: ['pg_dump', 'shop'],
  },
  stdinFilename: {
    key: 'stdin_filename',
    type: fileName,
    about: 'How that file is called.',
    without: PROFILE_DEFAULT.stdinFilename,
    example: 'shop.sql',
  },
  tags: list('tags', tag, 'Tags of its snapshots.'),
  skipIfUnchanged: {
    key: 'skip_if_unchanged',
    type: flag,
    about: 'Make no snapshot when nothing has changed.',
    without: PROFILE_DEFAULT.skipIfUnchanged,
  },
  wait: {
    key: 'wait',
    type: orNone(waitFor),
    about: 'Wait until so many devices hold the snapshot.',
    without: undefined,
  },
  schedule: {
    key: 'schedule',
    type: calendar,
    about: 'When a running node backs it up by itself.',
    without: PROFILE_DEFAULT.schedule,
  },
  jitterMs: {
    key: 'jitter',
    type: span(0, dayMs),
    about: 'It begins up to so much later, so that not all devices do at once.',
    without: PROFILE_DEFAULT.jitterMs,
    example: '10min',
  },
  onBattery: {
    key: 'on_battery',
    type: flag,
    about: '`false`: put off while the machine runs on battery.',
    without: PROFILE_DEFAULT.onBattery,
  },
  onMetered: {
    key: 'on_metered',
    type: flag,
    about: '`false`: put off while the network is metered.',
    without: PROFILE_DEFAULT.onMetered,
  },
  priority: {
    key: 'priority',
    type: oneOf(['low', 'normal']),
    about: '`low`: other programs go first.',
    without: PROFILE_DEFAULT.priority,
  },
  hooks: {
    ...list('hooks', text, 'Names of hooks that are told of it, besides those that name the profile.'),
    example: ['discord'],
  },
  copies: {
    key: 'copies',
    type: orNone(whole(1)),
    about: 'Tell when its newest snapshot is on fewer devices.',
    without: undefined,
    example: 2,
  },
  silentAfterMs: {
    key: 'silent_after',
    type: orNone(span(60_000), 'never'),
    about: 'Tell when it has had no snapshot for so long.',
    without: undefined,
    example: '3d',
  },
  retention: {
    key: 'retention',
    type: orNone(rulesType),
    about: 'What this device keeps of its own snapshots of these sources, in the place of `[retention]`.',
    without: undefined,
  },
}

/** Says whether a profile can be backed up: it names something. */
export function isRunnable(profile: ProfileConfig): boolean {
  const { sources, filesFrom, filesFromVerbatim, filesFromRaw, stdinFromCommand } = profile
  return (
    stdinFromCommand !== undefined ||
    [sources, filesFrom, filesFromVerbatim, filesFromRaw].some((list) => list.length > 0)
  )
}

const FIELDS = Object.entries<Field<unknown>>(profileFields)

/** What one profile says itself. */
interface Own {
  readonly values: Readonly<Record<string, unknown>>
  /** Lists that add to those of the profile inherited from. */
  readonly appended: ReadonlySet<string>
  readonly place: Place
}

/** All profiles of a file: `[profile.NAME]`. */
export const profilesType: ValueType<readonly ProfileConfig[]> = {
  wants: 'tables: write [profile.NAME] above each',
  get schema() {
    return {
      type: 'object',
      propertyNames: { pattern: NAME_PATTERN },
      additionalProperties: tableSchema(fieldsOf(profileFields)),
    }
  },
  example: {},
  read: (value, place) => {
    if (!isTable(value))
      return place.refuse(`must be tables: write [profile.NAME] above each, not ${kindOf(value)}`)
    const own = new Map<string, Own>()
    let isRefused = false
    for (const [name, table] of Object.entries(value)) {
      const read = readOwn(name, table, place.below(name))
      if (read === REFUSED) isRefused = true
      else own.set(name, read)
    }
    if (isRefused) return REFUSED
    const profiles = [...own.keys()].map((name) => resolve(own, name, []))
    return profiles.some((profile) => profile === REFUSED) ? REFUSED : (profiles as ProfileConfig[])
  },
  write: (profiles) => dump(profiles, (field, value) => field.type.write(value)),
  show: (profiles) => dump(profiles, (field, value) => field.type.show(value)),
}

function readOwn(name: string, table: unknown, place: Place): Own | Refused {
  if (!new RegExp(NAME_PATTERN, 'u').test(name)) return place.refuse(`must have ${NAME_WANTS}`)
  if (!isTable(table)) return place.refuse(`must be a table: write [profile.${name}] above its settings`)
  let isRefused = refuseUnknown(table, fieldsOf(profileFields), place)
  const values: Record<string, unknown> = {}
  const appended = new Set<string>()
  for (const [property, field] of FIELDS) {
    if (!Object.hasOwn(table, field.key)) continue
    const value = readOwnField(field, table[field.key], place.below(field.key))
    if (value === REFUSED) isRefused = true
    else {
      values[property] = value.value
      if (value.isAppended) appended.add(property)
    }
  }
  return isRefused ? REFUSED : { values, appended, place }
}

function readOwnField(
  field: Field<unknown>,
  given: unknown,
  place: Place,
): { readonly value: unknown; readonly isAppended: boolean } | Refused {
  const isAppended = field.appends === true && isTable(given)
  if (isAppended && (Object.keys(given).length !== 1 || !Object.hasOwn(given, 'append')))
    return place.refuse('must be a list, or { append = [...] } to add to that of the profile inherited from')
  const value = isAppended
    ? field.type.read(given['append'], place.below('append'))
    : field.type.read(given, place)
  return value === REFUSED ? REFUSED : { value, isAppended }
}

/** A profile with what it inherits. @param below - profiles that inherit from it, the one asked for first */
function resolve(
  own: ReadonlyMap<string, Own>,
  name: string,
  below: readonly string[],
): ProfileConfig | Refused {
  const one = own.get(name)
  if (one === undefined) throw new TypeError(`no profile ${name}`)
  const { values, appended, place } = one
  const inherits = values['inherits'] as string | undefined
  let from: ProfileSettings = PROFILE_DEFAULT
  if (inherits !== undefined) {
    const at = place.below('inherits')
    const chain = [...below, name]
    // Every profile is asked for once by itself: that is when it is told of what is wrong with it.
    if (!own.has(inherits)) {
      if (below.length > 0) return REFUSED
      return at.refuse(
        `names "${inherits}", and there is no such profile`,
        nearestName(inherits, [...own.keys()]),
      )
    }
    if (chain.includes(inherits))
      return inherits === chain[0]
        ? at.refuse(`goes in a circle: ${[...chain, inherits].join(', ')}`)
        : REFUSED
    const parent = resolve(own, inherits, chain)
    if (parent === REFUSED) return REFUSED
    from = parent
  }
  const merged: Record<string, unknown> = { ...from, ...values, name, inherits }
  for (const property of appended) {
    const added = values[property] as readonly unknown[]
    merged[property] = [
      ...((from as unknown as Record<string, readonly unknown[]>)[property] ?? []),
      ...added,
    ]
  }
  return merged as unknown as ProfileConfig
}

/** All that a profile says, what it inherits included: reads back as the same. */
function dump(
  profiles: readonly ProfileConfig[],
  one: (field: Field<unknown>, value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    profiles.map((profile) => [
      profile.name,
      Object.fromEntries(
        FIELDS.flatMap(([property, field]) => {
          const value = (profile as unknown as Record<string, unknown>)[property]
          // Without a profile to inherit from, what is not set is not there; with one, "none" says that it is not.
          return value === undefined && profile.inherits === undefined ? [] : [[field.key, one(field, value)]]
        }),
      ),
    ]),
  )
}
