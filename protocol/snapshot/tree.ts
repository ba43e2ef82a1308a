/** Trees: the entries of a directory, or of a part of it, as the body of a chunk (snapshot.md §2 to §4). */

import { compareBytes, equalBytes } from '../bytes.ts'
import { type CborValue, decodeCbor, encodeCheckedCbor } from '../cbor.ts'
import { CellarError } from '../errors.ts'
import { Fields } from '../fields.ts'
import type { ChunkId } from '../ids.ts'
import { nameBytesMax, ownerNameBytesMax, payloadBytesMax, treeEntriesMax, treePartsMax } from '../limits.ts'
import { encodeColumns } from './columns.ts'
import { readColumns, type TreeTables } from './columns-reader.ts'
import { treeDigest } from './digest.ts'
import { type Entry, findEntryFault, isNameRight } from './entry.ts'

const VERSION = 1
const TREE = { what: 'a tree' }

/** The body of a chunk, and the ids that it refers to by position. */
export interface EncodedBody {
  readonly raw: Uint8Array
  readonly links: ChunkId[]
}

/** A directory within a tree: the parts of its own tree, in order. */
export interface Subdir {
  readonly name: Uint8Array
  readonly trees: readonly ChunkId[]
}

/** A tree of which only the outside has been read. */
export interface TreeView {
  /** See {@link treeDigest}: 32 bytes. */
  readonly digest: Uint8Array
  /** How many entries there are. */
  readonly count: number
  readonly subdirs: readonly Subdir[]
  /**
   * Reads and checks all entries, anew at each call.
   *
   * @throws {CellarError} `FORMAT_INVALID`
   */
  entries(): Entry[]
}

/**
 * Encodes the entries of one part of a directory.
 *
 * @param entries - sorted by the bytes of their names, as `splitEntries` gives them; borrowed
 * @throws {RangeError} for entries that a reader would refuse: our own bug
 */
export function encodeTree(entries: readonly Entry[]): EncodedBody {
  checkEntries(entries)
  const links = new LinkTable()
  const users = nameTable(entries, 'user')
  const groups = nameTable(entries, 'group')
  const subdirs: CborValue[] = []
  for (const { name, trees } of entries) {
    if (trees !== undefined) subdirs.push([name, trees.map((id) => links.position(id))])
  }
  const tables = {
    users: positions(users),
    groups: positions(groups),
    linkPosition: (id: ChunkId) => links.position(id),
  }
  const columns = encodeColumns(entries, tables)
  const raw = encodeCheckedCbor([
    VERSION,
    treeDigest(entries),
    users,
    groups,
    subdirs,
    entries.length,
    columns,
  ])
  return { raw, links: links.ids }
}

function checkEntries(entries: readonly Entry[]): void {
  if (entries.length > treeEntriesMax) throw new RangeError('a tree has too many entries')
  let previous: Uint8Array | undefined
  for (const entry of entries) {
    const fault = findEntryFault(entry)
    if (fault !== undefined) throw new RangeError(`an entry is not right: ${fault}`)
    if (previous !== undefined && compareBytes(previous, entry.name) >= 0)
      throw new RangeError('entries are not in order')
    previous = entry.name
  }
}

/** Gives each id the position of its first use. */
class LinkTable {
  readonly ids: ChunkId[] = []
  readonly #positions = new Map<ChunkId, number>()

  position(id: ChunkId): number {
    let position = this.#positions.get(id)
    if (position === undefined) {
      position = this.ids.push(id) - 1
      this.#positions.set(id, position)
    }
    return position
  }
}

/** The names of owners that occur, each once, sorted by their UTF-8 bytes. */
function nameTable(entries: readonly Entry[], field: 'user' | 'group'): string[] {
  const names = new Set<string>()
  for (const entry of entries) {
    const name = entry[field]
    if (name !== undefined) names.add(name)
  }
  return [...names].sort((a, b) => compareBytes(Buffer.from(a), Buffer.from(b)))
}

