/** One entry as a row of a tree, and back (snapshot.md §3). */

import { equalBytes } from '../bytes.ts'
import type { CborValue } from '../cbor.ts'
import { Fields } from '../fields.ts'
import type { ChunkId } from '../ids.ts'
import { entryChunksMax, holesMax, nameBytesMax, pathBytesMax, payloadBytesMax, xattrBytesMax, xattrNameBytesMax } from '../limits.ts'
import { ENTRY_TYPES, entryTypeNumber } from './digest.ts'
import type { Content, ContentChunk, Entry, Extent, Xattr } from './entry.ts'

/** What a writer of rows looks up. */
export interface RowPositions {
  readonly users: ReadonlyMap<string, number>
  readonly groups: ReadonlyMap<string, number>
  readonly linkPosition: (id: ChunkId) => number
}

/** What a reader of rows looks up. */
export interface RowTables {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly subdirs: readonly { readonly name: Uint8Array; readonly trees: readonly ChunkId[] }[]
  readonly links: readonly ChunkId[]
}

const CONTENT_BUNDLE = 0
const CONTENT_CHUNKS = 1
const CONTENT_FILE = 2

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n
const ROW = { what: 'an entry of a tree' }

/** The row of an entry: twelve fields of all, then what its type has, then attributes if there are any. */
export function entryToRow(entry: Entry, tables: RowPositions): CborValue[] {
  const { user, group, xattrs } = entry
  const row: CborValue[] = [
    entryTypeNumber(entry.type),
    entry.name,
    entry.mode,
    entry.uid,
    entry.gid,
    user === undefined ? 0 : (tables.users.get(user) as number) + 1,
    group === undefined ? 0 : (tables.groups.get(group) as number) + 1,
    entry.mtimeNs,
    entry.ctimeNs,
    entry.inode,
    entry.device,
    entry.linkCount,
    entry.size,
  ]
  if (entry.type === 'file') {
    row.push(entry.content === undefined ? null : contentToRow(entry.content, tables), flattenExtents(entry.holes))
  } else if (entry.target !== undefined) {
    row.push(entry.target)
  } else if (entry.deviceNumber !== undefined) {
    row.push(entry.deviceNumber.major, entry.deviceNumber.minor)
  }
  if (xattrs !== undefined) row.push(xattrs.flatMap(({ name, value }) => [name, value]))
  return row
}

function contentToRow(content: Content, { linkPosition }: RowPositions): CborValue {
  if (content.kind === 'bundle') return [CONTENT_BUNDLE, linkPosition(content.chunk), content.offset, content.length]
  if (content.kind === 'file') return [CONTENT_FILE, linkPosition(content.chunk)]
  return [CONTENT_CHUNKS, ...content.chunks.flatMap(({ id, length }) => [linkPosition(id), length])]
}

function flattenExtents(extents: readonly Extent[] | undefined): number[] {
  return extents === undefined ? [] : extents.flatMap(({ offset, length }) => [offset, length])
}

/** The same object as {@link Entry}, while it is being filled. */
type Draft = { -readonly [Key in keyof Entry]: Entry[Key] }

/**
 * The entry of a row. Types and bounds of the fields are checked here; what must hold between them, by the caller.
 *
 * @param dirs - how many directories came before in this tree
 * @throws {CellarError} `FORMAT_INVALID`
 */
export function rowToEntry(value: unknown, tables: RowTables, dirs: number): Entry {
  const row = new Fields(value, ROW)
  const type = ENTRY_TYPES[row.uint(ENTRY_TYPES.length - 1)] as Entry['type']
  const name = row.bytes(1, nameBytesMax)
  const mode = row.uint(0o7777)
  const uid = row.uint(0xffff_ffff)
  const gid = row.uint(0xffff_ffff)
  const user = row.uint(tables.users.length)
  const group = row.uint(tables.groups.length)
  const entry: Draft = {
    type,
    name,
    mode,
    uid,
    gid,
    mtimeNs: row.bigint(INT64_MIN, INT64_MAX),
    ctimeNs: row.bigint(INT64_MIN, INT64_MAX),
    inode: row.bigint(0n, UINT64_MAX),
    device: row.bigint(0n, UINT64_MAX),
    linkCount: row.uint(),
    size: row.uint(),
  }
  if (user > 0) entry.user = tables.users[user - 1] as string
  if (group > 0) entry.group = tables.groups[group - 1] as string
  readOwnOfType(row, entry, tables, dirs)
  if (row.left > 0) entry.xattrs = readXattrs(row)
  row.end()
  return entry
}

function readOwnOfType(row: Fields, entry: Draft, tables: RowTables, dirs: number): void {
  if (entry.type === 'file') {
    if (!row.skipNull()) entry.content = readContent(row.nested(), tables.links)
    const holes = readHoles(row)
    if (holes.length > 0) entry.holes = holes
  } else if (entry.type === 'dir') {
    const subdir = tables.subdirs[dirs]
    if (subdir === undefined || !equalBytes(subdir.name, entry.name)) row.fail('a directory is not listed among the directories')
    entry.trees = subdir.trees
  } else if (entry.type === 'symlink') {
    entry.target = row.bytes(1, pathBytesMax)
  } else if (entry.type !== 'fifo') {
    entry.deviceNumber = { major: row.uint(0xffff_ffff), minor: row.uint(0xffff_ffff) }
  }
}

function readContent(fields: Fields, links: readonly ChunkId[]): Content {
  const link = (): ChunkId => links[fields.uint()] ?? fields.fail('a position is out of range')
  const kind = fields.uint(CONTENT_FILE)
  let content: Content
  if (kind === CONTENT_BUNDLE) {
    content = { kind: 'bundle', chunk: link(), offset: fields.uint(payloadBytesMax), length: fields.uint(payloadBytesMax) }
  } else if (kind === CONTENT_FILE) {
    content = { kind: 'file', chunk: link() }
  } else {
    if (fields.left > 2 * entryChunksMax) fields.fail('an entry names too many chunks')
    const chunks: ContentChunk[] = []
    while (fields.left > 0) chunks.push({ id: link(), length: fields.uint(payloadBytesMax) })
    content = { kind: 'chunks', chunks }
  }
  fields.end()
  return content
}

function readHoles(row: Fields): Extent[] {
  const flat = row.nested()
  if (flat.left > 2 * holesMax) row.fail('there are too many holes')
  const holes: Extent[] = []
  while (flat.left > 0) holes.push({ offset: flat.uint(), length: flat.uint() })
  return holes
}

function readXattrs(row: Fields): Xattr[] {
  const flat = row.nested()
  const xattrs: Xattr[] = []
  while (flat.left > 0) xattrs.push({ name: flat.bytes(1, xattrNameBytesMax), value: flat.bytes(0, xattrBytesMax) })
  return xattrs
}
