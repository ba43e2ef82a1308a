/** What a campaign has exercised and found, in lines for a person. */

import type { RunResult } from './run.ts'
import { FAULTS } from './weather.ts'

/** Sums what many runs did. */
export class Report {
  readonly #counts = new Map<string, number>()
  readonly #violations: RunResult[] = []
  #seeds = 0
  #simulatedMs = 0
  #events = 0

  /** Takes a run in. */
  add(result: RunResult): void {
    this.#seeds++
    this.#simulatedMs += result.simulatedMs
    this.#events += result.events
    if (result.violation !== undefined) this.#violations.push(result)
    for (const [kind, count] of result.counts) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count)
  }

  /** Runs that broke a promise. */
  get violations(): readonly RunResult[] {
    return this.#violations
  }

  /** Faults, and other things that must happen now and then, that never did. */
  unexercised(): string[] {
    const needed = [...FAULTS.map((kind) => `fault ${kind}`), ...NEEDED]
    return needed.filter((kind) => !this.#counts.has(kind))
  }

  /** All of it. @param realMs - how long it took */
  lines(realMs: number): string[] {
    const days = this.#simulatedMs / 86_400_000
    const rate = (1000 * this.#seeds) / Math.max(1, realMs)
    const list = (begin: string) =>
      [...this.#counts]
        .filter(([kind]) => kind.startsWith(begin))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([kind, count]) => `${kind.slice(begin.length)} ${String(count)}`)
        .join(', ')
    const rest = NEEDED.map((kind) => `${kind} ${String(this.#counts.get(kind) ?? 0)}`).join(', ')
    return [
      `${String(this.#seeds)} seeds, ${rate.toFixed(1)} a second; ${days.toFixed(1)} days, ${String(this.#events)} events`,
      `faults: ${list('fault ')}`,
      `people: ${list('did ')}`,
      `besides: ${rest}`,
      `refused: ${list('refused ')}`,
      `told: ${list('trouble ')}`,
      `${String(this.#violations.length)} violations`,
    ]
  }
}

/** What must have happened in a campaign besides the faults. */
const NEEDED: readonly string[] = [
  'backups',
  'backups that lean',
  'restores',
  'torn writes',
  'notices lost',
  'notices doubled',
  'roots reclaimed',
  'roots shed',
  'snapshots with trees alone',
  'all reclaimed',
]
