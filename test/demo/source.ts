/** What the demo backs up: a folder that was named, or a small tree of every kind of file. */

import { Buffer } from 'node:buffer'
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { makeTree } from '../tools/make-tree.ts'

/** A folder to back up, and what a storer's disk must not show of it. */
export interface Source {
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** Names of files and pieces of their contents; each at least 8 bytes. */
  readonly secrets: readonly Buffer[]
}

const secretsMax = 200
const nameBytesMin = 10
const pieceBytes = 24

/** Makes the demo's own tree. */
export function madeSource(path: string): Source {
  const made = makeTree(path, { seed: 'demo' })
  const found = foundSource(path)
  const named = [...made.names, ...made.contents].map((text) => Buffer.from(text))
  return { ...found, secrets: [...named, ...found.secrets] }
}

/** Looks at a folder of a person, and draws names and pieces of files from all over it. */
export function foundSource(path: string): Source {
  const found: Found = { names: [], files: [], bytes: 0 }
  look(Buffer.from(path), Buffer.from(basename(path)), found)
  const { names, files, bytes } = found
  const longNames = names
    .filter((name) => Buffer.byteLength(name) >= nameBytesMin)
    .map((name) => Buffer.from(name))
  const pieces = spread(files, secretsMax).flatMap((file) => pieceOf(file) ?? [])
  return { path, files: files.length, bytes, secrets: [...spread(longNames, secretsMax), ...pieces] }
}

/** What a walk has come upon. */
interface Found {
  readonly names: Buffer[]
  readonly files: Buffer[]
  bytes: number
}

/** Walks in raw bytes: names need not be UTF-8. What cannot be read is left to the backup to tell. */
function look(path: Buffer, name: Buffer, found: Found): void {
  found.names.push(name)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat?.isFile() === true) {
    found.files.push(path)
    found.bytes += stat.size
  }
  if (stat?.isDirectory() !== true) return
  for (const below of readNames(path)) look(Buffer.concat([path, Buffer.from('/'), below]), below, found)
}

function readNames(directory: Buffer): Buffer[] {
  try {
    return readdirSync(directory, { encoding: 'buffer' })
  } catch {
    return []
  }
}

/** At most `count` items, evenly from all. */
function spread<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, Math.floor(items.length / count))
  return items.filter((_, n) => n % step === 0).slice(0, count)
}

/** Bytes from the head of a file that are unlikely to be anywhere by chance, or undefined when it has none. */
function pieceOf(file: Buffer): Buffer | undefined {
  const piece = Buffer.alloc(pieceBytes)
  try {
    const fd = openSync(file, 'r')
    const read = readSync(fd, piece, 0, pieceBytes, 0)
    closeSync(fd)
    return read === pieceBytes && new Set(piece).size >= 10 ? piece : undefined
  } catch {
    return undefined
  }
}
