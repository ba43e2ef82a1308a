/** The token of the dashboard's address: a file of its owner alone (spec/control.md §5). */

import { CellarError, type Random } from '../../protocol/index.ts'
import { readPrivateFile, writePrivateFile } from '../adapters/private-files.ts'

/**
 * Reads the token, or makes one.
 *
 * @param path - of the file, in a directory that is there
 * @returns base64url of 32 bytes
 * @throws {CellarError} `KEY_MODE`, `KEY_INVALID`
 */
export function dashboardToken(path: string, random: Random): string {
  const text = readPrivateFile(path)
  if (text !== undefined) {
    const token = text.trim()
    if (/^[\w-]{43}$/.test(token)) return token
    throw new CellarError('KEY_INVALID', `${path} is no token: remove it, and the node makes a new one`, {
      path,
    })
  }
  const token = Buffer.from(random.bytes(32)).toString('base64url')
  writePrivateFile(path, `${token}\n`)
  return token
}
