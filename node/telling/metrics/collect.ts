/** Gathers what metrics are made of, and not more often than a node can bear. */

import type { RootId } from '../../../protocol/index.ts'
import { isReplicated } from '../../../protocol/index.ts'
import { processUsage } from '../../adapters/process-usage.ts'
import { copiesNow } from '../../operations/copies.ts'
import { readStatus } from '../../operations/status.ts'
import type { NodeParts } from '../../parts.ts'
import { taskId } from '../../schedule/task.ts'
import { copiesOf } from '../conditions.ts'
import type { HookRecord } from '../records.ts'
import { silentAfterMs } from '../signs.ts'
import { formatMetrics } from './exposition.ts'
import { METRICS } from './names.ts'
import { type MetricFacts, samplesOf } from './samples.ts'

/** What was gathered is given again for so long at least, milliseconds. */
const freshMs = 5000
/** And for so many times as long as gathering took: at most a fiftieth of a core. */
const restTimes = 50

const NO_HOOK: HookRecord = { told: 0, failures: 0, lastSuccessMs: 0, lastFailureMs: 0, message: '' }

/** Gives the metrics of a node as text. */
export class Collector {
  readonly #parts: NodeParts
  #last: { readonly text: string; readonly untilMs: number } | undefined
  #collecting: Promise<string> | undefined
  #restMs = 0
  /** Bytes are counted by walking: again only when there is something else to count. */
  readonly #bytes = new Map<string, { readonly key: string; readonly bytes: number }>()

  constructor(parts: NodeParts) {
    this.#parts = parts
  }

  /** In the text format of Prometheus; a few seconds old at most, on a large store somewhat more. */
  async text(): Promise<string> {
    const nowMs = this.#parts.world.clock.monotonicMs()
    if (this.#last !== undefined && nowMs < this.#last.untilMs) return this.#last.text
    return await this.fresh()
  }

  /** The same, of this moment: for who asks seldom, and rests in between for {@link restMs}. */
  async fresh(): Promise<string> {
    this.#collecting ??= this.#collect().finally(() => (this.#collecting = undefined))
    return await this.#collecting
  }

  /** How long to rest before gathering again, milliseconds: so many times as long as it took. */
  get restMs(): number {
    return this.#restMs
  }

  async #collect(): Promise<string> {
    const { clock } = this.#parts.world
    const beganMs = clock.monotonicMs()
    const text = formatMetrics(METRICS, samplesOf(await this.#facts()))
    const endedMs = clock.monotonicMs()
    this.#restMs = restTimes * (endedMs - beganMs)
    this.#last = { text, untilMs: endedMs + Math.max(freshMs, this.#restMs) }
    return text
  }

  async #facts(): Promise<MetricFacts> {
    const parts = this.#parts
    const { ledger, store, telling, settings } = parts
    const status = readStatus(parts)
    const roots = ledger.liveRoots()
    const lacking = roots.filter((root) => !isReplicated(ledger.view, ledger.membership, root))
    const dead = [...new Set(ledger.dead().map(({ root }) => root))].filter((root) => store.isHeld(root))
    const { hooks, profiles, email } = settings.current
    const names = [...hooks.map(({ name }) => name), ...(email === undefined ? [] : ['email'])]
    return {
      status,
      hooks: names.map((name) => [name, telling.records.hooks.get(name) ?? NO_HOOK] as const),
      tasks: telling.records.tasks.entries(),
      // Those that only others inherit from are never backed up; those that nobody runs are no reason to worry.
      profiles: profiles.filter(
        ({ name, schedule }) =>
          schedule !== 'off' ||
          telling.records.tasks.get(taskId({ name: 'backup', profile: name })) !== undefined,
      ),
      profileCopies: this.#profileCopies(),
      silentAfterSeconds: this.#silentAfter(status.devices),
      snapshotsByCopies: this.#byCopies(roots),
      unreplicatedBytes: await this.#bytesOf('unreplicated', lacking),
      reclaimWaitingBytes: await this.#bytesOf('reclaim', dead),
      damagedChunks: store.stats().quarantined,
      ...telling.counts,
      process: processUsage(),
    }
  }

  #profileCopies(): Map<string, number> {
    const { settings, telling } = this.#parts
    const copies = new Map<string, number>()
    for (const { name } of settings.current.profiles) {
      const root = telling.records.tasks.get(taskId({ name: 'backup', profile: name }))?.root ?? ''
      const count = copiesOf(this.#parts, root)
      if (count !== undefined) copies.set(name, count)
    }
    return copies
  }

  #silentAfter(devices: readonly { readonly id: string; readonly name: string }[]): Map<string, number> {
    const spans = new Map<string, number>()
    for (const { id, name } of devices) {
      const afterMs = silentAfterMs(this.#parts, name)
      if (afterMs !== undefined) spans.set(id, afterMs / 1000)
    }
    return spans
  }

  #byCopies(roots: readonly RootId[]): Map<number, number> {
    const counts = new Map<number, number>()
    for (const root of roots) {
      const { copies } = copiesNow(this.#parts, root)
      counts.set(copies, (counts.get(copies) ?? 0) + 1)
    }
    return counts
  }

  /** Bytes that only these roots need here; at least so many, on a very large store. */
  async #bytesOf(what: string, roots: readonly RootId[]): Promise<number> {
    if (roots.length === 0) return 0
    const { store } = this.#parts
    const key = `${String(store.stats().chunks)} ${[...roots].sort().join(' ')}`
    const known = this.#bytes.get(what)
    if (known?.key === key) return known.bytes
    const { bytes } = await store.freedBy(roots)
    this.#bytes.set(what, { key, bytes })
    return bytes
  }
}
