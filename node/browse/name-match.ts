/** What a person typed to find a file, as a question about names. Pure. */

import { compilePatterns } from '../backup/patterns.ts'

/** Asks of an entry whether it is meant: the names of its path, from the top, as `nameText` gives them. */
export type NameMatch = (names: readonly string[]) => boolean

/**
 * Part of a name, upper and lower case alike, an accent as one character or as two; with `/` part of the path that
 * reaches into the last name; with wildcards a pattern as of `find`.
 *
 * @throws {CellarError} `USAGE` for a pattern that is malformed
 */
export function nameMatch(text: string): NameMatch {
  if (/[*?[]/.test(text)) {
    const patterns = compilePatterns([text], { ignoreCase: true })
    return (names) => patterns.matches(names)
  }
  const wanted = fold(text)
  if (!wanted.includes('/')) return (names) => fold(names.at(-1) ?? '').includes(wanted)
  return (names) => {
    const path = fold(`/${names.join('/')}`)
    // What is below a directory that fits is not meant for that alone.
    return path.includes(wanted, Math.max(0, path.lastIndexOf('/') + 2 - wanted.length))
  }
}

function fold(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain names need no table
  return /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : text.normalize('NFC').toLowerCase()
}
