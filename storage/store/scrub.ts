/** Reads packs again, every byte with its hash, one after another (ordering.md §8); changes nothing. */
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { Problem, ScrubbedPack, ScrubOptions } from '../chunk-store.ts'
import type { DiskFile } from '../disk.ts'
import type { ChunkRecord } from '../index/record.ts'
import { packHeaderBytes, recordHeaderBytes } from '../pack/format.ts'
import { scanRecords } from '../pack/scan.ts'
import { pause } from '../pause.ts'
import { readChunk, type StoreParts } from './parts.ts'

/** Bytes read before others have their turn, and before the caller is asked to slow down. */
const STEP_BYTES = 256 * 1024

/** Yields each pack as it was found, in the order of their numbers. */
export async function* scrubPacks(parts: StoreParts, options: ScrubOptions): AsyncIterable<ScrubbedPack> {
  let last = options.after
  for (;;) {
    const pack = nextPack(parts, last)
    if (pack === undefined) return
    last = pack
    yield await new Scrub(parts, pack, options).run()
  }
}

/** The first pack behind a number that the index names: packs come and go meanwhile. */
function nextPack(parts: StoreParts, after: number): number | undefined {
  let next: number | undefined
  for (const [pack, { state }] of parts.index.packs)
    if (state !== 'drop' && pack > after && (next === undefined || pack < next)) next = pack
  return next
}

/** One pack being read. */
class Scrub {
  readonly #parts: StoreParts
  readonly #pack: number
  readonly #options: ScrubOptions
  /** Up to here it was committed when reading began. */
  readonly #end: number
  readonly #problems: Problem[] = []
  #chunks = 0
  #bytes = 0
  #sinceStep = 0

  constructor(parts: StoreParts, pack: number, options: ScrubOptions) {
    this.#parts = parts
    this.#pack = pack
    this.#options = options
    this.#end = parts.index.packs.get(pack)?.end ?? 0
  }

  async run(): Promise<ScrubbedPack> {
    const file = this.#open()
    try {
      const isEveryChunkSeen = file !== undefined && (await this.#scan(file))
      if (!isEveryChunkSeen) await this.#lookForAll(file === undefined)
      await this.#rest()
    } finally {
      file?.close()
    }
    return {
      pack: this.#pack,
      isLast: nextPack(this.#parts, this.#pack) === undefined,
      chunks: this.#chunks,
      bytes: this.#bytes,
      problems: this.#problems,
    }
  }

  /** Apart from what the store has open: a file that was removed behind its back is still readable there. */
  #open(): DiskFile | undefined {
    try {
      return this.#parts.packs.openApart(this.#pack)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return undefined
    }
  }

  /** Reads record after record. @returns whether every chunk that lives in the pack was come upon */
  async #scan(file: DiskFile): Promise<boolean> {
    const { index } = this.#parts
    let isWhole = true
    let seen = 0
    if (this.#end > packHeaderBytes) {
      for (const item of scanRecords(file, { to: this.#end, readData: true })) {
        await this.#step(item.kind === 'damage' ? item.length : recordHeaderBytes + item.length)
        if (item.kind === 'damage') isWhole = false
        else {
          const record = index.get(item.id)
          if (record?.pack !== this.#pack || record.offset !== item.offset) continue // dead, or moved by now
          seen++
          this.#chunks++
          if (!item.isGood && !record.isBad) this.#corrupt(item.id)
        }
      }
    }
    return isWhole && seen >= (index.packs.get(this.#pack)?.liveCount ?? 0)
  }

  /**
   * Looks for each chunk that should be in the pack by itself: where a record header is damaged, or the end of the file
   * gone, a scan cannot say what was there.
   */
  async #lookForAll(isGone: boolean): Promise<void> {
    const { index, packs } = this.#parts
    const known = new Set(this.#problems.map(({ id }) => id))
    let lost = 0
    for await (const [id, record] of index.chunks()) {
      this.#options.signal.throwIfAborted()
      if (record.pack !== this.#pack || record.offset + record.length > this.#end) continue
      if (record.isBad || known.has(id)) continue
      if (isGone || record.offset + record.length > packs.size(this.#pack)) {
        lost++
        if (this.#isCurrent(id, record)) this.#missing(id)
      } else if (!this.#isReadable(id) && this.#isCurrent(id, record)) this.#corrupt(id)
      await this.#step(record.length)
    }
    if (lost > 0) this.#packProblem(isGone)
  }

  #isReadable(id: ChunkId): boolean {
    try {
      readChunk(this.#parts, id, true)
      return true
    } catch (error) {
      if (error instanceof CellarError) return false
      throw error
    }
  }

  /** Says whether the index still says what was read of it: else a commit or compaction came between. */
  #isCurrent(id: ChunkId, record: ChunkRecord): boolean {
    const now = this.#parts.index.get(id)
    return now?.pack === record.pack && now.offset === record.offset && !now.isBad
  }

  #corrupt(id: ChunkId): void {
    const message = `chunk ${id} is damaged in pack ${String(this.#pack)}`
    this.#problems.push({ kind: 'chunk-corrupt', id, pack: this.#pack, message })
  }

  #missing(id: ChunkId): void {
    const message = `chunk ${id} was in the lost part of pack ${String(this.#pack)}`
    this.#problems.push({ kind: 'chunk-missing', id, pack: this.#pack, message })
  }

  #packProblem(isGone: boolean): void {
    const name = `pack ${String(this.#pack)}`
    const kind = isGone ? 'pack-missing' : 'pack-truncated'
    const message = isGone ? `${name} is missing` : `the end of ${name} is gone`
    this.#problems.unshift({ kind, pack: this.#pack, message })
  }

  async #step(bytes: number): Promise<void> {
    this.#bytes += bytes
    this.#sinceStep += bytes
    if (this.#sinceStep >= STEP_BYTES) await this.#rest()
  }

  async #rest(): Promise<void> {
    const { pace, signal } = this.#options
    const step = this.#sinceStep
    this.#sinceStep = 0
    await pause()
    signal.throwIfAborted()
    await pace?.(step)
    signal.throwIfAborted()
  }
}
