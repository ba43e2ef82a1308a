/** Small files that must survive a crash and that nobody else may read: keys and settings. */

import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CellarError } from '../../protocol/index.ts'

/** Makes a directory that only its owner may enter; one that is there keeps its mode. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/**
 * Writes a file of mode 0600 in one step: a crash leaves the old one or the new one, whole.
 * Durable once it returns (file and directory are synced).
 */
export function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.new`
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/**
 * Reads a small file that only its owner may read.
 *
 * @returns its text, or undefined when there is none
 * @throws {CellarError} `KEY_MODE` when others may read or write it
 */
export function readPrivateFile(path: string): string | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const mode = fstatSync(fd).mode & 0o777
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CellarError(
        'KEY_MODE',
        `the key file ${path} has mode 0${mode.toString(8)}, so others can read it`,
        { path },
      )
    }
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** Reads a file that anybody may read, or undefined when there is none. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Where a path leads, through links; the path itself where nothing is yet. */
export function linkedTo(path: string): string {
  return isThere(path) ? realpathSync(path) : path
}

/** Says whether something is at a path. */
export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Removes a file, durably; one that is not there is no error. */
export function removeFile(path: string): void {
  rmSync(path, { force: true })
  syncDirectory(dirname(path))
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Longest secret that is read from a file: a passphrase, a phrase. */
const secretBytesMax = 64 * 1024

/**
 * Reads a file with a secret in it. Its group may read it, as what a service manager hands over; nobody else may.
 *
 * @throws {CellarError} `PATH_NOT_FOUND`; `KEY_MODE` when everybody may read it; `USAGE` when it is too long
 */
export function readSecretText(path: Uint8Array): string {
  const name = Buffer.from(path)
  const shown = name.toString()
  let fd: number
  try {
    fd = openSync(name, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new CellarError('PATH_NOT_FOUND', `there is no file ${shown}`, { path: shown })
  }
  try {
    const { mode, size } = fstatSync(fd)
    if (process.platform !== 'win32' && (mode & 0o007) !== 0)
      throw new CellarError('KEY_MODE', `everybody on this machine can read ${shown}`, { path: shown })
    if (size > secretBytesMax) throw new CellarError('USAGE', `${shown} is too long to hold a secret`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/**
 * Writes a new file that only its owner may read. Durable once it returns.
 *
 * @throws {CellarError} `USAGE` when something is there already: it is not written over
 */
export function writeNewSecret(path: Uint8Array, text: string): void {
  const name = Buffer.from(path)
  let fd: number
  try {
    fd = openSync(name, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new CellarError('USAGE', `${name.toString()} is there already; name a new file`)
  }
  try {
    writeFileSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  syncDirectory(dirname(name.toString()))
}
