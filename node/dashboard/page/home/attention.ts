/** What on the first screen wants somebody to do something, the gravest first. Pure. */

import type { Status } from '../../../api.ts'

/** One matter, with what to do about it. */
export interface Matter {
  readonly key: string
  readonly tone: 'bad' | 'warn'
  readonly text: string
  /** What to do, in words. */
  readonly todo?: string | undefined
}

/** What of the status wants somebody. */
export function attention(status: Status): Matter[] {
  const problems = status.problems.map(
    (problem, index): Matter => ({
      key: `problem-${problem.code}-${String(index)}`,
      tone: problem.level === 'error' ? 'bad' : 'warn',
      text: problem.message,
      todo: problem.remedy,
    }),
  )
  const suspicions = status.suspicions.map(
    (one): Matter => ({
      key: `suspicion-${one.device}`,
      tone: 'bad',
      text: `The backups of ${one.device} look wrong: ${one.message}. Nothing of it is forgotten meanwhile.`,
      todo: 'Look at its newest snapshots.',
    }),
  )
  return [...suspicions, ...problems].sort((one, other) => rank(one) - rank(other))
}

function rank({ tone }: Matter): number {
  return tone === 'bad' ? 0 : 1
}
