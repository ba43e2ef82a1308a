/** Does the orders that other devices gave this one, for as long as the node runs (spec/orders.md §3). */

import { CellarError, type OrderProgress } from '../../protocol/index.ts'
import { isStillThere, makeRestoredDirectory, restoresDirectory } from '../adapters/restored-directory.ts'
import type { RestoreStatus, RestoreSummary } from '../api.ts'
import type { Order } from '../orders/order.ts'
import { runOrders } from '../orders/runner.ts'
import type { NodeParts } from '../parts.ts'
import { pathText } from '../path-text.ts'
import { EVERY } from '../snapshots.ts'

/** Does accepted orders for as long as the node runs. @returns ends it */
export function followOrders(parts: NodeParts): () => Promise<void> {
  const end = new AbortController()
  const { clock } = parts.world
  const done = runOrders(
    {
      taken: parts.orders.taken,
      clock,
      events: parts.events,
      isStillThere,
      make: (wish) => {
        const { restores } = parts.config
        if (restores === undefined)
          throw new CellarError('ORDER_REFUSED', 'the settings take no orders any more (restores)')
        return makeRestoredDirectory(restoresDirectory(restores), wish)
      },
      restore: async (order, directory, on) => ({
        progress: await restoreOrder(parts, order, directory.path, on),
      }),
    },
    end.signal,
  ).catch((error: unknown) => {
    // A bug of ours: it must not take the node with it.
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    parts.events.emit({ kind: 'trouble', code: 'INTERNAL', message })
  })
  return async () => {
    end.abort(new CellarError('ABORTED', 'the node is closing'))
    await done
  }
}

/** Nothing that is there is touched: what was whole before a restart stays, and folders get what they should have. */
async function restoreOrder(
  parts: NodeParts,
  order: Order,
  target: string,
  on: { readonly signal: AbortSignal; readonly onProgress: (progress: OrderProgress) => void },
): Promise<OrderProgress> {
  const texts = (patterns: readonly Uint8Array[]) => patterns.map((pattern) => pathText(pattern))
  const { includes, iincludes, excludes, iexcludes } = order.patterns
  let errors = 0
  // Large, and not of every command that opens a node.
  const { runRestore } = await import('./restore.ts')
  const summary = await runRestore(
    parts,
    {
      snapshot: pathText(
        Buffer.concat([Buffer.from(order.path.length === 0 ? order.root : `${order.root}:`), order.path]),
      ),
      filter: EVERY,
      target,
      includes: texts(includes),
      iincludes: texts(iincludes),
      excludes: texts(excludes),
      iexcludes: texts(iexcludes),
      ...{ overwrite: 'never', delete: false, dryRun: false, verify: false, verbose: false },
    },
    {
      signal: on.signal,
      onEvent: (event) => {
        if (event.message_type === 'error') errors++
        if (event.message_type === 'status') on.onProgress(progressOf(event, errors))
      },
      input: nothing(),
      output: () => Promise.resolve(),
    },
    { goesOn: true },
  )
  return progressOf(summary, summary.errors.length)
}

function progressOf(counters: RestoreStatus | RestoreSummary, errors: number): OrderProgress {
  const { files_restored, files_skipped, total_files, bytes_restored, bytes_skipped, total_bytes } = counters
  return {
    files: (files_restored ?? 0) + (files_skipped ?? 0),
    filesTotal: total_files ?? 0,
    bytes: (bytes_restored ?? 0) + (bytes_skipped ?? 0),
    bytesTotal: total_bytes ?? 0,
    errors,
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // an order has no input
}
