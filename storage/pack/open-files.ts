/** The pack files that are open: as few as may be, closed by age. */
import type { Disk, DiskFile } from '../disk.ts'

const FILES_OPEN_MAX = 64

/** What an `OpenFiles` asks of whoever knows the packs. */
export interface OpenFilesWorld {
  readonly disk: Disk
  /** Where the file of a pack lies. */
  path(pack: number): string
  /** Says whether a file must stay open: a sync is due or under way. */
  isBusy(pack: number): boolean
}

/** Open pack files. */
export class OpenFiles {
  readonly #world: OpenFilesWorld
  readonly #open = new Map<number, DiskFile>()

  constructor(world: OpenFilesWorld) {
    this.#world = world
  }

  /** A pack, open; borrowed for the moment, closed at will. */
  get(pack: number): DiskFile {
    const file = this.#open.get(pack) ?? this.#openFile(pack)
    this.keep(pack, file)
    return file
  }

  #openFile(pack: number): DiskFile {
    const { disk } = this.#world
    const path = this.#world.path(pack)
    try {
      return disk.open(path, 'write')
    } catch (error) {
      if (!['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      return disk.open(path, 'read')
    }
  }

  /** Takes an open file over, and closes the oldest one if there are too many. */
  keep(pack: number, file: DiskFile): void {
    this.#open.delete(pack)
    this.#open.set(pack, file) // the newest last
    if (this.#open.size <= FILES_OPEN_MAX) return
    for (const [old] of this.#open) {
      if (this.#world.isBusy(old)) continue
      this.close(old)
      return
    }
  }

  /** Closes a pack, if it is open. */
  close(pack: number): void {
    this.#open.get(pack)?.close()
    this.#open.delete(pack)
  }

  /** Closes all. */
  closeAll(): void {
    for (const pack of [...this.#open.keys()]) this.close(pack)
  }
}
