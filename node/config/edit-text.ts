/**
 * Changes one setting in the text of a file, and nothing else: what a person wrote around it, remarks above all, stays.
 * Pure. The texts come from the parser's hands; what is made here is read and compared again before it is written.
 */

import { parse } from 'smol-toml'
import { editedList } from './edit-list.ts'
import { inline, keyText } from './format.ts'
import { isTable } from './reading.ts'
import { type ConfigPath, type PairSpan, type Scan, scanOf } from './scanner.ts'

/**
 * Sets a value, or takes it away.
 *
 * @param text - TOML that the parser takes
 * @param path - keys from the top; no place in a list
 * @param value - as the parser gives it; undefined: the setting is not to stand there any more
 * @returns the other text; the same where nothing was to be done
 */
export function withSetting(text: string, path: readonly string[], value: unknown): string {
  const scan = scanOf(text)
  const pair = scan.pairs.findLast((one) => isSame(one.path, path))
  // A table in braces stands on one line and holds no remarks: it is written anew.
  if (pair?.isInBraces === true) return inBraces(text, scan, path, value)
  if (pair !== undefined && value === undefined) return withoutLines(text, pair)
  if (pair !== undefined) return splice(text, pair.valueStart, pair.end, valueText(text, scan, pair, value))
  if (value === undefined) return text
  const braces = scan.pairs.some((one) => isBelow(path, one.path) && text[one.valueStart] === '{')
  return braces ? inBraces(text, scan, path, value) : inserted(text, scan, path, value)
}

function isSame(one: ConfigPath, other: ConfigPath): boolean {
  return one.length === other.length && isBelowOrSame(one, other)
}

/** Says whether a path leads through another. */
function isBelow(path: ConfigPath, above: ConfigPath): boolean {
  return path.length > above.length && isBelowOrSame(path, above)
}

function isBelowOrSame(path: ConfigPath, above: ConfigPath): boolean {
  return above.every((key, at) => path[at] === key)
}

function splice(text: string, from: number, to: number, put: string): string {
  return text.slice(0, from) + put + text.slice(to)
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** Behind the end of the line, where the next one begins. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

/** What stands before a place on its line. */
function indentAt(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, at), at))?.[0] ?? ''
}

/** The line goes, with the remark behind it, which was about it; one above stays: who knows what it is about. */
function withoutLines(text: string, pair: PairSpan): string {
  return splice(text, lineStart(text, pair.start), lineEnd(text, pair.end), '')
}

function valueText(text: string, scan: Scan, pair: PairSpan, value: unknown): string {
  if (!Array.isArray(value) || text[pair.valueStart] !== '[') return inline(value)
  const items = scan.items.filter(
    (item) => item.path.length === pair.path.length + 1 && isBelow(item.path, pair.path),
  )
  return editedList(text.slice(pair.valueStart, pair.end), {
    items: items.map(({ start, end }) => ({ start: start - pair.valueStart, end: end - pair.valueStart })),
    next: value,
    indent: indentAt(text, pair.start),
  })
}

function inBraces(text: string, scan: Scan, path: readonly string[], value: unknown): string {
  const around = scan.pairs.find((one) => !one.isInBraces && isBelow(path, one.path))
  if (around === undefined) throw new TypeError(`nothing is around ${path.join('.')}`)
  const table: unknown = parse(`it = ${text.slice(around.valueStart, around.end)}`)['it']
  return splice(
    text,
    around.valueStart,
    around.end,
    inline(withValue(table, path.slice(around.path.length), value)),
  )
}

/** The same tables with another value in them. Pure; what is no table becomes one. */
export function withValue(table: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const before = isTable(table) ? table : {}
  const inner = withValue(Object.hasOwn(before, key) ? before[key] : undefined, rest, value)
  const others = Object.entries(before).filter(([name]) => name !== key)
  if (inner === undefined) return Object.fromEntries(others)
  return Object.hasOwn(before, key)
    ? Object.fromEntries(Object.entries(before).map(([name, old]) => [name, name === key ? inner : old]))
    : Object.fromEntries([...others, [key, inner]])
}

/** Where a new setting goes: beside the others of its table, else below its header, else at the end with a header. */
function inserted(text: string, scan: Scan, path: readonly string[], value: unknown): string {
  const table = path.slice(0, -1)
  const beside = scan.pairs
    .filter((one) => !one.isInBraces && isBelow(one.path, table) && isBelow(path, one.table))
    .sort((one, other) => one.start - other.start)
    .at(-1)
  const line = (keys: ConfigPath): string =>
    `${keys.map((key) => keyText(String(key))).join('.')} = ${inline(value)}\n`
  const remark = table.length === 0 ? remarkOf(text, scan, path[0] ?? '') : undefined
  if (remark !== undefined) return splice(text, remark, remark, line(path))
  if (beside !== undefined) {
    const put = indentAt(text, beside.start) + line(path.slice(beside.table.length))
    return putLine(text, lineEnd(text, beside.end), put)
  }
  const header = scan.headers.findLast((one) => !one.isList && isSame(one.path, table))
  if (header !== undefined)
    return putLine(text, lineEnd(text, header.end), indentAt(text, header.start) + line(path.slice(-1)))
  if (table.length === 0) return putLine(text, aboveTables(text, scan), line(path))
  const gap = text === '' || text.endsWith('\n\n') ? '' : '\n'
  return putLine(text, text.length, `${gap}[${table.map(keyText).join('.')}]\n${line(path.slice(-1))}`)
}

function putLine(text: string, at: number, line: string): string {
  const needsEnd = at > 0 && text[at - 1] !== '\n'
  return splice(text, at, at, needsEnd ? `\n${line}` : line)
}

/** Behind the remark that says what holds without a setting of the top, as a new file has them. */
function remarkOf(text: string, scan: Scan, key: string): number | undefined {
  const top = text.slice(0, scan.headers[0]?.start ?? text.length)
  const found = new RegExp(`^# *${key} = .*\\n`, 'm').exec(top)
  return found === null ? undefined : found.index + found[0].length
}

/** Before the first header, and before the remarks right above it. */
function aboveTables(text: string, scan: Scan): number {
  const first = scan.headers[0]
  if (first === undefined) return text.length
  let at = lineStart(text, first.start)
  while (at > 0 && /^[ \t]*#/.test(text.slice(lineStart(text, at - 1), at))) at = lineStart(text, at - 1)
  return at
}
