/** Files that other programs read: written whole, in one step. */

import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file in one step: whoever reads it sees the old one or the new one, whole, also after a crash. The file
 * keeps the mode of the one that it replaces.
 *
 * @param mode - of a file that is not there yet
 * @throws as `node:fs` does
 */
export function writePublicFile(path: string, text: string, mode: number): void {
  // Beside it, for one rename; hidden, and with another ending: collectors take all `*.prom` of a directory.
  const temporary = join(dirname(path), `.${basename(path)}.new`)
  const kept = statSync(path, { throwIfNoEntry: false })
  try {
    const fd = openSync(temporary, 'w', 0o600)
    try {
      writeFileSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    chmodSync(temporary, kept === undefined ? mode : kept.mode & 0o777)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
