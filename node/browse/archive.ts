/** Writes a directory as a tar archive (pax): what `tar` unpacks on any machine. */

import { once } from 'node:events'
import { type Header, pack, type Pack } from 'tar-stream'
import type { Entry, SnapshotRoot } from '../../protocol/index.ts'
import { CellarError } from '../../protocol/index.ts'
import { pathDisplay, pathText } from '../path-text.ts'
import { childPath, type FoundEntry, type SnapshotReader } from '../snapshot-reader.ts'

/** What an archive says of itself on the way. */
export interface ArchiveOptions {
  readonly signal: AbortSignal
  /** Told for each entry that the archive cannot carry as it is. */
  readonly onNotice: (message: string) => void
}

/** Largest number that the fixed fields of a header have room for; beyond it stands in the pax record. */
const FIELD_MAX = 0o777777
const FIELD_TEXT_MAX = 31

/**
 * Writes all that is below a directory; names in the archive begin with the name of that directory, those of the top
 * with nothing. Holes go out as zeros, extended attributes not at all, a second name of a file as a link to the first.
 *
 * @param directory - its snapshot, and its path there as raw bytes
 * @param write - gets a piece, to be used before its promise resolves
 * @returns bytes written
 * @throws {CellarError} `PATH_NOT_FOUND`, and what reading throws; what was written by then is no whole archive
 */
export async function archive(
  reader: SnapshotReader,
  directory: { readonly root: SnapshotRoot; readonly path: Uint8Array },
  write: (bytes: Uint8Array) => Promise<void>,
  options: ArchiveOptions,
): Promise<number> {
  const { signal } = options
  const found = await reader.find(directory.root, directory.path, signal)
  if (found?.trees === undefined)
    throw new CellarError('PATH_NOT_FOUND', `the snapshot has no directory ${shown(directory.path)}`)
  const stream = pack()
  let failure: unknown
  const filling = fill(stream, entriesOf(reader, found, signal), { reader, options }).then(
    () => {
      stream.finalize()
    },
    (error: unknown) => {
      failure = error
      stream.destroy(error as Error)
    },
  )
  let bytes = 0
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      await write(piece)
      bytes += piece.byteLength
    }
  } catch (error) {
    // When nobody takes the archive any more, what fills it fails too; the cause comes first.
    const cause = failure ?? error
    stream.destroy()
    await filling
    throw cause
  }
  return bytes
}

async function* entriesOf(
  reader: SnapshotReader,
  found: Entry | { readonly type: 'top'; readonly trees: Entry['trees'] },
  signal: AbortSignal,
): AsyncIterable<FoundEntry> {
  const base =
    found.type === 'top' ? new Uint8Array(Buffer.from('/')) : childPath(Buffer.from('/'), found.name)
  if (found.type !== 'top') yield { path: base, entry: found }
  yield* reader.walk(found.trees ?? [], base, signal)
}

interface Filling {
  readonly reader: SnapshotReader
  readonly options: ArchiveOptions
}

async function fill(stream: Pack, entries: AsyncIterable<FoundEntry>, filling: Filling): Promise<void> {
  const { reader, options } = filling
  const names = new Map<string, string>()
  for await (const { path, entry } of entries) {
    const name = nameOf(path, options)
    const inode = `${String(entry.device)}/${String(entry.inode)}`
    const first = entry.linkCount > 1 && entry.type !== 'dir' ? names.get(inode) : undefined
    if (entry.linkCount > 1 && first === undefined) names.set(inode, name)
    const header = { ...commonOf(entry, name), ...kindOf(entry, first, options) }
    const content =
      header.type === 'file' && entry.size > 0 ? reader.content(entry, options.signal) : undefined
    await put(stream, header, content)
  }
}

/** Adds one entry, content at the pace of whoever reads the archive. */
async function put(
  stream: Pack,
  header: Partial<Header> & Pick<Header, 'name'>,
  content: AsyncIterable<Uint8Array> | undefined,
): Promise<void> {
  let failure: Error | undefined
  let resolve: () => void = () => undefined
  const done = new Promise<void>((settle) => {
    resolve = settle
  })
  const sink = stream.entry(header, (error) => {
    failure = error ?? undefined
    resolve()
  })
  sink.on('error', () => undefined) // told to the callback above, and to who reads the archive
  for await (const piece of content ?? []) {
    if (!sink.write(piece)) await Promise.race([done, once(sink, 'drain')])
    if (failure !== undefined) break
  }
  sink.end(null)
  await done
  if (failure !== undefined) throw failure
}

/** The name in the archive; bytes that are no UTF-8 are spelled out. */
function nameOf(path: Uint8Array, { onNotice }: ArchiveOptions): string {
  const text = Buffer.from(path).toString()
  if (Buffer.from(text).equals(path)) return text.slice(1)
  const spelled = Array.from(path, (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  ).join('')
  onNotice(`${shown(path)} is no UTF-8; it is called ${spelled} in the archive`)
  return spelled.slice(1)
}

function commonOf(entry: Entry, name: string): Partial<Header> & Pick<Header, 'name'> {
  const { mode, uid, gid, user, group, mtimeNs } = entry
  const seconds = Number(mtimeNs / 1_000_000_000n)
  const pax: Record<string, string> = { mtime: decimal(mtimeNs) }
  if (uid > FIELD_MAX) pax['uid'] = String(uid)
  if (gid > FIELD_MAX) pax['gid'] = String(gid)
  if (user !== undefined && user.length > FIELD_TEXT_MAX) pax['uname'] = user
  if (group !== undefined && group.length > FIELD_TEXT_MAX) pax['gname'] = group
  return {
    name,
    mode,
    uid: Math.min(uid, FIELD_MAX),
    gid: Math.min(gid, FIELD_MAX),
    uname: user === undefined || pax['uname'] !== undefined ? '' : user,
    gname: group === undefined || pax['gname'] !== undefined ? '' : group,
    mtime: new Date(Math.min(Math.max(seconds, 0), 0x7fffffff) * 1000),
    pax,
  }
}

/** Seconds with all nine places, as pax has them. */
function decimal(ns: bigint): string {
  const sign = ns < 0n ? '-' : ''
  const digits = (ns < 0n ? -ns : ns).toString().padStart(10, '0')
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`
}

function kindOf(entry: Entry, first: string | undefined, options: ArchiveOptions): Partial<Header> {
  if (first !== undefined) return { type: 'link', linkname: first }
  const { major = 0, minor = 0 } = entry.deviceNumber ?? {}
  switch (entry.type) {
    case 'file':
      return { type: 'file', size: entry.size }
    case 'dir':
      return { type: 'directory' }
    case 'symlink':
      return { type: 'symlink', linkname: targetOf(entry, options) }
    case 'fifo':
      return { type: 'fifo' }
    case 'char':
      return { type: 'character-device', devmajor: major, devminor: minor }
    case 'block':
      return { type: 'block-device', devmajor: major, devminor: minor }
  }
}

function targetOf(entry: Entry, { onNotice }: ArchiveOptions): string {
  const target = Buffer.from(entry.target ?? [])
  const text = target.toString()
  if (!Buffer.from(text).equals(target))
    onNotice(`the target of the symbolic link ${shown(entry.name)} is no UTF-8; it is garbled in the archive`)
  return text
}

function shown(path: Uint8Array): string {
  return pathDisplay(pathText(path))
}
