/**
 * Writes files: under another name first, in place only when whole, checked and complete with metadata (restore.md
 * §4).
 */

import { ftruncateSync, readSync, writeSync } from 'node:fs'
import type { Entry } from '../../protocol/index.ts'
import { CellarError } from '../../protocol/index.ts'
import type { Dir, Posix, Stat } from '../adapters/posix.ts'
import { applyMetadata, modeAtOnce, type Notice, type Rights } from './metadata.ts'
import { kindOf, type Piece } from './plan.ts'
import { removeTree } from './remove.ts'

/** What is the same for all files of a restore. */
export interface WriterParts {
  readonly posix: Posix
  readonly rights: Rights
  /** A directory with something in it may make way. */
  readonly mayDelete: boolean
  readonly notice: Notice
  /** A name not used before in any directory. */
  readonly tempName: () => Uint8Array
}

/** Where a file is going. */
export interface WriterTarget {
  readonly dir: Dir
  readonly inheritsAcl: boolean
  readonly entry: Entry
  /** What is there now. */
  readonly found: Stat | undefined
}

/** A file that is being written under another name. */
export interface OpenFile {
  readonly fd: number
  /** Puts it in place; closes it. @throws {Error} of the system; then it is as `drop` */
  finish(): void
  /** Forgets it; closes it. Never throws. */
  drop(): void
}

/** Begins a file: makes an empty one under another name. */
export function openFile(parts: WriterParts, target: WriterTarget): OpenFile {
  const { posix, rights, notice } = parts
  const { dir, entry, inheritsAcl } = target
  const madeWithMode = modeAtOnce(entry, rights, inheritsAcl)
  const temp = parts.tempName()
  const fd = posix.openAt(dir, temp, 'create', madeWithMode ?? 0o600)
  let isOpen = true
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    posix.close(fd)
  }
  const drop = (): void => {
    try {
      close()
    } finally {
      attempt(() => {
        posix.unlinkAt(dir, temp)
      })
    }
  }
  const finish = (): void => {
    try {
      if (entry.holes !== undefined) ftruncateSync(fd, entry.size) // it may end in a hole
      applyMetadata(
        posix,
        { fd },
        entry,
        madeWithMode === undefined ? { inheritsAcl } : { inheritsAcl, madeWithMode },
        rights,
        notice,
      )
      close() // before the rename: a file system may tell only now that it is full
      clearTheWay(parts, target)
      posix.renameAt(dir, temp, entry.name)
    } catch (error) {
      drop()
      throw error
    }
  }
  return { fd, finish, drop }
}

/** Makes what is no file and no directory: beside what is there, then in its place. */
export function makeSpecial(parts: WriterParts, target: WriterTarget): void {
  const { posix, rights, notice } = parts
  const { dir, entry, found, inheritsAcl } = target
  const name = found === undefined ? entry.name : parts.tempName()
  if (entry.type === 'symlink') posix.symlinkAt(entry.target ?? new Uint8Array(), dir, name)
  else if (entry.type === 'fifo') posix.mknodAt(dir, name, { type: 'fifo' })
  else if (entry.type === 'char' || entry.type === 'block') {
    posix.mknodAt(dir, name, {
      type: entry.type,
      ...(entry.deviceNumber === undefined ? {} : { number: entry.deviceNumber }),
    })
  } else throw new RangeError(`a ${entry.type} is nothing special`)
  try {
    applyMetadata(
      posix,
      { dir, name },
      entry,
      { inheritsAcl: inheritsAcl && entry.type !== 'symlink' },
      rights,
      notice,
    )
    if (found === undefined) return
    clearTheWay(parts, target)
    posix.renameAt(dir, name, entry.name)
  } catch (error) {
    attempt(() => {
      posix.unlinkAt(dir, name)
    })
    throw error
  }
}

/** Makes another name for a file that was restored; `from` and `fromDir` name it. */
export function makeLink(
  parts: WriterParts,
  from: { readonly dir: Dir; readonly name: Uint8Array },
  target: WriterTarget,
): void {
  const { posix } = parts
  const { dir, entry, found } = target
  if (found === undefined) {
    posix.linkAt(from.dir, from.name, dir, entry.name)
    return
  }
  const temp = parts.tempName()
  posix.linkAt(from.dir, from.name, dir, temp)
  try {
    clearTheWay(parts, target)
    posix.renameAt(dir, temp, entry.name)
  } finally {
    // renaming one name of a file to another name of it does nothing, and leaves both
    attempt(() => {
      posix.unlinkAt(dir, temp)
    })
  }
}

/** A directory makes way for a file when it is empty, or when deleting was asked for. */
function clearTheWay({ posix, mayDelete }: WriterParts, { dir, entry, found }: WriterTarget): void {
  if (found === undefined || kindOf(found) !== 'dir') return
  if (mayDelete) removeTree(posix, dir, entry.name)
  else posix.rmdirAt(dir, entry.name)
}

function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // what is gone already need not be removed
  }
}

/** Writes all of some bytes at a place in a file. */
export function writePieces(fd: number, raw: Uint8Array, pieces: readonly Piece[]): void {
  for (const { at, from, length } of pieces) {
    for (let done = 0; done < length; ) done += writeSync(fd, raw, from + done, length - done, at + done)
  }
}

/**
 * Compares a file with what it should be.
 *
 * @throws {CellarError} `RESTORE_INCOMPLETE` when they differ
 */
export function verifyPieces(
  fd: number,
  raw: Uint8Array,
  pieces: readonly Piece[],
  scratch: { buffer: Buffer },
): void {
  for (const { at, from, length } of pieces) {
    if (scratch.buffer.length < length) scratch.buffer = Buffer.allocUnsafeSlow(length)
    let done = 0
    while (done < length) {
      const count = readSync(fd, scratch.buffer, done, length - done, at + done)
      if (count === 0) break
      done += count
    }
    if (done < length || scratch.buffer.compare(raw, from, from + length, 0, length) !== 0) {
      throw new CellarError('RESTORE_INCOMPLETE', 'what was written is not what was read back')
    }
  }
}
