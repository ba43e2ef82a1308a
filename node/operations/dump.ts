/** Writes out a file of a snapshot, or a directory as an archive. */

import type { CallContext, DumpParams, DumpResult } from '../api.ts'
import { archive } from '../browse/archive.ts'
import { dump } from '../browse/dump.ts'
import type { NodeParts } from '../parts.ts'
import { pathBytes } from '../path-text.ts'
import { openSnapshot, resolveSnapshot } from './look.ts'

/**
 * Writes to the output of the call what lies at a path: the bytes of a file, or a tar of a directory.
 *
 * @throws {CellarError} as `browse/dump.ts` and `browse/archive.ts`; `NO_PEER`, `VAULT_UNKNOWN`
 */
export async function runDump(
  parts: NodeParts,
  params: DumpParams,
  context: CallContext<'dump'>,
): Promise<DumpResult> {
  const { snapshot } = await resolveSnapshot(parts, params.snapshot, params.filter, context.signal)
  const opened = await openSnapshot(parts, snapshot.live.root, context.signal, 'contents')
  try {
    const wanted = { root: opened.root, path: pathBytes(params.path) }
    const { reader } = opened
    const found = await reader.find(opened.root, wanted.path, context.signal)
    if (found?.trees === undefined)
      return { bytes: await dump(reader, wanted, context.output, context.signal) }
    const onNotice = (message: string) => {
      context.onEvent({ message_type: 'notice', message })
    }
    return { bytes: await archive(reader, wanted, context.output, { signal: context.signal, onNotice }) }
  } finally {
    await opened.close()
  }
}
