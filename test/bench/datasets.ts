/** The data of the benchmark, made from a seed; and how it changes between two backups. */

import {
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Seeded, seeded, writer } from '../tools/seeded.ts'

const MiB = 1024 * 1024
/** Bytes of program text that pieces are taken from. */
const corpusBytes = 64 * MiB

/** Names of the data sets, in the order in which they are run. */
export const datasetNames = ['incompressible', 'text', 'code', 'small', 'real'] as const

/** The name of a data set. */
export type DatasetName = (typeof datasetNames)[number]

/** One set of files to back up. */
export interface Dataset {
  readonly name: DatasetName
  /** For people: what it is, with its true figures. */
  readonly title: string
  readonly path: string
  readonly files: number
  readonly bytes: number
  /** Many small files: removing them slows later runs, so nothing of them is removed before the end. */
  readonly isManyFiles: boolean
  /** Changes 1 % of the files, or puts 1 KiB at the head of each large one; another change for each `round`. */
  change(round: number): void
}

/** Which data to make. */
export interface DatasetOptions {
  readonly directory: string
  /** Share of the full size, 0 .. 1 and above. */
  readonly scale: number
  /** A folder of this machine for `real`. */
  readonly realPath?: string
}

/** Makes a data set; undefined for `real` without a path. */
export function makeDataset(name: DatasetName, options: DatasetOptions): Dataset | undefined {
  const path = join(options.directory, name)
  switch (name) {
    case 'incompressible': {
      const chance = seeded('incompressible')
      return large(name, 'large files that do not compress', path, 2048 * options.scale, 256, (length) =>
        chance.bytes(length),
      )
    }
    case 'text': {
      const prose = writer(seeded('text'))
      return large(name, 'large files of text', path, 1024 * options.scale, 64, (length) =>
        prose.text(length),
      )
    }
    case 'code': {
      const program = programText(seeded('code'))
      return large(name, 'large files of program text', path, 1024 * options.scale, 64, program)
    }
    case 'small':
      return small(path, Math.round(200_000 * options.scale))
    case 'real':
      return options.realPath === undefined ? undefined : real(options.realPath)
  }
}

/** Files of `fileMiB`, or eight equal ones when that would be less than eight. */
function large(
  name: DatasetName,
  what: string,
  path: string,
  totalMiB: number,
  fileMiB: number,
  make: (length: number) => Buffer,
): Dataset {
  mkdirSync(path, { recursive: true })
  const files = Math.max(8, Math.round(totalMiB / fileMiB))
  const fileBytes = Math.round((totalMiB / files) * MiB)
  const names = Array.from({ length: files }, (_, n) =>
    join(path, `file-${n}.${name === 'incompressible' ? 'bin' : 'txt'}`),
  )
  for (const file of names) {
    const fd = openSync(file, 'w')
    for (let at = 0; at < fileBytes; at += 8 * MiB) writeSync(fd, make(Math.min(8 * MiB, fileBytes - at)))
    closeSync(fd)
  }
  return {
    name,
    title: `${mebibytes(files * fileBytes)} in ${files} ${what}`,
    path,
    files,
    bytes: files * fileBytes,
    isManyFiles: false,
    change(round) {
      const chance = seeded(`change ${name} ${round}`)
      for (const file of names) writeFileSync(file, Buffer.concat([chance.bytes(1024), readFileSync(file)]))
    },
  }
}

/** Program text to take pieces of: what the libraries that are installed bring along, in the order of their names. */
function readCorpus(): Buffer {
  const files: string[] = []
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (entry.isDirectory()) walk(join(path, entry.name))
      else if (entry.isFile() && /\.(js|mjs|ts)$/.test(entry.name)) files.push(join(path, entry.name))
    }
  }
  walk(fileURLToPath(new URL('../../../node_modules', import.meta.url)))
  const parts: Buffer[] = []
  let bytes = 0
  for (const file of files) {
    if (bytes >= corpusBytes) break
    const text = readFileSync(file)
    parts.push(text)
    bytes += text.byteLength
  }
  return Buffer.concat(parts)
}

/** Pieces of program text of 2 to 32 KiB, drawn from a seed: it compresses as sources do, and no large piece comes twice. */
function programText(chance: Seeded): (length: number) => Buffer {
  const corpus = readCorpus()
  return (length) => {
    const out = Buffer.alloc(length)
    for (let at = 0; at < length; ) {
      const piece = Math.min(2048 + chance.below(30_720), length - at)
      const start = chance.below(corpus.byteLength - piece)
      at += corpus.copy(out, at, start, start + piece)
    }
    return out
  }
}

/** Small files of 4 KiB on average, a hundred to a directory; text and other bytes. */
function small(path: string, count: number): Dataset {
  const chance = seeded('small')
  const prose = writer(chance)
  const files: string[] = []
  let bytes = 0
  for (let n = 0; n < count; n++) {
    const directory = join(path, `d${Math.floor(n / 10_000)}`, `e${Math.floor(n / 100) % 100}`)
    if (n % 100 === 0) mkdirSync(directory, { recursive: true })
    const length = smallLength(chance)
    const file = join(directory, `file-${n}.${n % 3 === 0 ? 'bin' : 'txt'}`)
    writeFileSync(file, n % 3 === 0 ? chance.bytes(length) : prose.text(length))
    files.push(file)
    bytes += length
  }
  return {
    name: 'small',
    title: `${count.toLocaleString('en')} small files, ${mebibytes(bytes)}`,
    path,
    files: count,
    bytes,
    isManyFiles: true,
    change(round) {
      const draw = seeded(`change small ${round}`)
      for (let n = 0; n < count / 100; n++) writeFileSync(draw.pick(files), draw.bytes(smallLength(draw)))
    },
  }
}

/** Bytes of a small file: mostly below 4 KiB, with a tail to 40 KiB. */
function smallLength(chance: Seeded): number {
  return chance.below(10) === 0 ? chance.below(40_000) : chance.below(4_600)
}

/** A folder as it is. Nothing of it is changed. */
function real(path: string): Dataset {
  const { files, bytes } = readAll(path)
  return {
    name: 'real',
    title: `${path}: ${files.toLocaleString('en')} files, ${mebibytes(bytes)}`,
    path,
    files,
    bytes,
    isManyFiles: true,
    change: () => undefined,
  }
}

const block = Buffer.alloc(4 * MiB)

/** Reads every file once, so that each run finds the same page cache; counts what it read. */
export function readAll(path: string): { readonly files: number; readonly bytes: number } {
  let files = 0
  let bytes = 0
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name)
    if (entry.isDirectory()) {
      const inside = readAll(below)
      files += inside.files
      bytes += inside.bytes
    } else if (entry.isFile()) {
      const fd = openSync(below, 'r')
      for (let read = -1; read !== 0; bytes += read) read = readSync(fd, block, 0, block.length, null)
      closeSync(fd)
      files++
    }
  }
  return { files, bytes }
}

/** Bytes on the disk below a directory, as the file system counts them. */
export function diskBytes(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  const below = stat.isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name)), 0)
    : 0
  return stat.blocks * 512 + below
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MiB).toLocaleString('en')} MiB`
}
