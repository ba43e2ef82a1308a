/** Many backups of a tree that changes between them, some of which are forgotten and their space given back. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Seeded, seeded, writer } from '../tools/seeded.ts'

const MiB = 1024 * 1024
const filesPerDirectory = 100

/** A tree, and how it changes from one backup to the next. */
export interface History {
  /** For people: what it is, with its true figures. */
  readonly title: string
  readonly path: string
  /**
   * Some days later: in 1 % of the files something changed, some were removed, some added, and one of the large ones is
   * another one.
   */
  change(): void
}

/** A tree of `files` small files and eight large ones; the same one for each seed. */
export function makeHistory(path: string, files: number, largeMiB: number): History {
  const chance = seeded('history')
  const prose = writer(chance)
  const names: string[] = []
  let made = 0
  const add = (): void => {
    const directory = join(path, `d${Math.floor(made / filesPerDirectory)}`)
    mkdirSync(directory, { recursive: true })
    const name = join(directory, `file-${made++}.txt`)
    writeFileSync(name, made % 3 === 0 ? chance.bytes(smallLength(chance)) : prose.text(smallLength(chance)))
    names.push(name)
  }
  const large = (at: number): void => {
    writeFileSync(join(path, `large-${at}.bin`), chance.bytes(Math.round(largeMiB * MiB)))
  }
  for (let n = 0; n < files; n++) add()
  for (let n = 0; n < 8; n++) large(n)
  return {
    title:
      `${files.toLocaleString('en')} small files and 8 of ${largeMiB} MiB; between two backups 1 % of the small ` +
      'files changed, some came and went, and one large one is new',
    path,
    change() {
      const few = Math.max(1, Math.round(files / 1000))
      for (let n = 0; n < few; n++) rmSync(names.splice(chance.below(names.length), 1)[0]!)
      for (let n = 0; n < few; n++) add()
      for (let n = 0; n < files / 100; n++)
        writeFileSync(chance.pick(names), chance.bytes(smallLength(chance)))
      large(chance.below(8))
    },
  }
}

function smallLength(chance: Seeded): number {
  return chance.below(10) === 0 ? chance.below(40_000) : chance.below(4_600)
}
