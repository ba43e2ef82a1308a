/** The settings a person may edit: `config.toml` (deletion: spec/deletion.md §5). */

import { parse, stringify, TomlError } from 'smol-toml'
import { CellarError } from '../protocol/index.ts'
import { formatSpan, parseSpan } from './deletion/time-span.ts'
import { parseRetention, retentionTable } from './deletion/retention-settings.ts'
import { CONFIG_DEFAULT } from './config/defaults.ts'
import type { Config } from './config/types.ts'

export { CONFIG_DEFAULT } from './config/defaults.ts'
export type { Config } from './config/types.ts'

/** How each setting is called in the file. */
const NAMES = {
  listen: 'listen',
  mdns: 'mdns',
  peers: 'peers',
  limitUpload: 'limit_upload',
  limitDownload: 'limit_download',
  store: 'store',
  holdWindowMs: 'hold_window',
  floorAgeMs: 'floor_age',
  floorNewest: 'floor_newest',
  retention: 'retention',
} as const satisfies Partial<Record<keyof Config, string>>

/**
 * Reads settings.
 *
 * @param text - TOML
 * @param path - where it came from, for messages
 * @throws {CellarError} `CONFIG_INVALID`, naming the line or the key
 */
export function parseConfig(text: string, path: string): Config {
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0] ?? ''
    throw new CellarError(
      'CONFIG_INVALID',
      `${path}, line ${String(error.line)}: ${reason}`,
      { path, line: error.line },
      { cause: error },
    )
  }
  for (const key of Object.keys(table)) {
    const names: readonly string[] = Object.values(NAMES)
    if (!names.includes(key)) throw invalid(path, key, `is not a setting (there are ${names.join(', ')})`)
  }
  return {
    ...CONFIG_DEFAULT,
    listen: texts(table['listen'], 'listen', path) ?? CONFIG_DEFAULT.listen,
    mdns: truth(table['mdns'], 'mdns', path) ?? CONFIG_DEFAULT.mdns,
    peers: texts(table['peers'], 'peers', path) ?? CONFIG_DEFAULT.peers,
    limitUpload: rate(table['limit_upload'], 'limit_upload', path),
    limitDownload: rate(table['limit_download'], 'limit_download', path),
    store: oneText(table['store'], 'store', path),
    holdWindowMs: span(table['hold_window'], 'hold_window', path) ?? CONFIG_DEFAULT.holdWindowMs,
    floorAgeMs: span(table['floor_age'], 'floor_age', path) ?? CONFIG_DEFAULT.floorAgeMs,
    floorNewest: count(table['floor_newest'], 'floor_newest', path) ?? CONFIG_DEFAULT.floorNewest,
    retention: parseRetention(table['retention'], path),
  }
}

/** The text of settings, fit for a person to edit. */
export function formatConfig(config: Config): string {
  const table: Record<string, unknown> = {}
  for (const [key, name] of Object.entries(NAMES)) {
    const value = config[key as keyof Config]
    if (value !== undefined) table[name] = value
  }
  for (const key of ['holdWindowMs', 'floorAgeMs'] as const) table[NAMES[key]] = formatSpan(config[key])
  if (config.retention !== undefined) table[NAMES.retention] = retentionTable(config.retention)
  return `# Settings of this device; read when its node starts.\n\n${stringify(table)}\n`
}

function texts(value: unknown, key: string, path: string): string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value
  throw invalid(path, key, 'must be a list of texts in quotes')
}

function oneText(value: unknown, key: string, path: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw invalid(path, key, 'must be a text in quotes')
}

function rate(value: unknown, key: string, path: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0))
    return value
  throw invalid(path, key, 'must be a whole number of KiB a second, 1 or more')
}

function span(value: unknown, key: string, path: string): number | undefined {
  if (value === undefined) return undefined
  const ms = typeof value === 'string' ? parseSpan(value) : undefined
  if (ms === undefined) throw invalid(path, key, 'must be a time such as "7d", "12h", "90min" or "0s"')
  return ms
}

function count(value: unknown, key: string, path: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0))
    return value
  throw invalid(path, key, 'must be a whole number, 0 or more')
}

function truth(value: unknown, key: string, path: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw invalid(path, key, 'must be true or false')
}

function invalid(path: string, key: string, what: string): CellarError {
  return new CellarError('CONFIG_INVALID', `${path}: "${key}" ${what}`, { path, key })
}
