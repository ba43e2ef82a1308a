/** Files that name patterns or paths: `--exclude-file`, `--include-file`, `--files-from` (restic's forms). */

import { readdirSync, readFileSync } from 'node:fs'
import { CellarError } from '../../protocol/errors.ts'
import { argumentBytes, decodeArgument } from '../argument-text.ts'

/** Reads a file a person named. @throws {CellarError} `USAGE` when it cannot be read */
export function readNamed(path: Buffer, shown: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new CellarError(
      'USAGE',
      `the file ${shown} could not be read: ${reason}`,
      { path: shown },
      { cause: error },
    )
  }
}

/**
 * The patterns of a file: one a line, blank lines and `#` lines left out, `$VAR` and `${VAR}` expanded, `$$` is a
 * dollar.
 *
 * @param bytes - borrowed
 * @returns texts as `decodeArgument` gives them
 */
export function patternsIn(bytes: Uint8Array, env: Readonly<Record<string, string | undefined>>): string[] {
  return linesIn(bytes)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => expandVariables(line, env))
}

/** Lines as `decodeArgument` gives them, without their ends. */
export function linesIn(bytes: Uint8Array): string[] {
  return decodeArgument(bytes)
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
}

/** Names in a list whose items end with NUL. */
export function itemsIn(bytes: Uint8Array): string[] {
  return decodeArgument(bytes)
    .split('\0')
    .filter((item) => item !== '')
}

function expandVariables(line: string, env: Readonly<Record<string, string | undefined>>): string {
  return line.replace(
    /\$(?:\$|\{(\w+)\}|(\w+))/g,
    (whole, braced: string | undefined, plain: string | undefined) =>
      whole === '$$' ? '$' : (env[braced ?? plain ?? ''] ?? ''),
  )
}

const WILD = /[*?[]/

/**
 * Expands the wildcards of a path (`*`, `?`, `[a-z]` within one component); hidden names match too, as restic's do.
 *
 * @param pattern - as `decodeArgument` gives it
 * @param directory - absolute, where relative patterns begin
 * @returns what is there, sorted; the pattern itself when it has no wildcard
 */
export function expandPath(pattern: string, directory: Uint8Array): string[] {
  if (!WILD.test(pattern)) return [pattern]
  const absolute = pattern.startsWith('/')
  let found = [absolute ? '/' : '']
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    found = found.flatMap((parent) => {
      if (!WILD.test(part)) return [join(parent, part)]
      return namesIn(parent, directory)
        .filter((name) => wildcard(part).test(name))
        .map((name) => join(parent, name))
    })
  }
  return found.sort()
}

function join(parent: string, name: string): string {
  return parent === '' || parent.endsWith('/') ? `${parent}${name}` : `${parent}/${name}`
}

function namesIn(parent: string, directory: Uint8Array): string[] {
  const here = parent.startsWith('/')
    ? argumentBytes(parent)
    : Buffer.concat([directory, Buffer.from('/'), argumentBytes(parent)])
  try {
    return readdirSync(Buffer.from(here), { encoding: 'buffer' }).map(decodeArgument)
  } catch {
    return []
  }
}

/** A wildcard of one component as a regular expression. */
function wildcard(part: string): RegExp {
  const source = part.replace(
    /\\(.)|\[(\^?)([^\]]+)\]|[*?]|[.+^${}()|[\]\\]/g,
    (whole, escaped: string | undefined, not: string | undefined, set: string | undefined) => {
      if (escaped !== undefined) return escaped.replace(/\W/, '\\$&')
      if (set !== undefined) return `[${not ?? ''}${set.replace(/[\\\]]/g, '\\$&')}]`
      return whole === '*' ? '.*' : whole === '?' ? '.' : `\\${whole}`
    },
  )
  return new RegExp(`^${source}$`, 'su')
}
