/** Explores scenes and mutants, several at a time, and says which did not come out as they must. */

import { type Explored, explore } from './explore.ts'
import type { Mutant, Scene } from './scenes.ts'

/** One scene or mutant, and what came of it. */
export interface Verdict {
  readonly asked: Scene | Mutant
  readonly explored: Explored
  /** What is wrong with that; undefined when it came out as it must. */
  readonly fault: string | undefined
}

/** Explores all that is asked for, `jobs` at a time; verdicts come in the order asked. */
export async function* verdicts(asked: readonly (Scene | Mutant)[], jobs: number): AsyncGenerator<Verdict> {
  const stop = new AbortController()
  const waiting: (() => void)[] = []
  let free = jobs
  const all = asked.map(async (one) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await judge(one, stop.signal)
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  })
  try {
    for (const one of all) yield await one
  } finally {
    stop.abort()
    await Promise.allSettled(all)
  }
}

async function judge(asked: Scene | Mutant, signal: AbortSignal): Promise<Verdict> {
  if (signal.aborted) return { asked, explored: NOTHING, fault: 'not explored' }
  try {
    const explored = await explore(asked, signal)
    return {
      asked,
      explored,
      fault: 'breaks' in asked ? faultOfMutant(asked, explored) : faultOfScene(asked, explored),
    }
  } catch (error) {
    return { asked, explored: NOTHING, fault: `not explored: ${String(error)}` }
  }
}

const NOTHING: Explored = { states: 0, seconds: 0, broken: undefined, trace: [] }

/** A scene must hold, with as many states as were counted when it was written down. */
export function faultOfScene({ states }: Scene, { states: seen, broken }: Explored): string | undefined {
  if (broken !== undefined) return `does not hold: ${broken}`
  if (seen === states) return undefined
  return `has ${seen} states, not ${states}: the model was changed; if that is meant, say so in scenes.ts and the spec`
}

/** A mutant must break, and by what was expected. */
export function faultOfMutant({ breaks, model }: Mutant, { broken }: Explored): string | undefined {
  if (broken === undefined)
    return `does not break, but ${breaks} should: the rule is not needed, or the model is blind`
  // SPIN has one assertion per model, and no names for them.
  if (model.endsWith('.pml') || broken.includes(breaks)) return undefined
  return `should break ${breaks}, but: ${broken}`
}
