/** The files of a drill: where it restores to, and what it compares (spec/watching.md §4). */

import { type BigIntStats, createReadStream, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Entry } from '../../protocol/index.ts'

/** Where a drill restores to: below the home, which nobody else may look into. */
const directoryPrefix = 'drill-'

/**
 * Makes a directory for one drill below a home, and removes what one left that did not end: plain text of files, which
 * must not stay.
 *
 * @returns its absolute path
 */
export function makeDrillDirectory(home: string): string {
  for (const name of readdirSync(home)) if (name.startsWith(directoryPrefix)) removeDrilled(join(home, name))
  return mkdtempSync(join(home, directoryPrefix))
}

/** Removes what was restored. */
export function removeDrilled(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

const pieceBytes = 1024 * 1024

/** Whether a restored file is what the snapshot says of it, as far as its name, length and time tell. */
export function isAsSealed(restored: Buffer, entry: Entry): boolean {
  const found = statOf(restored)
  return found?.isFile() === true && found.size === BigInt(entry.size) && found.mtimeNs === entry.mtimeNs
}

/** Whether a live file is unchanged since it was backed up, by what an unchanged file is told by (backup.md §4). */
export function isUnchanged(live: Buffer, entry: Entry): boolean {
  const found = statOf(live)
  return (
    found?.isFile() === true &&
    found.size === BigInt(entry.size) &&
    found.mtimeNs === entry.mtimeNs &&
    found.ctimeNs === entry.ctimeNs &&
    found.ino === entry.inode
  )
}

/** Whether two files have the same bytes. @throws what reading throws */
export async function isSameContent(one: Buffer, other: Buffer, signal: AbortSignal): Promise<boolean> {
  const file = await open(other, 'r')
  try {
    const room = Buffer.allocUnsafe(pieceBytes)
    let at = 0
    for await (const data of createReadStream(one, { highWaterMark: pieceBytes, signal })) {
      const piece = data as Buffer
      const { bytesRead } = await file.read(room, 0, piece.byteLength, at)
      if (bytesRead < piece.byteLength || !piece.equals(room.subarray(0, bytesRead))) return false
      at += bytesRead
    }
    return (await file.read(room, 0, 1, at)).bytesRead === 0
  } finally {
    await file.close()
  }
}

function statOf(path: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined // not to be looked at: then it cannot be compared
  }
}
