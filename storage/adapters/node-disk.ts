/** The real file system, by Node's sync calls: the caller orders the work, and one chunk is one call. */
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writevSync,
} from 'node:fs'
import { promisify } from 'node:util'
import type { Disk, DiskFile } from '../disk.ts'

const syncData = promisify(fdatasync)
const syncAll = promisify(fsync)
const FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const

class NodeFile implements DiskFile {
  #descriptor: number | undefined

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  get #fd(): number {
    if (this.#descriptor === undefined) throw new TypeError('the file is closed')
    return this.#descriptor
  }

  read(into: Uint8Array, position: number): number {
    let done = 0
    while (done < into.byteLength) {
      const bytes = this.#readAt(into, done, position + done)
      if (bytes === 0) break
      done += bytes
    }
    return done
  }

  /** A place that the disk cannot read is to a store what bytes are that are gone: it ends the reading. */
  #readAt(into: Uint8Array, done: number, position: number): number {
    try {
      return readSync(this.#fd, into, done, into.byteLength - done, position)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
      return 0
    }
  }

  write(parts: readonly Uint8Array[], position: number): void {
    let left = [...parts]
    let at = position
    while (left.length > 0) {
      let bytes = writevSync(this.#fd, left, at)
      at += bytes
      while (left[0] !== undefined && bytes >= left[0].byteLength) bytes -= left.shift()?.byteLength ?? 0
      if (left[0] !== undefined && bytes > 0) left = [left[0].subarray(bytes), ...left.slice(1)]
    }
  }

  size(): number {
    return fstatSync(this.#fd).size
  }

  truncate(length: number): void {
    ftruncateSync(this.#fd, length)
  }

  async sync(): Promise<void> {
    await syncData(this.#fd)
  }

  close(): void {
    if (this.#descriptor === undefined) return
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    closeSync(descriptor)
  }
}

class NodeDisk implements Disk {
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    return new NodeFile(openSync(path, FLAGS[mode], 0o600))
  }

  list(directory: string): string[] {
    return readdirSync(directory).sort()
  }

  size(path: string): number | undefined {
    return statSync(path, { throwIfNoEntry: false })?.size
  }

  mkdir(directory: string): void {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  rename(from: string, to: string): void {
    renameSync(from, to)
  }

  remove(path: string): void {
    rmSync(path, { force: true })
  }

  async syncDirectory(directory: string): Promise<void> {
    const descriptor = openSync(directory, 'r')
    try {
      await syncAll(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  freeBytes(directory: string): number {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  }
}

/** The file system of this machine. */
export function nodeDisk(): Disk {
  return new NodeDisk()
}
