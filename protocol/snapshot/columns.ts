/** The entries of a tree by columns: what most entries have in runs of bytes, the rest in lists (snapshot.md §4). */

import { type CborValue, decodeCbor, encodeCheckedCbor } from '../cbor.ts'
import type { ChunkId } from '../ids.ts'
import { payloadBytesMax } from '../limits.ts'
import type { Content, Entry, EntryType } from './entry.ts'
import { toPlanes } from './planes.ts'

/** What an entry is and how its content is found, as one number. */
export const FORMS = [
  'empty',
  'bundle',
  'chunks',
  'nodes',
  'dir',
  'symlink',
  'fifo',
  'char',
  'block',
] as const

/** See {@link FORMS}. */
export type Form = (typeof FORMS)[number]

/** The type of an entry of each form. */
export const TYPE_OF_FORM: Readonly<Record<Form, EntryType>> = {
  empty: 'file',
  bundle: 'file',
  chunks: 'file',
  nodes: 'file',
  dir: 'dir',
  symlink: 'symlink',
  fifo: 'fifo',
  char: 'char',
  block: 'block',
}

/** What a writer looks up. */
export interface Positions {
  readonly users: ReadonlyMap<string, number>
  readonly groups: ReadonlyMap<string, number>
  /** Where a chunk stands among the links of the tree, 0 for the first. */
  readonly linkPosition: (id: ChunkId) => number
}

const CONTENT_FORMS: Readonly<Record<Content['kind'], Form>> = {
  bundle: 'bundle',
  chunks: 'chunks',
  file: 'nodes',
}

function formOf({ type, content }: Entry): Form {
  if (type !== 'file') return type
  return content === undefined ? 'empty' : CONTENT_FORMS[content.kind]
}

/** Encodes entries that have been checked; the digest and the parts of directories are not in it. */
export function encodeColumns(entries: readonly Entry[], positions: Positions): Uint8Array {
  const owners = new Table()
  const devices = new Table()
  const columns = new NumberColumns(entries.length)
  const runs: number[] = []
  const details: CborValue[] = []
  const holes: CborValue[] = []
  const xattrs: CborValue[] = []
  for (const [position, entry] of entries.entries()) {
    const form = formOf(entry)
    columns.write(position, entry, {
      form: FORMS.indexOf(form),
      owner: owners.add(...ownerOf(entry, positions)),
      device: devices.add(entry.device.toString(), entry.device),
    })
    if (entry.content?.kind === 'bundle')
      runs.push(positions.linkPosition(entry.content.chunk), entry.content.offset)
    else details.push(...detailOf(entry, positions))
    if (entry.holes !== undefined)
      holes.push([position, entry.holes.flatMap(({ offset, length }) => [offset, length])])
    if (entry.xattrs !== undefined)
      xattrs.push([position, entry.xattrs.flatMap(({ name, value }) => [name, value])])
  }
  const names = Buffer.concat(entries.map(({ name }) => name))
  return encodeCheckedCbor([
    ...[columns.forms, toPlanes(columns.nameLengths, 2), names, owners.rows, toPlanes(columns.owners, 2)],
    ...[toPlanes(columns.mtimes, 8), toPlanes(columns.ctimes, 8), toPlanes(columns.inodes, 8)],
    ...[
      devices.rows,
      toPlanes(columns.devices, 2),
      toPlanes(columns.linkCounts, 4),
      toPlanes(columns.sizes, 8),
    ],
    ...[runsColumn(runs), details, holes, xattrs],
  ])
}

/** Distinct rows in the order of first use. */
class Table {
  readonly rows: CborValue[] = []
  readonly #positions = new Map<string, number>()

  add(key: string, row: CborValue): number {
    let position = this.#positions.get(key)
    if (position === undefined) {
      position = this.rows.push(row) - 1
      this.#positions.set(key, position)
    }
    return position
  }
}

function ownerOf({ mode, uid, gid, user, group }: Entry, { users, groups }: Positions): [string, CborValue] {
  const userPosition = user === undefined ? 0 : (users.get(user) as number) + 1
  const groupPosition = group === undefined ? 0 : (groups.get(group) as number) + 1
  const row = [mode, uid, gid, userPosition, groupPosition]
  return [row.join(), row]
}

/** What a form has beside the columns: nothing, or one value. */
function detailOf({ content, target, deviceNumber }: Entry, { linkPosition }: Positions): CborValue[] {
  if (content?.kind === 'chunks')
    return [content.chunks.flatMap(({ id, length }) => [linkPosition(id), length])]
  if (content?.kind === 'file') return [linkPosition(content.chunk)]
  if (target !== undefined) return [target]
  return deviceNumber === undefined ? [] : [[deviceNumber.major, deviceNumber.minor]]
}

/** Link and offset of each run in a bundle, 32 bits each: first all links, then all offsets, both by planes. */
function runsColumn(runs: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(runs.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [position, number] of runs.entries()) view.setUint32(position * 4, number)
  return toPlanes(bytes, 8)
}

/** What of a row is looked up in tables. */
interface Looked {
  readonly form: number
  readonly owner: number
  readonly device: number
}

const TWO_32 = 0x1_0000_0000

/** The columns of fixed width while they are filled, big-endian. */
class NumberColumns {
  readonly forms: Uint8Array
  readonly nameLengths: Uint8Array
  readonly owners: Uint8Array
  readonly mtimes: Uint8Array
  readonly ctimes: Uint8Array
  readonly inodes: Uint8Array
  readonly devices: Uint8Array
  readonly linkCounts: Uint8Array
  readonly sizes: Uint8Array
  readonly #views: readonly DataView[]

  constructor(count: number) {
    this.forms = new Uint8Array(count)
    this.nameLengths = new Uint8Array(2 * count)
    this.owners = new Uint8Array(2 * count)
    this.devices = new Uint8Array(2 * count)
    this.mtimes = new Uint8Array(8 * count)
    this.ctimes = new Uint8Array(8 * count)
    this.inodes = new Uint8Array(8 * count)
    this.linkCounts = new Uint8Array(4 * count)
    this.sizes = new Uint8Array(8 * count)
    const { nameLengths, owners, devices, mtimes, ctimes, inodes, linkCounts, sizes } = this
    this.#views = [nameLengths, owners, devices, mtimes, ctimes, inodes, linkCounts, sizes].map(
      (bytes) => new DataView(bytes.buffer),
    )
  }

  write(position: number, entry: Entry, looked: Looked): void {
    const [nameLengths, owners, devices, mtimes, ctimes, inodes, linkCounts, sizes] = this.#views as [
      ...[DataView, DataView, DataView, DataView, DataView, DataView, DataView, DataView],
    ]
    this.forms[position] = looked.form
    nameLengths.setUint16(2 * position, entry.name.byteLength)
    owners.setUint16(2 * position, looked.owner)
    devices.setUint16(2 * position, looked.device)
    mtimes.setBigInt64(8 * position, entry.mtimeNs)
    ctimes.setBigInt64(8 * position, entry.ctimeNs)
    inodes.setBigUint64(8 * position, entry.inode)
    linkCounts.setUint32(4 * position, entry.linkCount)
    sizes.setUint32(8 * position, Math.floor(entry.size / TWO_32))
    sizes.setUint32(8 * position + 4, entry.size % TWO_32)
  }
}

/** Decodes the list of columns, each still to be checked. */
export function decodeColumns(raw: Uint8Array): unknown {
  return decodeCbor(raw, { what: 'the entries of a tree', bytesMax: payloadBytesMax, depthMax: 4 })
}
