/** Looks, in a node that runs, for what holds and should be told; tells it once, and once when it is over (telling.md §4). */

import { CellarError, isCellarError } from '../../protocol/index.ts'
import type { NodeEvent } from '../events.ts'
import type { NodeParts } from '../parts.ts'
import { taskId } from '../schedule/task.ts'
import { type Condition, conditionsOf, copiesOf, deviceOfSilence } from './conditions.ts'
import { noteBack, noteLink, noteSigns, silentDevices } from './signs.ts'
import { lookEveryMs } from './silence.ts'

/** After a start nothing is told for so long, milliseconds: the others have yet to be heard of. */
export const settleMs = 10 * 60_000
/** News comes in crowds: after the first of them it is looked once, so many milliseconds later. */
const gatherMs = 15_000
/** That a snapshot is on enough devices is noted so often, milliseconds. */
const copiedNoteMs = 60_000

const NEWS: ReadonlySet<NodeEvent['kind']> = new Set([
  'view',
  'contact',
  'peer',
  'room',
  'task',
  'trouble',
  'mended',
])

/** Until it is closed. */
export class Watch {
  readonly #parts: NodeParts
  readonly #end = new AbortController()
  #work: Promise<void> | undefined
  #off: (() => void) | undefined

  constructor(parts: NodeParts) {
    this.#parts = parts
  }

  /** Begins; once. */
  start(): void {
    this.#work ??= this.#look().catch((error: unknown) => {
      if (this.#end.signal.aborted) return
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#parts.events.emit({ kind: 'trouble', code: 'INTERNAL', message: `telling: ${message}` })
    })
  }

  /** Ends. Idempotent. */
  async close(): Promise<void> {
    this.#off?.()
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    await this.#work
  }

  async #look(): Promise<void> {
    const { events, world } = this.#parts
    const { signal } = this.#end
    noteSigns(this.#parts)
    this.#off = events.on((event) => {
      if (event.kind === 'peer') noteLink(this.#parts, event.device)
    })
    await this.#settle()
    for (;;) {
      this.lookOnce()
      const limit = { clock: world.clock, ms: lookEveryMs(this.#shortestMs()), signal }
      await events.nextWithin((event) => NEWS.has(event.kind), limit)
      await world.clock.sleep(Math.min(gatherMs, limit.ms), signal)
    }
  }

  /** Peers are heard of meanwhile: signs are noted, and nothing is told. */
  async #settle(): Promise<void> {
    const { clock } = this.#parts.world
    const untilMs = clock.monotonicMs() + Math.min(settleMs, this.#shortestMs())
    for (let leftMs = 1; leftMs > 0; leftMs = untilMs - clock.monotonicMs()) {
      await clock.sleep(Math.min(leftMs, lookEveryMs(this.#shortestMs())), this.#end.signal)
      noteSigns(this.#parts)
    }
  }

  /** The shortest silence that counts, milliseconds. */
  #shortestMs(): number {
    const { silentAfterMs, silence } = this.#parts.settings.current
    const all = [silentAfterMs, ...silence.map(({ afterMs }) => afterMs)]
    return Math.min(...all.filter((ms) => ms !== undefined), Number.MAX_SAFE_INTEGER)
  }

  /** Looks once. */
  lookOnce(): void {
    const { telling, world, events } = this.#parts
    noteSigns(this.#parts)
    this.#noteReturns()
    this.#noteCopies()
    let found: readonly Condition[]
    try {
      found = conditionsOf(this.#parts)
    } catch (error) {
      // This device was removed from its mesh, say: there is nothing to look at.
      if (!isCellarError(error)) throw error
      events.emit({ kind: 'trouble', code: error.code, message: error.message })
      return
    }
    const atMs = world.clock.nowMs()
    const now = new Set(found.map(({ about }) => about))
    for (const { over, ...tiding } of found) {
      const { on, profile = '', device = '' } = tiding
      void telling.tell({ ...tiding, state: 'news', atMs }, { on, title: over, profile, device })
    }
    for (const about of telling.standing()) {
      if (now.has(about)) continue
      void telling.end(about)
    }
  }

  /** Who is back has its time again: noted before anything is made of what it has not backed up. */
  #noteReturns(): void {
    const silent = silentDevices(this.#parts).filter(({ lacks }) => lacks === 'sign')
    const gone = new Set(silent.map(({ device }) => device))
    for (const about of this.#parts.telling.standing()) {
      const device = deviceOfSilence(about)
      if (device !== undefined && !gone.has(device)) noteBack(this.#parts, device)
    }
  }

  /** When the newest snapshot of each profile was last seen on as many devices as the profile wants. */
  #noteCopies(): void {
    const { settings, telling, world } = this.#parts
    for (const { name, copies: wanted } of settings.current.profiles) {
      const id = taskId({ name: 'backup', profile: name })
      const record = telling.records.tasks.get(id)
      if (wanted === undefined || record === undefined) continue
      const copies = copiesOf(this.#parts, record.root)
      const isEnough = copies !== undefined && copies >= wanted
      // The first snapshot has its time too.
      const nowMs = world.clock.nowMs()
      const isDue = isEnough ? Math.abs(nowMs - record.copiedMs) >= copiedNoteMs : record.copiedMs === 0
      if (!isDue) continue
      telling.records.changeTask(id, (before) => ({ ...before, copiedMs: nowMs }))
    }
  }
}
