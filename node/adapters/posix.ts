/** Finds the file-system calls of this system; `posix-calls.ts` says what they are. */

import { readFileSync } from 'node:fs'
import type { OwnerNames, Posix } from './posix-calls.ts'
import { linuxPosix } from './posix-linux.ts'
import { plainPosix } from './posix-plain.ts'

export { joinPath } from './posix-calls.ts'
export type {
  DataExtent,
  DeviceNumber,
  Dir,
  OpenMode,
  Owner,
  OwnerNames,
  Posix,
  Stat,
  Xattr,
} from './posix-calls.ts'

/** The numbers and names of an /etc/passwd or /etc/group; empty when it cannot be read. */
export function readNames(file: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return names
  }
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':')
    if (name === undefined || number === undefined || name.startsWith('#') || !/^\d+$/.test(number)) continue
    if (!names.has(Number(number))) names.set(Number(number), name)
  }
  return names
}

let loaded: Promise<Posix> | undefined

/**
 * Loads what this system can do: all of it on Linux, plain Node elsewhere (`lost` says what is missing). Once a
 * thread.
 */
export function loadPosix(): Promise<Posix> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Posix> {
  const names: OwnerNames = { users: readNames('/etc/passwd'), groups: readNames('/etc/group') }
  if (process.platform !== 'linux') return plainPosix(names)
  try {
    const koffi = await import('koffi')
    return linuxPosix(koffi.default, names)
  } catch {
    return plainPosix(names) // a libc without these calls, or a processor that koffi does not know
  }
}
