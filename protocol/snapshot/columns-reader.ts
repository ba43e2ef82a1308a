/** Reads the columns of a tree back into entries (snapshot.md §4). */

import { equalBytes } from '../bytes.ts'
import { Fields } from '../fields.ts'
import type { ChunkId } from '../ids.ts'
import {
  entryChunksMax,
  holesMax,
  payloadBytesMax,
  pathBytesMax,
  xattrBytesMax,
  xattrNameBytesMax,
} from '../limits.ts'
import { decodeColumns, FORMS, TYPE_OF_FORM } from './columns.ts'
import type { Content, ContentChunk, Entry, Extent, Xattr } from './entry.ts'
import { fromPlanes } from './planes.ts'

/** What the outside of a tree gives its entries. */
export interface TreeTables {
  readonly count: number
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly subdirs: readonly { readonly name: Uint8Array; readonly trees: readonly ChunkId[] }[]
  readonly links: readonly ChunkId[]
}

const TREE = { what: 'a tree' }
const UINT32_MAX = 0xffff_ffff
const UINT64_MAX = 2n ** 64n - 1n
const TWO_32 = 0x1_0000_0000

interface Owner {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly user: string | undefined
  readonly group: string | undefined
}

/** All columns, their lengths checked. */
interface Columns {
  readonly forms: Uint8Array
  readonly nameLengths: DataView
  readonly names: Uint8Array
  readonly owners: readonly Owner[]
  readonly ownerOf: DataView
  readonly mtimes: DataView
  readonly ctimes: DataView
  readonly inodes: DataView
  readonly devices: readonly bigint[]
  readonly deviceOf: DataView
  readonly linkCounts: DataView
  readonly sizes: DataView
  readonly runs: DataView
  readonly details: Fields
  readonly holes: ReadonlyMap<number, readonly Extent[]>
  readonly xattrs: ReadonlyMap<number, readonly Xattr[]>
}

/**
 * Reads entries. Types and bounds are checked here; what must hold within and between entries, by the caller.
 *
 * @throws {CellarError} `FORMAT_INVALID`
 */
export function readColumns(raw: Uint8Array, tables: TreeTables): Entry[] {
  const fields = new Fields(decodeColumns(raw), TREE)
  const columns = splitColumns(fields, tables)
  const cursor: Cursor = { name: 0, dir: 0, run: 0 }
  const entries: Entry[] = []
  for (let position = 0; position < tables.count; position++) {
    entries.push(readEntry(position, { columns, tables, cursor, fields }))
  }
  columns.details.end()
  if (cursor.name !== columns.names.byteLength) fields.fail('names are left over')
  if (cursor.dir !== tables.subdirs.length) fields.fail('directories are left over')
  if (cursor.run * 8 !== columns.runs.byteLength) fields.fail('runs in bundles are left over')
  return entries
}

function splitColumns(fields: Fields, tables: TreeTables): Columns {
  const { count } = tables
  const numbers = (width: number): DataView => fromPlanes(fields.bytes(count * width), width)
  const columns = {
    forms: fields.bytes(count),
    nameLengths: numbers(2),
    names: fields.bytes(0, payloadBytesMax),
    owners: fields.list(count, (value) => readOwner(fields.nested(value), tables)),
    ownerOf: numbers(2),
    mtimes: numbers(8),
    ctimes: numbers(8),
    inodes: numbers(8),
    devices: fields.list(count, (value) => new Fields([value], TREE).bigint(0n, UINT64_MAX)),
    deviceOf: numbers(2),
    linkCounts: numbers(4),
    sizes: numbers(8),
    runs: readRuns(fields, count),
    details: fields.nested(),
    holes: readByPosition(fields, count, readHoles),
    xattrs: readByPosition(fields, count, readXattrs),
  }
  fields.end()
  return columns
}

function readOwner(fields: Fields, { users, groups }: TreeTables): Owner {
  const mode = fields.uint(0o7777)
  const uid = fields.uint(UINT32_MAX)
  const gid = fields.uint(UINT32_MAX)
  const user = users[fields.uint(users.length) - 1]
  const group = groups[fields.uint(groups.length) - 1]
  fields.end()
  return { mode, uid, gid, user, group }
}

function readRuns(fields: Fields, count: number): DataView {
  const planes = fields.bytes(0, count * 8)
  if (planes.byteLength % 8 !== 0) fields.fail('runs in bundles are not whole')
  return fromPlanes(planes, 8)
}

/** A list of [position, flat list], positions rising; nothing but what is there takes room. */
function readByPosition<T>(fields: Fields, count: number, read: (flat: Fields) => T): ReadonlyMap<number, T> {
  const found = new Map<number, T>()
  let previous = -1
  fields.list(count, (value) => {
    const pair = fields.nested(value)
    const position = pair.uint(count - 1)
    if (position <= previous) fields.fail('positions are not in order')
    previous = position
    found.set(position, read(pair.nested()))
    pair.end()
  })
  return found
}

