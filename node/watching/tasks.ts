/** What a node watches by itself, as tasks of its schedule (spec/watching.md §5). */

import { CellarError } from '../../protocol/index.ts'
import type { Config } from '../config/types.ts'
import type { NodeParts } from '../parts.ts'
import type { Task, TaskResult } from '../schedule/task.ts'
import { runAudits } from './audits.ts'
import { runDrill } from './drill.ts'
import { bytesDue } from './plan.ts'
import { scrub } from './scrub.ts'

const hourMs = 3_600_000

/** Reads a share of the store again. */
export function scrubTask(parts: NodeParts, config: Config): Task {
  return {
    name: 'scrub',
    due: config.schedule.scrub,
    jitterMs: hourMs,
    run: (signal) => scrubOnce(parts, signal),
  }
}

/** Asks the devices in reach for proofs, as often as this one looks at its own store. */
export function auditTask(parts: NodeParts, config: Config): Task {
  return {
    name: 'audit',
    due: config.schedule.scrub,
    jitterMs: hourMs,
    run: (signal) => auditOnce(parts, signal),
  }
}

/** Restores a sample from others; undefined on a device that may not read. */
export function drillTask(parts: NodeParts, config: Config): Task | undefined {
  if (parts.vault === undefined) return undefined
  return {
    name: 'drill',
    due: config.schedule.drill,
    jitterMs: hourMs,
    run: (signal) => drillOnce(parts, signal),
  }
}

async function scrubOnce(parts: NodeParts, signal: AbortSignal): Promise<TaskResult> {
  const { percentPerDay, limit } = parts.config.scrub
  const { lastMs } = parts.watching.record.scrub
  const sinceMs = parts.world.clock.nowMs() - lastMs
  const bytes = bytesDue(
    percentPerDay,
    parts.store.stats().packBytes,
    lastMs > 0 && sinceMs >= 0 ? sinceMs : undefined,
  )
  const done = await scrub(parts, { bytes, limit }, { signal, onEvent: () => undefined, isAsked: false })
  const { message_type: _, ...summary } = done
  if (done.chunks_bad === 0) return { outcome: 'done', summary }
  const found =
    done.chunks_bad === 1 ? 'a damaged chunk was' : `${String(done.chunks_bad)} damaged chunks were`
  const message = `${found} found in the store; mended: ${String(done.chunks_mended)}`
  return { outcome: done.chunks_mended < done.chunks_bad ? 'partly' : 'done', message, summary }
}

async function auditOnce(parts: NodeParts, signal: AbortSignal): Promise<TaskResult> {
  const done = await runAudits(parts, signal)
  const { message_type: _, ...summary } = done
  if (done.snapshots_failed === 0) return { outcome: 'done', summary }
  const message = `${String(done.snapshots_failed)} of the copies asked for could not be proven`
  return { outcome: 'partly', message, summary }
}

async function drillOnce(parts: NodeParts, signal: AbortSignal): Promise<TaskResult> {
  const done = await runDrill(parts, {}, { signal, onEvent: () => undefined })
  const { files_failed: failed, files_restored: files, bytes_restored, files_compared } = done
  if (failed > 0)
    throw new CellarError(
      'DRILL_FAILED',
      `${String(failed)} of ${String(files + failed)} files could not be restored from ${done.from.join(', ')}`,
    )
  return { outcome: 'done', summary: { files_restored: files, bytes_restored, files_compared } }
}
