/**
 * Arguments as the system gave them. Node decodes them as UTF-8 and loses other bytes; here nothing is lost
 * (node/argument-text.ts).
 */

import { readFileSync, readlinkSync } from 'node:fs'
import { decodeArgument } from '../node/client.ts'

export { absolutePath, argumentBytes, argumentText, decodeArgument } from '../node/client.ts'

/** Arguments of this process behind the program's name; on Linux exact, elsewhere as Node decoded them. */
export function processArguments(): string[] {
  const decoded = process.argv.slice(2)
  if (process.platform !== 'linux' || !decoded.some((text) => text.includes('\ufffd'))) return decoded
  try {
    const raw = splitAtNul(readFileSync('/proc/self/cmdline')).slice(-decoded.length).map(decodeArgument)
    return raw.length === decoded.length ? raw : decoded
  } catch {
    return decoded
  }
}

function splitAtNul(bytes: Buffer): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let start = 0; start < bytes.byteLength; ) {
    const end = bytes.indexOf(0, start)
    parts.push(bytes.subarray(start, end < 0 ? bytes.byteLength : end))
    start = end < 0 ? bytes.byteLength : end + 1
  }
  return parts
}

/** The bytes of the directory this process is in. */
export function processDirectory(): Uint8Array {
  try {
    if (process.platform === 'linux') return readlinkSync('/proc/self/cwd', { encoding: 'buffer' })
  } catch {
    // no /proc here
  }
  return Buffer.from(process.cwd(), 'utf8')
}