function readHoles(flat: Fields): Extent[] {
  if (flat.left > 2 * holesMax) flat.fail('there are too many holes')
  const holes: Extent[] = []
  while (flat.left > 0) holes.push({ offset: flat.uint(), length: flat.uint() })
  return holes
}

function readXattrs(flat: Fields): Xattr[] {
  const xattrs: Xattr[] = []
  while (flat.left > 0)
    xattrs.push({ name: flat.bytes(1, xattrNameBytesMax), value: flat.bytes(0, xattrBytesMax) })
  return xattrs
}

/** How far the columns that have not one item an entry have been read. */
interface Cursor {
  name: number
  dir: number
  run: number
}

interface Reading {
  readonly columns: Columns
  readonly tables: TreeTables
  readonly cursor: Cursor
  readonly fields: Fields
}

/** The same object as {@link Entry}, while it is being filled. */
type Draft = { -readonly [Key in keyof Entry]: Entry[Key] }

function readEntry(position: number, reading: Reading): Entry {
  const { columns, cursor, fields } = reading
  const form = FORMS[columns.forms[position] as number] ?? fields.fail('a form is not known')
  const owner =
    columns.owners[columns.ownerOf.getUint16(2 * position)] ?? fields.fail('an owner is not in its table')
  const device =
    columns.devices[columns.deviceOf.getUint16(2 * position)] ?? fields.fail('a device is not in its table')
  const nameEnd = cursor.name + columns.nameLengths.getUint16(2 * position)
  if (nameEnd > columns.names.byteLength) fields.fail('names are missing')
  const entry: Draft = {
    type: TYPE_OF_FORM[form],
    name: columns.names.subarray(cursor.name, nameEnd),
    mode: owner.mode,
    uid: owner.uid,
    gid: owner.gid,
    mtimeNs: columns.mtimes.getBigInt64(8 * position),
    ctimeNs: columns.ctimes.getBigInt64(8 * position),
    inode: columns.inodes.getBigUint64(8 * position),
    device,
    linkCount: columns.linkCounts.getUint32(4 * position),
    size: columns.sizes.getUint32(8 * position) * TWO_32 + columns.sizes.getUint32(8 * position + 4),
  }
  cursor.name = nameEnd
  if (owner.user !== undefined) entry.user = owner.user
  if (owner.group !== undefined) entry.group = owner.group
  const holes = columns.holes.get(position)
  if (holes !== undefined) entry.holes = holes
  readOwnOfForm(entry, form, reading)
  const xattrs = columns.xattrs.get(position)
  if (xattrs !== undefined) entry.xattrs = xattrs
  return entry
}

function readOwnOfForm(entry: Draft, form: (typeof FORMS)[number], reading: Reading): void {
  const { columns, tables, cursor, fields } = reading
  switch (form) {
    case 'empty':
    case 'fifo':
      return
    case 'bundle':
      entry.content = readRun(entry, reading)
      return
    case 'chunks':
      entry.content = { kind: 'chunks', chunks: readChunks(columns.details.nested(), tables.links) }
      return
    case 'nodes':
      entry.content = {
        kind: 'file',
        chunk: tables.links[columns.details.uint()] ?? fields.fail('a position is out of range'),
      }
      return
    case 'dir': {
      const subdir = tables.subdirs[cursor.dir++] ?? fields.fail('a directory is not listed')
      if (!equalBytes(subdir.name, entry.name)) fields.fail('a directory is listed under another name')
      entry.trees = subdir.trees
      return
    }
    case 'symlink':
      entry.target = columns.details.bytes(1, pathBytesMax)
      return
    case 'char':
    case 'block': {
      const numbers = columns.details.nested()
      entry.deviceNumber = { major: numbers.uint(UINT32_MAX), minor: numbers.uint(UINT32_MAX) }
      numbers.end()
    }
  }
}

/** A run in a bundle: its length is what the file has of data. */
function readRun({ size, holes }: Draft, { columns, tables, cursor, fields }: Reading): Content {
  const at = cursor.run++ * 8
  if (at + 8 > columns.runs.byteLength) fields.fail('a run in a bundle is missing')
  const chunk = tables.links[columns.runs.getUint32(at)] ?? fields.fail('a position is out of range')
  let length = size
  if (holes !== undefined) for (const hole of holes) length -= hole.length
  return { kind: 'bundle', chunk, offset: columns.runs.getUint32(at + 4), length }
}

function readChunks(flat: Fields, links: readonly ChunkId[]): ContentChunk[] {
  if (flat.left > 2 * entryChunksMax) flat.fail('an entry names too many chunks')
  const chunks: ContentChunk[] = []
  while (flat.left > 0) {
    const id = links[flat.uint()] ?? flat.fail('a position is out of range')
    chunks.push({ id, length: flat.uint(payloadBytesMax) })
  }
  return chunks
}
