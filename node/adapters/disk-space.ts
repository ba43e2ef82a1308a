/** How much room a disk has. */

import { statfsSync } from 'node:fs'

/** Bytes that are free for this user where `path` lies, or undefined when the system does not say. */
export function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return undefined // a figure to show, no more
  }
}
