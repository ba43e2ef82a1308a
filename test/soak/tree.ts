/** A folder that somebody works in: it changes all the time, and each state of it has a digest. */

import { createHash } from 'node:crypto'
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { type Seeded, type Writer, writer } from '../tools/seeded.ts'

const filesAtFirst = 400
const filesMax = 1200
const directories = 24
const largeBytes = 6 * 1024 * 1024
const changesMax = 60

/** A folder of small files and a few large ones. */
export class ChangingTree {
  readonly path: string
  readonly #chance: Seeded
  readonly #prose: Writer
  readonly #files: string[] = []
  #made = 0

  /** @param path - made; should not be there */
  constructor(path: string, chance: Seeded) {
    this.path = path
    this.#chance = chance
    this.#prose = writer(chance)
    for (let n = 0; n < directories; n++) mkdirSync(join(path, `d${String(n)}`), { recursive: true })
    for (let n = 0; n < filesAtFirst; n++) this.#add()
    for (let n = 0; n < 3; n++) writeFileSync(join(path, `large-${String(n)}`), chance.bytes(largeBytes))
  }

  /** Some hours of work: files come, go, grow, shrink, are renamed, and a large one has other bytes in its middle. */
  change(): void {
    const chance = this.#chance
    const changes = 1 + chance.below(changesMax)
    for (let n = 0; n < changes; n++) this.#changeOne()
    if (chance.below(3) !== 0) return
    const large = join(this.path, `large-${String(chance.below(3))}`)
    const bytes = readFileSync(large)
    chance.bytes(64 * 1024).copy(bytes, chance.below(bytes.length - 64 * 1024))
    writeFileSync(large, bytes)
  }

  /** What is in it now: names, kinds, modes, sizes, times and contents; the same for an exact copy elsewhere. */
  digest(): string {
    return digestOf(this.path)
  }

  #changeOne(): void {
    const chance = this.#chance
    const kind = chance.below(10)
    if (kind < 2 && this.#files.length < filesMax) {
      this.#add()
      return
    }
    const at = chance.below(this.#files.length)
    const name = this.#files[at]!
    const path = join(this.path, name)
    if (kind === 2 || this.#files.length >= filesMax) {
      rmSync(path)
      this.#files.splice(at, 1)
    } else if (kind === 3) {
      const renamed = this.#newName()
      renameSync(path, join(this.path, renamed))
      this.#files[at] = renamed
    } else if (kind === 4) truncateSync(path, Math.floor(lstatSync(path).size / 2))
    else if (kind < 7) appendFileSync(path, this.#prose.text(1 + chance.below(3000)))
    else writeFileSync(path, this.#content())
  }

  #add(): void {
    const name = this.#newName()
    const path = join(this.path, name)
    // Changes follow the link's name, never a file behind it.
    if (this.#chance.below(40) === 0) {
      symlinkSync(`nowhere-${String(this.#made)}`, path)
      return
    }
    writeFileSync(path, this.#content())
    this.#files.push(name)
  }

  #newName(): string {
    return join(`d${String(this.#chance.below(directories))}`, `file ${String(this.#made++)}`)
  }

  #content(): Buffer {
    const length = this.#chance.below(12) === 0 ? this.#chance.below(200_000) : this.#chance.below(8000)
    return this.#chance.below(2) === 0 ? this.#prose.text(length) : this.#chance.bytes(length)
  }
}

/** As {@link ChangingTree.digest}, of any directory. */
export function digestOf(path: string): string {
  const hash = createHash('sha256')
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort(byName)) {
      const full = join(directory, entry.name)
      const { mode, size, mtimeNs } = lstatSync(full, { bigint: true })
      const bytes = entry.isFile() ? size : 0n
      hash.update(`${relative(path, full)}\0${String(mode)}\0${String(bytes)}\0${String(mtimeNs)}\0`)
      if (entry.isDirectory()) walk(full)
      else if (entry.isSymbolicLink()) hash.update(readlinkSync(full))
      else if (entry.isFile()) hash.update(createHash('sha256').update(readFileSync(full)).digest())
    }
  }
  walk(path)
  return hash.digest('hex')
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}
