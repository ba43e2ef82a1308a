/** The directories that orders to restore are done in: always new, never somebody else's (spec/orders.md §3). */

import { lstatSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CellarError } from '../../protocol/index.ts'
import { namesToTry } from '../orders/directory-name.ts'
import type { MadeDirectory } from '../orders/order.ts'

/** As many directories of one name are made. */
const triesMax = 10_000

/** Where the settings say that orders are restored: absolute. @param path - absolute, or from `~` */
export function restoresDirectory(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

/**
 * Makes a directory that was not there, below the one of the settings, which is made too. Only its owner may enter it:
 * what is restored may be meant for nobody else, and may run as somebody else.
 *
 * @param wish - the asker's; see `directoryName`
 * @throws {CellarError} `TARGET_UNSAFE` when it cannot be made, `TARGET_FULL`
 */
export function makeRestoredDirectory(below: string, wish: string): MadeDirectory {
  try {
    mkdirSync(below, { recursive: true, mode: 0o700 })
    for (const name of namesToTry(wish, triesMax)) {
      const path = join(below, name)
      if (!tryMake(path)) continue
      const { dev, ino } = lstatSync(path, { bigint: true })
      return { path, dev, ino }
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    throw new CellarError(isFull ? 'TARGET_FULL' : 'TARGET_UNSAFE', message, {}, { cause: error })
  }
  throw new CellarError('TARGET_UNSAFE', `there are too many directories like that below ${below}`)
}

/** Says whether a directory that was made is still there, and nothing else in its place (Z2.3). */
export function isStillThere({ path, dev, ino }: MadeDirectory): boolean {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return found?.isDirectory() === true && found.dev === dev && found.ino === ino
}

/** @returns false when something has that name: whatever it is, it is left alone (Z2.2) */
function tryMake(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
