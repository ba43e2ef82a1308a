/** Merges the paths a person names into one tree of wishes (node/spec/backup.md §1); pure. */

import { CellarError } from '../../protocol/index.ts'

/** A directory on the way to a source, or a source. */
export interface Wish {
  /** One component, raw bytes; empty for the top. */
  readonly name: Buffer
  /** Named by the person: taken whole, and never left out by a rule. */
  isSource: boolean
  /** Sources in it, by the latin1 text of their names. */
  readonly inside: Map<string, Wish>
}

function wishFor(name: Buffer): Wish {
  return { name, isSource: false, inside: new Map() }
}

/** The components of an absolute path: `.` and empty ones dropped, `..` taken back. */
export function componentsOf(path: Uint8Array): Buffer[] {
  const bytes = Buffer.from(path.buffer, path.byteOffset, path.byteLength)
  if (bytes[0] !== 0x2f || bytes.includes(0))
    throw new CellarError('USAGE', 'A path to back up must be absolute and hold no NUL.')
  const components: Buffer[] = []
  let start = 1
  while (start <= bytes.length) {
    const slash = bytes.indexOf(0x2f, start)
    const end = slash === -1 ? bytes.length : slash
    const name = Buffer.from(bytes.subarray(start, end))
    const text = name.toString('latin1')
    if (text === '..') components.pop()
    else if (text !== '' && text !== '.') components.push(name)
    start = end + 1
  }
  return components
}

/**
 * Merges paths: each once, and one inside another as a part of it.
 *
 * @param paths - absolute, raw bytes, at least one; borrowed
 * @returns the wish for `/`
 * @throws {CellarError} `USAGE` for a path that is not absolute
 */
export function mergeSources(paths: readonly Uint8Array[]): Wish {
  const top = wishFor(Buffer.alloc(0))
  for (const path of paths) {
    let wish = top
    for (const name of componentsOf(path)) {
      const key = name.toString('latin1')
      let next = wish.inside.get(key)
      if (next === undefined) {
        next = wishFor(name)
        wish.inside.set(key, next)
      }
      wish = next
    }
    wish.isSource = true
  }
  return top
}

/** The sources that are in no other source, sorted by bytes: what the snapshot says it is of. */
export function outermostSources(top: Wish): Buffer[] {
  const found: Buffer[] = []
  const visit = (wish: Wish, path: Buffer): void => {
    if (wish.isSource) found.push(path.length === 0 ? Buffer.from('/') : path)
    else
      for (const next of wish.inside.values()) visit(next, Buffer.concat([path, Buffer.from('/'), next.name]))
  }
  visit(top, Buffer.alloc(0))
  return found.sort((a, b) => a.compare(b))
}

/**
 * The first source at or below a wish that was not found: what a person should hear of.
 *
 * @param path - of the wish, absolute
 */
export function firstMissing(path: Buffer, wish: Wish): Buffer {
  const names: Buffer[] = [path]
  for (let at: Wish | undefined = wish; at !== undefined && !at.isSource; ) {
    const [next]: Wish[] = [...at.inside.values()]
    if (next !== undefined) names.push(Buffer.from('/'), next.name)
    at = next
  }
  return Buffer.concat(names)
}
