/**
 * Compares what a document shows with what a command printed. Pure.
 *
 * What differs from run to run stands for any of its kind: times, sizes, addresses. What is said again (ids, codes) is
 * learned: the same text of the document means the same thing further down, also in commands. `…` stands for any text
 * within a line, and alone on a line for any number of lines. White space and empty lines do not count.
 */

/** What texts of the document were in this run, by what is shown. */
export type Learned = Map<string, string>

interface Kind {
  /** As documents show it. */
  readonly shown: RegExp
  /** What it may be in truth; as shown, when left out. */
  readonly actual?: string
  /** The same text means the same thing wherever it stands. */
  readonly isLearned?: true
}

const KINDS: readonly Kind[] = [
  { shown: /\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?/ },
  { shown: /\b12D3KooW\w+/, isLearned: true },
  { shown: /\b\d{4}(?:-[a-z]+){4}\b/, isLearned: true },
  { shown: /\brc1-\w+/, isLearned: true },
  { shown: /(?<=on both devices: )[a-z]+ [a-z]+ [a-z]+/, isLearned: true },
  { shown: /\b[0-9a-f]{64}\b/, isLearned: true },
  { shown: /\b[0-9a-f]{8}\b/, isLearned: true },
  { shown: /\b\d+\.\d+\.\d+\.\d+:\d+\b/ },
  { shown: /(?<=ticket=)\S+/ },
  { shown: /(?<=\(process )\d+/ },
  { shown: /\b\d+(?:\.\d+)? (?:[KMGT]i)?B\b/ },
  { shown: /\bv?\d+\.\d+\.\d+\b/ },
  { shown: /(?<=in )\d+:\d\d\b/ },
  { shown: /…/, actual: '.*?' },
]
const ANY_KIND = new RegExp(KINDS.map(({ shown }) => `(${shown.source})`).join('|'), 'g')

/** A shown line as a pattern, and what its groups teach. */
interface Pattern {
  readonly pattern: RegExp
  readonly learns: readonly string[]
}

/** Lines as they are compared: without what is white only, and one space for any. */
export function comparable(lines: readonly string[]): string[] {
  return lines
    .map((line) =>
      line
        .trim()
        .replace(/\s+/g, ' ')
        .replace(/^-{5,}$/, '-----'),
    )
    .filter((line) => line !== '')
}

function patternOf(shown: string): Pattern {
  const learns: string[] = []
  let source = ''
  let end = 0
  for (const found of shown.matchAll(ANY_KIND)) {
    const kind = KINDS[found.slice(1).findIndex((group: string | undefined) => group !== undefined)]
    if (kind === undefined) continue
    // What stands before it is compared as it is, so it need not be looked for again.
    const actual = kind.actual ?? kind.shown.source.replace(/^\(\?<=[^)]*\)/, '')
    source += literal(shown.slice(end, found.index))
    source += kind.isLearned === true ? `(${nonCapturing(actual)})` : `(?:${nonCapturing(actual)})`
    if (kind.isLearned === true) learns.push(found[0])
    end = found.index + found[0].length
  }
  return { pattern: new RegExp(`^${source}${literal(shown.slice(end))}$`), learns }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function nonCapturing(source: string): string {
  return source.replace(/\((?!\?)/g, '(?:')
}

/** Learns from one line; undefined when it is not the one shown, or contradicts what was learned. */
function matchLine(shown: string, actual: string, learned: Learned): Learned | undefined {
  const { pattern, learns } = patternOf(shown)
  const found = pattern.exec(actual)
  if (found === null) return undefined
  const more = new Map(learned)
  for (const [n, text] of learns.entries()) {
    const meant = found[n + 1] ?? ''
    const before = more.get(text)
    const isTaken = before === undefined && [...more.values()].includes(meant)
    if (isTaken || (before !== undefined && before !== meant)) return undefined
    more.set(text, meant)
  }
  return more
}

/** Matches from a place on; `…` alone takes as few lines as it can. */
function matchFrom(
  shown: readonly string[],
  actual: readonly string[],
  learned: Learned,
  isWhole: boolean,
): Learned | undefined {
  const [line, ...rest] = shown
  if (line === undefined) return !isWhole || actual.length === 0 ? learned : undefined
  if (line === '…') {
    for (let skipped = 0; skipped <= actual.length; skipped++) {
      const found = matchFrom(rest, actual.slice(skipped), learned, isWhole)
      if (found !== undefined) return found
    }
    return undefined
  }
  const [first, ...others] = actual
  const more = first === undefined ? undefined : matchLine(line, first, learned)
  return more === undefined ? undefined : matchFrom(rest, others, more, isWhole)
}

/**
 * Compares what is shown with what was printed.
 *
 * @param isWhole - false: more may follow, of a command that still runs
 * @returns what is known after it; undefined when they differ
 */
export function matchShown(
  shown: readonly string[],
  printed: string,
  learned: Learned,
  isWhole = true,
): Learned | undefined {
  return matchFrom(comparable(shown), comparable(printed.split('\n')), learned, isWhole)
}

/** A command of the document as it is to be run: what it names is what it was in this run. */
export function meant(command: string, learned: Learned): string {
  const longestFirst = [...learned].sort(([one], [other]) => other.length - one.length)
  return longestFirst.reduce((text, [shown, actual]) => text.replaceAll(shown, actual), command)
}
