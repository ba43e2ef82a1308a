import { CellarError, type ScrubEvent, type ScrubSummary } from '../../node/client.ts'
import { count, formatBytes } from '../output/format.ts'
import { scrubProgress } from '../output/progress.ts'
import type { Session } from '../session.ts'
import { percentage, positiveInteger } from '../values.ts'
import { type Define, examples, GROUP } from './command.ts'

interface Options {
  readonly percent?: number
  readonly limit?: number
}

/** `cellar scrub`: reads what is stored again, and mends what has rotted. */
export const defineScrub: Define = (program, act) => {
  const command = program
    .command('scrub')
    .helpGroup(GROUP.care)
    .summary('read what is stored again, and mend what has rotted')
    .description(
      'Reads the store again, every byte with its hash, from where the last scrub stopped. What is bad is fetched from other devices, or made again from the files it was made of. A running node does the same by itself, a part each day (schedule and scrub in the settings).',
    )
    .option('--percent <n>', 'read so much of the store (default: all of it)', percentage)
    .option('--limit <kib>', 'read at most so many KiB a second', positiveInteger)
    .action(act(scrub))
  examples(command, 'cellar scrub', 'cellar scrub --percent 5 --limit 10240')
}

async function scrub(session: Session, options: Options): Promise<undefined> {
  session.kept =
    'what was read stays read, and what was mended stays mended: the next scrub goes on from there'
  const summary = await session.call(
    'scrub',
    { percent: options.percent ?? 100, ...(options.limit !== undefined && { limit: options.limit }) },
    { onEvent: (event) => show(session, event) },
  )
  if (session.json) session.print.json(summary)
  else printSummary(session, summary)
  const { chunks_left: left } = summary
  if (left > 0)
    throw new CellarError(
      'CHUNK_LOST',
      `${count(left, 'damaged chunk')} in this store, and nothing in reach gives good ones`,
    )
  return undefined
}

function show(session: Session, event: ScrubEvent): void {
  const { print } = session
  if (event.message_type === 'error') return print.problem(event.message, event)
  if (session.json) {
    if (event.message_type !== 'status' || !print.options.quiet) print.json(event)
  } else if (event.message_type === 'status') {
    print.progress(() => scrubProgress(event))
  } else {
    print.info(`mended ${event.chunk.slice(0, 8)} from ${print.safe(event.from)}`)
  }
}

function printSummary({ print }: Session, summary: ScrubSummary): void {
  const round = summary.round_done ? '; with this, all of the store was read once more' : ''
  print.info(`read ${count(summary.chunks_read, 'chunk')}, ${formatBytes(summary.bytes_read)}${round}`)
  if (summary.chunks_bad === 0 && summary.chunks_left === 0) print.info('no damage was found')
  else if (summary.chunks_mended === summary.chunks_bad)
    print.info(`${count(summary.chunks_bad, 'damaged chunk')} found, all mended`)
}
