/** Which paths of a snapshot are restored: include and exclude patterns; pure (restore.md §2). */

import type { NamePath } from '../backup/patterns.ts'
import { compilePatterns, type PatternList } from '../backup/patterns.ts'

/** Patterns as restic's. With includes, only what one matches and all below it; excludes take out of that. */
export interface SelectionRules {
  readonly includes: readonly string[]
  /** As includes, without regard to case. */
  readonly iincludes: readonly string[]
  readonly excludes: readonly string[]
  /** As excludes, without regard to case. */
  readonly iexcludes: readonly string[]
}

/** What a path is to a selection. */
export interface Selected {
  /** It is restored. */
  readonly isSelected: boolean
  /** Something below it may be. */
  readonly mayDescend: boolean
}

const ALL: Selected = { isSelected: true, mayDescend: true }
const NOTHING: Selected = { isSelected: false, mayDescend: false }

/** Rules that select everything. */
export const everything: SelectionRules = { includes: [], iincludes: [], excludes: [], iexcludes: [] }

/** Compiled rules. */
export class Selection {
  /** True when there are no rules: nobody needs to be asked. */
  readonly isEverything: boolean
  readonly #includes: readonly PatternList[]
  readonly #excludes: readonly PatternList[]
  /** Matches directories on the way to what rooted includes name; undefined: an include may match anywhere. */
  readonly #ways: readonly PatternList[] | undefined

  /** @throws {CellarError} `USAGE` when a pattern is malformed */
  constructor(rules: SelectionRules) {
    const lists = (plain: readonly string[], folded: readonly string[]): readonly PatternList[] =>
      [compilePatterns(plain, { ignoreCase: false }), compilePatterns(folded, { ignoreCase: true })].filter(
        (list) => !list.isEmpty,
      )
    this.#includes = lists(rules.includes, rules.iincludes)
    this.#excludes = lists(rules.excludes, rules.iexcludes)
    this.isEverything = this.#includes.length === 0 && this.#excludes.length === 0
    const isRooted = [...rules.includes, ...rules.iincludes].every(
      (pattern) => pattern.startsWith('/') && !pattern.includes('**') && !pattern.includes('\\'),
    )
    this.#ways = isRooted
      ? lists(rules.includes.flatMap(prefixes), rules.iincludes.flatMap(prefixes))
      : undefined
  }

  /**
   * Decides about one path.
   *
   * @param path - its names from the top of the snapshot, as `nameText` gives them
   * @param isParentSelected - the directory it is in is selected
   */
  of(path: NamePath, isParentSelected: boolean): Selected {
    if (this.isEverything) return ALL
    if (this.#excludes.some((list) => list.matches(path))) return NOTHING
    if (isParentSelected || this.#includes.length === 0 || this.#includes.some((list) => list.matches(path)))
      return ALL
    return {
      isSelected: false,
      mayDescend: this.#ways === undefined || this.#ways.some((list) => list.matches(path)),
    }
  }

  /** Whether the top directory is selected: it is, unless something must be included. */
  get isTopSelected(): boolean {
    return this.#includes.length === 0
  }
}

/** The directories above a rooted pattern, as patterns. */
function prefixes(pattern: string): string[] {
  const names = pattern.split('/').filter((name) => name !== '')
  return names.slice(0, -1).map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}