function positions(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, position) => [name, position]))
}

/**
 * Reads the outside of a tree; its entries are read when asked for.
 *
 * @param raw - the body of a chunk of kind `tree`, decompressed; borrowed until the view is dropped
 * @param links - the links of that chunk
 * @throws {CellarError} `FORMAT_INVALID`, `VERSION_UNKNOWN`
 */
export function decodeTree(raw: Uint8Array, links: readonly ChunkId[]): TreeView {
  const fields = new Fields(decodeCbor(raw, { ...TREE, bytesMax: payloadBytesMax, depthMax: 4 }), TREE)
  if (fields.uint() !== VERSION)
    throw new CellarError('VERSION_UNKNOWN', 'a tree is of a version that this program does not know')
  const digest = fields.bytes(32)
  const users = readNames(fields)
  const groups = readNames(fields)
  const subdirs = fields.list(treeEntriesMax, (value) => readSubdir(fields.nested(value), links))
  const count = fields.uint(treeEntriesMax)
  const columns = fields.bytes(1, payloadBytesMax)
  fields.end()
  checkSubdirs(subdirs, fields)
  const entries = (): Entry[] => readEntries(columns, { count, users, groups, subdirs, links }, digest)
  return { digest, count, subdirs, entries }
}

function readNames(fields: Fields): string[] {
  const names = fields.list(treeEntriesMax, (value) => new Fields([value], TREE).text(ownerNameBytesMax))
  let previous: Uint8Array | undefined
  for (const name of names) {
    const bytes = Buffer.from(name)
    if (previous !== undefined && compareBytes(previous, bytes) >= 0)
      fields.fail('names of owners are not in order')
    previous = bytes
  }
  return names
}

function readSubdir(fields: Fields, links: readonly ChunkId[]): Subdir {
  const name = fields.bytes(1, nameBytesMax)
  const trees = fields.list(treePartsMax, (value) => {
    return links[new Fields([value], TREE).uint()] ?? fields.fail('a position is out of range')
  })
  fields.end()
  if (trees.length === 0) fields.fail('a directory has no parts')
  return { name, trees }
}

function checkSubdirs(subdirs: readonly Subdir[], fields: Fields): void {
  let previous: Uint8Array | undefined
  for (const { name } of subdirs) {
    if (!isNameRight(name)) fields.fail('a name is not allowed')
    if (previous !== undefined && compareBytes(previous, name) >= 0)
      fields.fail('directories are not in order')
    previous = name
  }
}

/**
 * Reads all entries of a directory from the views of its parts, in order.
 *
 * @throws {CellarError} `FORMAT_INVALID`, also when the parts are not in order (S3.2)
 */
export function entriesOfParts(parts: readonly TreeView[]): Entry[] {
  const entries: Entry[] = []
  for (const part of parts) {
    const more = part.entries()
    const last = entries.at(-1)
    const [first] = more
    if (last !== undefined && first !== undefined && compareBytes(last.name, first.name) >= 0) {
      throw new CellarError('FORMAT_INVALID', 'the parts of a directory are not in order')
    }
    for (const entry of more) entries.push(entry)
  }
  return entries
}

function readEntries(columns: Uint8Array, tables: TreeTables, digest: Uint8Array): Entry[] {
  const entries = readColumns(columns, tables)
  const refuse = (reason: string): never => {
    throw new CellarError('FORMAT_INVALID', `a tree is invalid: ${reason}`)
  }
  let previous: Uint8Array | undefined
  for (const entry of entries) {
    const fault = findEntryFault(entry)
    if (fault !== undefined) refuse(fault)
    if (previous !== undefined && compareBytes(previous, entry.name) >= 0) refuse('entries are not in order')
    previous = entry.name
  }
  if (!equalBytes(treeDigest(entries), digest)) refuse('the digest is not that of the entries')
  return entries
}
