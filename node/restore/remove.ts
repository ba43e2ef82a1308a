/** Removes what a restore must remove, never going through a symlink. */

import type { Dir, Posix } from '../adapters/posix.ts'
import { kindOf } from './plan.ts'

/**
 * Removes a name, and if it is a directory all below it.
 *
 * @returns how many names were removed
 * @throws {Error} of the system at the first that cannot be; what is gone by then is gone
 */
export function removeTree(posix: Posix, dir: Dir, name: Uint8Array): number {
  const found = posix.statAt(dir, name)
  if (found === undefined) return 0
  if (kindOf(found) !== 'dir') {
    posix.unlinkAt(dir, name)
    return 1
  }
  let count = 1
  const stack: {
    readonly parent: Dir
    readonly name: Uint8Array
    readonly dir: Dir
    readonly names: Uint8Array[]
  }[] = []
  const enter = (parent: Dir, of: Uint8Array): void => {
    const opened = posix.openDirAt(parent, of)
    stack.push({ parent, name: of, dir: opened, names: [...posix.list(opened)] })
  }
  try {
    enter(dir, name)
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.names.pop()
      if (next === undefined) {
        posix.closeDir(top.dir)
        stack.pop()
        posix.rmdirAt(top.parent, top.name)
        continue
      }
      const child = posix.statAt(top.dir, next)
      if (child === undefined) continue
      if (kindOf(child) === 'dir') enter(top.dir, next)
      else posix.unlinkAt(top.dir, next)
      count++
    }
  } finally {
    for (const level of stack) posix.closeDir(level.dir)
  }
  return count
}
