/** Which name a person probably meant. Pure. */

/**
 * The name nearest to a misspelt one: by letters left out, put in, changed or swapped with their neighbour.
 *
 * @returns undefined when none is near: more than a third of the letters would differ
 */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const plain = text.toLowerCase().replaceAll('-', '_')
  let best: string | undefined
  let bestSteps = Math.max(1, Math.floor(plain.length / 3)) + 1
  for (const name of names) {
    const steps = stepsBetween(plain, name.toLowerCase())
    if (steps < bestSteps) [best, bestSteps] = [name, steps]
  }
  return best
}

/** How many letters must change (Damerau and Levenshtein, neighbours swapped once). */
function stepsBetween(one: string, other: string): number {
  let twoBack: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let row = 1; row <= one.length; row++) {
    const next = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1]
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      const [left = 0, above = 0, across = 0] = [next[column - 1], last[column], last[column - 1]]
      let steps = Math.min(left + 1, above + 1, across + (isSame ? 0 : 1))
      if (row > 1 && column > 1 && isSwapped) steps = Math.min(steps, (twoBack[column - 2] ?? 0) + 1)
      next.push(steps)
    }
    twoBack = last
    last = next
  }
  return last[other.length] ?? 0
}
