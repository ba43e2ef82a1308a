/** The files of people: small trees in memory, made of few pieces, so that snapshots share most of their chunks. */

import type { Chance } from './random.ts'

/** A directory of files; each is a row of pieces. */
export type Folder = ReadonlyMap<string, readonly number[]>

/** All that one device backs up: its folders by name. */
export type Files = ReadonlyMap<string, Folder>

/** Different pieces there are: few, so that what was forgotten comes back. */
const piecesMax = 18
const foldersMax = 3
const filesMax = 3

/** The bytes of a piece: from 24 to 150. */
export function pieceBytes(piece: number): Uint8Array {
  return Buffer.from(`piece ${String(piece)} `.repeat(3 + (piece % 11)))
}

/** The bytes of a file. */
export function fileBytes(pieces: readonly number[]): Uint8Array {
  return Buffer.concat(pieces.map(pieceBytes))
}

function drawFile(chance: Chance): number[] {
  const count = 1 + chance.below(3)
  const pieces = new Set<number>()
  while (pieces.size < count) pieces.add(chance.below(piecesMax))
  return [...pieces]
}

function drawFolder(chance: Chance): Folder {
  const count = 1 + chance.below(filesMax)
  return new Map(Array.from({ length: count }, (_, at) => [`file-${String(at)}`, drawFile(chance)]))
}

/** Files of a new device. */
export function drawFiles(chance: Chance): Files {
  const count = 1 + chance.below(foldersMax)
  return new Map(Array.from({ length: count }, (_, at) => [`folder-${String(at)}`, drawFolder(chance)]))
}

/** The files after somebody has worked: mostly one folder is another, now and then all are. */
export function changeFiles(files: Files, chance: Chance): Files {
  if (chance.may(0.12)) return drawFiles(chance)
  const next = new Map(files)
  const name = chance.pick([...files.keys()])
  if (chance.may(0.15) && next.size > 1) next.delete(name)
  else next.set(name, drawFolder(chance))
  return next
}

/** Whether two trees are the same, byte for byte. */
export function isSameFiles(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  if (a.size !== b.size) return false
  for (const [path, bytes] of a) {
    const other = b.get(path)
    if (other === undefined || Buffer.compare(bytes, other) !== 0) return false
  }
  return true
}

/** All files by path, as they are to be restored. */
export function flatten(files: Files): Map<string, Uint8Array> {
  const flat = new Map<string, Uint8Array>()
  for (const [folder, inside] of files)
    for (const [file, pieces] of inside) flat.set(`/${folder}/${file}`, fileBytes(pieces))
  return flat
}
