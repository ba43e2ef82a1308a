/** The record of held roots beside the packs, from which a lost index learns them (disk-layout.md §4). */
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { isChunkId, type RootId } from '../../protocol/index.ts'
import type { Disk } from '../disk.ts'

const NAME = 'holds'
const NEW_NAME = 'holds.new'
/** A line is '+' or '-', the id, a space, the CRC-32 of all that in 8 hex digits, and a line feed. */
const LINE_BYTES = 75
const SPARE_LINES_MAX = 4096

const lineOf = (isHeld: boolean, root: RootId): string => {
  const said = `${isHeld ? '+' : '-'}${root}`
  return `${said} ${crc32(said).toString(16).padStart(8, '0')}\n`
}

/** An append-only text of holds and releases; rewritten when it is mostly history. */
export class HoldsFile {
  readonly #disk: Disk
  readonly #directory: string
  /** Bytes of whole, good lines. */
  #end = 0

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  get #path(): string {
    return join(this.#directory, NAME)
  }

  /** The roots that the file says are held. Lines that are not good are passed over; a torn one is the last. */
  read(): Set<RootId> {
    const roots = new Set<RootId>()
    this.#end = 0
    const bytes = this.#disk.size(this.#path)
    if (bytes === undefined) return roots
    const file = this.#disk.open(this.#path, 'read')
    try {
      const text = Buffer.alloc(bytes)
      const lines = text.toString('latin1', 0, file.read(text, 0))
      for (let at = 0; at + LINE_BYTES <= lines.length; at += LINE_BYTES) {
        const id = lines.slice(at + 1, at + 65)
        const isHeld = lines.charAt(at) === '+'
        if (!isChunkId(id) || lines.slice(at, at + LINE_BYTES) !== lineOf(isHeld, id)) continue
        if (isHeld) roots.add(id)
        else roots.delete(id)
        this.#end = at + LINE_BYTES
      }
    } finally {
      file.close()
    }
    return roots
  }

  /** Adds lines; durable when it resolves. `roots`: all held, for when the file is rewritten. */
  async note(
    changes: readonly { readonly root: RootId; readonly isHeld: boolean }[],
    roots: ReadonlySet<RootId>,
  ): Promise<void> {
    const isLong = this.#end / LINE_BYTES > 2 * roots.size + SPARE_LINES_MAX
    if (isLong || this.#disk.size(this.#path) === undefined) {
      const after = new Set(roots)
      for (const { root, isHeld } of changes) {
        if (isHeld) after.add(root)
        else after.delete(root)
      }
      await this.rewrite(after)
      return
    }
    const file = this.#disk.open(this.#path, 'write')
    try {
      file.truncate(this.#end)
      const lines = Buffer.from(changes.map(({ root, isHeld }) => lineOf(isHeld, root)).join(''))
      file.write([lines], this.#end)
      await file.sync()
      this.#end += lines.byteLength
    } finally {
      file.close()
    }
  }

  /** Writes the file anew, atomically; durable when it resolves. */
  async rewrite(roots: ReadonlySet<RootId>): Promise<void> {
    const path = join(this.#directory, NEW_NAME)
    this.#disk.remove(path)
    const text = Buffer.from(
      [...roots]
        .sort()
        .map((root) => lineOf(true, root))
        .join(''),
    )
    const file = this.#disk.open(path, 'create')
    try {
      file.write([text], 0)
      await file.sync()
    } finally {
      file.close()
    }
    this.#disk.rename(path, this.#path)
    await this.#disk.syncDirectory(this.#directory)
    this.#end = text.byteLength
  }
}
