/**
 * What is left out of a backup, and why (node/spec/backup.md §2). Decides; looks at the disk only where a rule says
 * so.
 */

import { closeSync, constants, openSync, readSync } from 'node:fs'
import { CellarError } from '../../protocol/index.ts'
import { compilePatterns, type NamePath } from './patterns.ts'

/** What a person asked to leave out. Plain data. */
export interface ExcludeRules {
  /** Patterns as restic's (`patterns.ts`), in order. */
  readonly patterns?: readonly string[]
  /** The same, without regard to case. */
  readonly patternsIgnoringCase?: readonly string[]
  /** Leaves out what is in directories with a CACHEDIR.TAG, but for the tag. */
  readonly caches?: boolean
  /** `NAME` or `NAME:HEADER`: leaves out what is beside such a file, but for the file. */
  readonly ifPresent?: readonly string[]
  /** Leaves out regular files of more bytes. */
  readonly largerThanBytes?: number
}

/** A file whose presence empties its directory. */
interface Marker {
  readonly name: Buffer
  /** What it must begin with; may be empty. */
  readonly header: Buffer
}

/** Rules ready to be asked. */
export interface Excluder {
  /** Says whether a path is left out by a pattern. */
  isExcluded(path: NamePath): boolean
  readonly hasPatterns: boolean
  /** Says whether a regular file is left out for its size in bytes. */
  isTooLarge(bytes: number): boolean
  /**
   * The name of the file for which all else in a directory is left out, if there is one.
   *
   * @param names - what is in the directory
   * @param pathOf - where one of them can be opened
   */
  markerIn(names: readonly Buffer[], pathOf: (name: Buffer) => Buffer): Buffer | undefined
  /** The rules in words, for the root of the snapshot. */
  readonly words: readonly string[]
}

const CACHE_TAG: Marker = {
  name: Buffer.from('CACHEDIR.TAG'),
  header: Buffer.from('Signature: 8a477f597d28d172789f06886806bc55'),
}

function readMarker(text: string): Marker {
  const [name = '', ...header] = text.split(':')
  if (name === '' || name.includes('/'))
    throw new CellarError('USAGE', `${JSON.stringify(text)} names no file: write NAME or NAME:HEADER.`)
  return { name: Buffer.from(name), header: Buffer.from(header.join(':')) }
}

/** Says whether a file begins with some bytes; false when it cannot be read. Never waits for a FIFO. */
function beginsWith(path: Buffer, header: Buffer): boolean {
  if (header.length === 0) return true
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return false
  }
  try {
    const head = Buffer.alloc(header.length)
    return readSync(fd, head, 0, head.length, 0) === head.length && head.equals(header)
  } catch {
    return false
  } finally {
    closeSync(fd)
  }
}

function wordsOf(rules: ExcludeRules): string[] {
  const words = [
    ...(rules.patterns ?? []),
    ...(rules.patternsIgnoringCase ?? []).map((pattern) => `iexclude:${pattern}`),
  ]
  if (rules.caches === true) words.push('exclude-caches')
  for (const marker of rules.ifPresent ?? []) words.push(`exclude-if-present:${marker}`)
  if (rules.largerThanBytes !== undefined) words.push(`exclude-larger-than:${String(rules.largerThanBytes)}`)
  return words
}

/** The rules that a snapshot names in words ({@link Excluder.words}). */
export function rulesInWords(words: readonly string[]): ExcludeRules {
  const behind = (prefix: string) =>
    words.filter((word) => word.startsWith(prefix)).map((word) => word.slice(prefix.length))
  const larger = behind('exclude-larger-than:')[0]
  const isPattern = (word: string) =>
    word !== 'exclude-caches' && !/^(?:iexclude|exclude-if-present|exclude-larger-than):/.test(word)
  return {
    patterns: words.filter(isPattern),
    patternsIgnoringCase: behind('iexclude:'),
    caches: words.includes('exclude-caches'),
    ifPresent: behind('exclude-if-present:'),
    ...(larger !== undefined && { largerThanBytes: Number(larger) }),
  }
}

/**
 * Compiles rules.
 *
 * @throws {CellarError} `USAGE` when a pattern or a marker is malformed
 */
export function compileRules(rules: ExcludeRules): Excluder {
  const exact = compilePatterns(rules.patterns ?? [], { ignoreCase: false })
  const loose = compilePatterns(rules.patternsIgnoringCase ?? [], { ignoreCase: true })
  const markers = (rules.ifPresent ?? []).map(readMarker)
  if (rules.caches === true) markers.push(CACHE_TAG)
  const bytesMax = rules.largerThanBytes ?? Number.POSITIVE_INFINITY
  return {
    words: wordsOf(rules),
    hasPatterns: !exact.isEmpty || !loose.isEmpty,
    isExcluded: (path) => exact.matches(path) || loose.matches(path),
    isTooLarge: (bytes) => bytes > bytesMax,
    markerIn(names, pathOf) {
      if (markers.length === 0) return undefined
      const found = markers.find(
        ({ name, header }) => names.some((one) => one.equals(name)) && beginsWith(pathOf(name), header),
      )
      return found?.name
    },
  }
}
