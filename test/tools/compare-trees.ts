/** Says in what two trees of files differ: bytes, kinds, modes, owners, times, attributes, links, holes. */

import { Buffer } from 'node:buffer'
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { dataRanges, listXattrs } from './libc.ts'

/** One thing that is not the same on both sides. */
export interface Difference {
  /** Path below the roots; bytes that are not UTF-8 are written as \xNN. */
  readonly path: string
  /** What differs: `missing`, `extra`, `type`, `mode`, `owner`, `mtime`, `size`, `bytes`, `target`, … */
  readonly what: string
  readonly left: string
  readonly right: string
}

/** What to leave out of the comparison. */
export interface CompareOptions {
  /** Compare uid and gid. @defaultValue true for root, who alone can set them */
  readonly owners?: boolean
  /** Compare where holes are, not only the bytes. @defaultValue true */
  readonly holes?: boolean
  /** Compare the root directories' own times and modes. @defaultValue false */
  readonly roots?: boolean
  /** Stop after so many differences. @defaultValue 50 */
  readonly differencesMax?: number
}

const blockBytes = 1024 * 1024
const leftBlock = Buffer.alloc(blockBytes)
const rightBlock = Buffer.alloc(blockBytes)

const kinds: readonly [keyof BigIntStats & `is${string}`, string][] = [
  ['isFile', 'file'],
  ['isDirectory', 'directory'],
  ['isSymbolicLink', 'symlink'],
  ['isFIFO', 'fifo'],
  ['isSocket', 'socket'],
  ['isCharacterDevice', 'character device'],
  ['isBlockDevice', 'block device'],
]

/** The kind of a thing in a word. */
function kindOf(stat: BigIntStats): string {
  return kinds.find(([is]) => stat[is]())?.[1] ?? 'unknown'
}

