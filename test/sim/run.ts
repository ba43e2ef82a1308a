/** Runs one seed from its first step to its last check. */

import { ACTIONS } from './actions.ts'
import { heal } from './heal.ts'
import { bug, Play } from './play.ts'
import { Trace, Violation } from './trace.ts'

/** How a seed is run. */
export interface RunOptions {
  /** Shows every line. */
  readonly show?: (line: string) => void
}

/** What came of a seed. */
export interface RunResult {
  readonly seed: number
  readonly digest: string
  readonly counts: ReadonlyMap<string, number>
  /** Simulated milliseconds. */
  readonly simulatedMs: number
  readonly events: number
  readonly violation: Violation | undefined
}

/** Runs one seed. Nothing else may run in this process meanwhile. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const trace = new Trace(options.show)
  const play = new Play(seed, trace, options.show === undefined ? 0 : 12)
  let violation: Violation | undefined
  try {
    const { devices, copiesGoal, steps } = play.weather
    const names = devices.map(
      ({ name, role, capabilities }) => `${name} (${role}: ${[...capabilities].join(' ')})`,
    )
    play.say(`goal ${String(copiesGoal)}, ${String(steps)} steps: ${names.join(', ')}`)
    await play.begin()
    for (let step = 0; step < steps; step++) await takeStep(play)
    trace.count('events of steps', play.scheduler.happened)
    await heal(play)
    trace.count('events', play.scheduler.happened)
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violation = error
    trace.line(error.message)
  } finally {
    play.end()
  }
  return {
    seed,
    digest: trace.digest(),
    counts: trace.counts,
    simulatedMs: play.scheduler.nowMs,
    events: play.scheduler.happened,
    violation,
  }
}

async function takeStep(play: Play): Promise<void> {
  const action = play.chance.weigh(ACTIONS, ({ weight }) => weight(play))
  const note = (said: string | undefined) => {
    if (said === undefined) return
    play.say(`-- ${action?.name ?? ''}: ${said}`)
    play.trace.count('steps')
  }
  const said = action?.run(play)
  // What takes its time goes on beside all else: waiting for it here would stop simulated time.
  if (said instanceof Promise)
    said.then(note, (error: unknown) => {
      play.fail(error instanceof Violation ? error : bug(action?.name ?? '', error))
    })
  else note(said)
  await play.advance(play.chance.share() * play.weather.pauseMsMax)
}
