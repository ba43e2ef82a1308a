/** A small disk of its own for tests that fill it: a tmpfs, where this machine lets us mount one. */

import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A mounted disk. */
export interface SmallDisk extends Disposable {
  readonly path: string
  /** Fills it to the last byte with a file. */
  fill(): void
  /** Removes that file. */
  empty(): void
  /** Bytes that are free. */
  free(): number
}

const block = Buffer.alloc(64 * 1024, 1)

/**
 * Mounts a small disk.
 *
 * @param path - made when it is not there
 * @returns undefined where that is not permitted; says so on standard error
 */
export function mountSmallDisk(path: string, mebibytes: number): SmallDisk | undefined {
  mkdirSync(path, { recursive: true })
  const options = `size=${String(mebibytes)}m,mode=0700`
  const { status, stderr, error } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', options, 'rootcellar-test', path],
    {
      encoding: 'utf8',
    },
  )
  if (status !== 0) {
    process.stderr.write(`    no small disk on this machine: ${(error?.message ?? stderr).trim()}\n`)
    return undefined
  }
  const filling = join(path, 'filling')
  return {
    path,
    fill: () => {
      fillFile(filling)
    },
    empty: () => {
      rmSync(filling, { force: true })
    },
    free: () => {
      const { bavail, bsize } = statfsSync(path)
      return bavail * bsize
    },
    [Symbol.dispose]: () => {
      // Lazily: processes may still run on it.
      spawnSync('umount', ['-l', path])
    },
  }
}

/** Writes until there is no room for one byte more. */
function fillFile(path: string): void {
  const fd = openSync(path, 'a')
  try {
    for (let length = block.length; length > 0; ) {
      try {
        writeSync(fd, block, 0, length)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        length = Math.floor(length / 2)
      }
    }
  } finally {
    closeSync(fd)
  }
}