/** A path in bytes as printable text. */
function printable(path: Buffer): string {
  const utf8 = path.toString()
  const whole = Buffer.from(utf8).equals(path) ? utf8 : path.toString('latin1')
  return whole.replace(
    /[\x00-\x1f\x7f-\x9f]/g,
    (it) => `\\x${it.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

const slash = Buffer.from('/')
const join = (directory: Buffer, name: Buffer): Buffer => Buffer.concat([directory, slash, name])

/** Where the first differing byte of two files of one size is, or undefined when there is none. */
function firstDifference(left: number, right: number): number | undefined {
  for (let at = 0; ; ) {
    const read = readSync(left, leftBlock, 0, blockBytes, at)
    const other = readSync(right, rightBlock, 0, blockBytes, at)
    const same = Math.min(read, other)
    if (leftBlock.compare(rightBlock, 0, same, 0, same) !== 0) {
      for (let i = 0; i < same; i++) if (leftBlock[i] !== rightBlock[i]) return at + i
    }
    if (read !== other) return at + same
    if (read === 0) return undefined
    at += read
  }
}

/** Walks two trees side by side. */
class Comparison {
  readonly differences: Difference[] = []
  readonly #options: Required<CompareOptions>
  /** First path of each inode with several names, on each side: hard links are groups of paths. */
  readonly #links = [new Map<string, string>(), new Map<string, string>()] as const

  constructor(options: CompareOptions) {
    this.#options = {
      owners: process.getuid?.() === 0,
      holes: true,
      roots: false,
      differencesMax: 50,
      ...options,
    }
  }

  #differ(path: Buffer, what: string, left: unknown, right: unknown): void {
    this.differences.push({ path: printable(path), what, left: String(left), right: String(right) })
  }

  get #full(): boolean {
    return this.differences.length >= this.#options.differencesMax
  }

  directory(left: Buffer, right: Buffer, below: Buffer): void {
    const read = (directory: Buffer): Buffer[] =>
      readdirSync(directory, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))
    const others = new Map(read(right).map((name) => [name.toString('latin1'), name]))
    for (const name of read(left)) {
      if (this.#full) return
      const path = below.length === 0 ? name : join(below, name)
      if (others.delete(name.toString('latin1'))) this.entry(join(left, name), join(right, name), path)
      else if (!lstatSync(join(left, name)).isSocket()) this.#differ(path, 'missing', 'there', 'not there')
    }
    for (const name of others.values()) this.#differ(join(below, name), 'extra', 'not there', 'there')
  }

  entry(left: Buffer, right: Buffer, path: Buffer): void {
    const a = lstatSync(left, { bigint: true })
    const b = lstatSync(right, { bigint: true })
    const kind = kindOf(a)
    if (kind !== kindOf(b)) {
      this.#differ(path, 'type', kind, kindOf(b))
      return
    }
    this.metadata(path, a, b)
    this.#attributes(left, right, path)
    if (kind === 'directory') this.directory(left, right, path)
    else this.#hardLinks(path, a, b)
    if (kind === 'file') this.#content(left, right, path, a, b)
    if (kind === 'symlink') this.#target(left, right, path)
    if (kind.endsWith('device') && a.rdev !== b.rdev) this.#differ(path, 'device number', a.rdev, b.rdev)
  }

  metadata(path: Buffer, a: BigIntStats, b: BigIntStats): void {
    // Linux has no modes of symbolic links.
    if (a.mode !== b.mode && !a.isSymbolicLink())
      this.#differ(path, 'mode', a.mode.toString(8), b.mode.toString(8))
    if (this.#options.owners && (a.uid !== b.uid || a.gid !== b.gid)) {
      this.#differ(path, 'owner', `${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`)
    }
    if (a.mtimeNs !== b.mtimeNs) this.#differ(path, 'mtime', a.mtimeNs, b.mtimeNs)
  }

  #attributes(left: Buffer, right: Buffer, path: Buffer): void {
    const a = JSON.stringify([...listXattrs(left)])
    const b = JSON.stringify([...listXattrs(right)])
    if (a !== b) this.#differ(path, 'xattrs', a, b)
  }

  #hardLinks(path: Buffer, a: BigIntStats, b: BigIntStats): void {
    const first = (side: 0 | 1, stat: BigIntStats): string => {
      if (stat.nlink < 2n) return printable(path)
      const inode = `${stat.dev}:${stat.ino}`
      const known = this.#links[side].get(inode)
      if (known === undefined) this.#links[side].set(inode, printable(path))
      return known ?? printable(path)
    }
    const [one, other] = [first(0, a), first(1, b)]
    if (one !== other) this.#differ(path, 'hard link', `same file as ${one}`, `same file as ${other}`)
  }

  #content(left: Buffer, right: Buffer, path: Buffer, a: BigIntStats, b: BigIntStats): void {
    if (a.size !== b.size) {
      this.#differ(path, 'size', a.size, b.size)
      return
    }
    const one = openSync(left, 'r')
    const other = openSync(right, 'r')
    try {
      const at = firstDifference(one, other)
      if (at !== undefined) this.#differ(path, 'bytes', `first difference at ${at}`, '')
      const isSparse = (stat: BigIntStats): boolean => stat.blocks * 512n < stat.size
      if (this.#options.holes && (isSparse(a) || isSparse(b))) {
        const data = [one, other].map((fd) => dataRanges(fd, Number(a.size)).join(' '))
        if (data[0] !== data[1]) this.#differ(path, 'holes', `data at ${data[0]}`, `data at ${data[1]}`)
      }
    } finally {
      closeSync(one)
      closeSync(other)
    }
  }

  #target(left: Buffer, right: Buffer, path: Buffer): void {
    const a = readlinkSync(left, { encoding: 'buffer' })
    const b = readlinkSync(right, { encoding: 'buffer' })
    if (!a.equals(b)) this.#differ(path, 'target', printable(a), printable(b))
  }
}

/**
 * Compares two directories and all below them. A socket may be missing on the right: it is of no use without the
 * program that made it, and no backup keeps it.
 *
 * @param left - what should be there
 * @param right - what is there
 * @returns what differs, in the order of a walk; nothing when the trees are the same
 */
export function compareTrees(
  left: string | Buffer,
  right: string | Buffer,
  options: CompareOptions = {},
): Difference[] {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  const comparison = new Comparison(options)
  if (options.roots === true) {
    comparison.entry(a, b, Buffer.from('.'))
    return comparison.differences.map((it) => ({ ...it, path: it.path.replace(/^\.\//, '') }))
  }
  comparison.directory(a, b, Buffer.alloc(0))
  return comparison.differences
}

/** Differences as lines for people, the first ones only. */
export function describeDifferences(differences: readonly Difference[], linesMax = 10): string {
  const lines = differences.slice(0, linesMax).map((it) => `${it.path}: ${it.what}: ${it.left} | ${it.right}`)
  if (differences.length > linesMax) lines.push(`and ${differences.length - linesMax} more`)
  return lines.join('\n')
}
