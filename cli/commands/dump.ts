import { open, rm } from 'node:fs/promises'
import { Option } from 'commander'
import { CellarError } from '../../node/client.ts'
import { formatBytes } from '../output/format.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { type Define, examples, type FilterOptions, filterOf, filterOptions, GROUP } from './command.ts'

interface Options extends FilterOptions {
  readonly archive: 'tar'
  readonly target?: string
}

/** `cellar dump SNAPSHOT PATH`: one file's content, or a directory as an archive. */
export const defineDump: Define = (program, act) => {
  const command = program
    .command('dump')
    .helpGroup(GROUP.lookInside)
    .summary('write a file, or a directory as a tar archive, to standard output')
    .description(
      "Writes the content of one file of a snapshot to standard output, or a directory as an archive. The archive begins at the directory's own name: /home/ann/photos gives photos/…",
    )
    .argument('<snapshot[:path]>', 'id or its beginning, or latest')
    .argument('<path>', 'absolute path in the snapshot')
    .addOption(new Option('-a, --archive <format>', 'for a directory').choices(['tar']).default('tar'))
    .option('-t, --target <file>', 'write to this new file instead')
  filterOptions(command).action(act(dump))
  examples(
    command,
    'cellar dump latest /etc/fstab',
    'cellar dump latest /home/ann/photos > photos.tar',
    'cellar dump 3f2a91c0 /shop.sql | psql shop',
  )
}

async function dump(session: Session, snapshot: string, path: string, options: Options): Promise<undefined> {
  const params = {
    snapshot: argumentText(snapshot),
    filter: filterOf(session, options),
    path: argumentText(path),
    archive: options.archive,
  }
  const onEvent = ({ message }: { readonly message: string }) => {
    session.print.notice(message)
  }
  if (options.target === undefined) {
    session.kept = 'what was written is not the whole file'
    await session.call('dump', params, { output: (bytes) => session.world.stdout.write(bytes), onEvent })
    return undefined
  }
  const { bytes } = await toFile(session, options.target, (output) =>
    session.call('dump', params, { output, onEvent }),
  )
  if (session.json) session.print.json({ message_type: 'dumped', target: options.target, bytes })
  else session.print.info(`${formatBytes(bytes)} written to ${session.print.safe(options.target)}`)
  return undefined
}

/** Writes a new file, and leaves none behind when that fails. */
async function toFile<T>(
  session: Session,
  target: string,
  write: (output: (bytes: Uint8Array) => Promise<void>) => Promise<T>,
): Promise<T> {
  const path = session.pathBytes(target)
  session.kept = 'no file was written'
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new CellarError(
      'USAGE',
      `the file ${target} could not be made: ${reason === 'EEXIST' ? 'it is there already' : reason}`,
      {},
      { cause: error },
    )
  })
  try {
    const result = await write(async (bytes) => {
      await file.writeFile(bytes)
    })
    await file.close()
    return result
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  }
}
