/** `restore`: brings files back from the store, or from a peer that holds the snapshot. */

import type { CallContext, RestoreParams, RestoreStatus, RestoreSummary } from '../api.ts'
import { loadPosix } from '../adapters/posix.ts'
import { nameText } from '../backup/patterns.ts'
import type { NodeParts } from '../parts.ts'
import { type PathText, pathBytes, pathDisplay, pathFields } from '../path-text.ts'
import { restore } from '../restore/restore.ts'
import type { RestoreCounters } from '../restore/messages.ts'
import { readerOf } from './backup.ts'
import { resolveSnapshot } from './look.ts'
import { openSource } from './sources.ts'

/**
 * Restores, see `Methods.restore`.
 *
 * @param how - goesOn: into a directory that only this restore has filled, before it was broken off
 * @throws {CellarError} as `restore/restore.ts`; `NO_PEER`, `VAULT_UNKNOWN`
 */
export async function runRestore(
  parts: NodeParts,
  params: RestoreParams,
  given: CallContext<'restore'>,
  { goesOn = false }: { readonly goesOn?: boolean } = {},
): Promise<RestoreSummary> {
  const { clock } = parts.world
  const vault = readerOf(parts)
  const startedMs = clock.nowMs()
  const start = { startedMs, signal: given.signal, isTrial: params.dryRun }
  return await parts.jobs.run('restore', start, async (job, signal) => {
    const context = { ...given, signal }
    const { snapshot, path } = await resolveSnapshot(parts, params.snapshot, params.filter, context.signal)
    const { root } = snapshot.live
    const open = await openSource(parts, root, params.from, context.signal)
    try {
      const seconds = () => (clock.nowMs() - startedMs) / 1000
      const result = await restore(
        { source: open.source, vault, posix: await loadPosix(), world: parts.world },
        {
          root,
          ...(path !== undefined && path.length > 0 && { subpath: path }),
          target: pathBytes(params.target),
          rules: rulesOf(params),
          overwrite: params.overwrite,
          goesOn,
          delete: params.delete,
          keep: [parts.home.directory, parts.storePath].map((path) => Buffer.from(path)),
          dryRun: params.dryRun,
          verify: params.verify,
        },
        {
          signal: context.signal,
          onProgress: (counters) => {
            const status = statusOf(counters, seconds())
            job.percentDone = status.percent_done
            context.onEvent(status)
          },
          ...(params.verbose && {
            onEntry: ({ action, path: item, size }) => {
              context.onEvent({ message_type: 'verbose_status', action, ...itemFields(item), size })
            },
          }),
          onProblem: ({ path: item, code, message }) => {
            context.onEvent({
              message_type: 'error',
              error: { message },
              during: 'restore',
              ...itemFields(item),
              code,
            })
          },
        },
      )
      for (const message of result.notices) context.onEvent({ message_type: 'notice', message })
      const { filesRestored: files_restored, bytesRestored: bytes_restored } = result.summary
      job.summary = { snapshot_id: root, files_restored, bytes_restored, errors: result.problems.length }
      return {
        message_type: 'summary',
        seconds_elapsed: Math.round(seconds() * 1000) / 1000,
        dry_run: params.dryRun,
        snapshot_id: root,
        target: pathDisplay(params.target),
        ...countersOf(result.summary),
        ...(params.verify && { files_verified: result.filesVerified }),
        errors: result.problems.map(({ path: item, code, message }) => ({
          ...pathFields(item),
          code,
          message,
        })),
      }
    } finally {
      await open.close()
    }
  })
}

function rulesOf(params: RestoreParams) {
  const texts = (patterns: readonly PathText[]) => patterns.map((pattern) => nameText(pathBytes(pattern)))
  return {
    includes: texts(params.includes),
    iincludes: texts(params.iincludes),
    excludes: texts(params.excludes),
    iexcludes: texts(params.iexcludes),
  }
}

function itemFields(path: Uint8Array): { item: string; item_b64?: string } {
  const { path: item, path_b64 } = pathFields(path)
  return { item, ...(path_b64 !== undefined && { item_b64: path_b64 }) }
}

function countersOf(counters: RestoreCounters) {
  return {
    total_files: counters.totalFiles,
    files_restored: counters.filesRestored,
    files_skipped: counters.filesSkipped,
    files_deleted: counters.filesDeleted,
    total_bytes: counters.totalBytes,
    bytes_restored: counters.bytesRestored,
    bytes_skipped: counters.bytesSkipped,
  }
}

function statusOf(counters: RestoreCounters, seconds: number): RestoreStatus {
  const done = counters.bytesRestored + counters.bytesSkipped
  const share = counters.totalBytes > 0 ? Math.min(1, done / counters.totalBytes) : 0
  return {
    message_type: 'status',
    seconds_elapsed: Math.floor(seconds),
    percent_done: share,
    ...countersOf(counters),
  }
}
