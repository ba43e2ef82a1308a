/**
 * Giving the bytes of removed chunks back to the disk (ordering.md §5): packs are emptied from their end, step by
 * step.
 */
import type { ChunkId } from '../../protocol/index.ts'
import type { CompactOptions } from '../chunk-store.ts'
import type { DiskFile } from '../disk.ts'
import type { IndexDraft } from '../index/draft.ts'
import type { PackRecord } from '../index/record.ts'
import { packHeaderBytes, recordHeaderBytes } from '../pack/format.ts'
import { scanRecords } from '../pack/scan.ts'
import { pause } from '../pause.ts'
import { syncPacks, withReserve } from './commit.ts'
import type { StoreParts } from './parts.ts'

const MiB = 1024 * 1024
/** Live bytes moved in one step: the most that is on the disk twice, but for one longer record. */
const STEP_BYTES_MAX = 16 * MiB
/** Bytes copied by one read and one write, but for one longer record. */
const RUN_BYTES_MAX = 4 * MiB
/** Records looked at before others have the thread. */
const RECORDS_PER_PAUSE = 64
const DEAD_SHARE_MIN = 0.1
const WASTE_SHARE_MAX = 0.05

/** Where a record that may be live lies. */
interface Live {
  readonly id: ChunkId
  /** First byte of the chunk. */
  readonly offset: number
  readonly length: number
}

/** Bytes of all packs. */
interface Sums {
  dead: number
  all: number
}

/** A pack being emptied. */
interface Emptied {
  readonly pack: number
  readonly file: DiskFile
  /** What lived when it was looked through and was not moved since, in order. */
  readonly live: Live[]
  /** Of the index when it was looked through. */
  readonly generation: number
}

/** Rewrites packs with many dead bytes; takes the turnstile for each step. @returns bytes given back to the disk */
export async function compactPacks(
  parts: StoreParts,
  options: CompactOptions,
  onStep: (freedBytes: number) => void,
): Promise<number> {
  const compaction = new Compaction(parts, options, onStep)
  await compaction.run()
  return compaction.freedBytes
}

class Compaction {
  readonly #parts: StoreParts
  readonly #deadShareMin: number
  readonly #wasteShareMax: number
  readonly #signal: AbortSignal | undefined
  readonly #onStep: (freedBytes: number) => void
  #room = Buffer.alloc(0)
  freedBytes = 0

  constructor(parts: StoreParts, options: CompactOptions, onStep: (freedBytes: number) => void) {
    this.#parts = parts
    this.#deadShareMin = options.deadShareMin ?? DEAD_SHARE_MIN
    this.#wasteShareMax = options.wasteShareMax ?? WASTE_SHARE_MAX
    this.#signal = options.signal
    this.#onStep = onStep
  }

  async run(): Promise<void> {
    const { turnstile, packs } = this.#parts
    if (this.#isAborted()) return
    await turnstile.run(() => this.#dropDead())
    const chosen = await turnstile.run(() => Promise.resolve(this.#choose()))
    try {
      for (const pack of chosen) {
        if (!this.#isAborted()) await this.#empty(pack)
        packs.endClosing(pack)
      }
    } finally {
      for (const pack of chosen) packs.endClosing(pack)
      await turnstile.run(() => this.#forgetDropped())
    }
  }

  #isAborted(): boolean {
    return this.#signal?.aborted === true
  }

  /** Removes all packs without live chunks: said in the index first, so that a crash brings nothing back. */
  async #dropDead(): Promise<void> {
    const { index, packs } = this.#parts
    const dead = [...index.packs].filter(([, { liveCount, state }]) => liveCount === 0 && state !== 'drop')
    const dropped = this.#take(dead.map(([pack]) => pack))
    if (dropped.length === 0) return
    const draft = index.draft()
    for (const pack of dropped) draft.setPack(pack, DROPPED)
    await withReserve(this.#parts, () => draft.write(true))
    for (const pack of dropped) {
      this.freedBytes += packs.size(pack)
      packs.drop(pack)
    }
    this.#onStep(this.freedBytes)
  }

  /** Takes packs out of use. @returns those to which nobody writes */
  #take(packs: readonly number[]): number[] {
    const written = this.#parts.staging.packs()
    return packs.filter((pack) => !written.has(pack) && this.#parts.packs.beginClosing(pack))
  }

  /**
   * The packs to empty, those that cost least for what they give first. All are out of use from now on: what is moved
   * out of one must not go into another.
   */
  #choose(): number[] {
    const worthwhile = [...this.#parts.index.packs].filter(([, record]) => this.#isWorthwhile(record))
    worthwhile.sort((a, b) => deadShare(b[1]) - deadShare(a[1]))
    const sums = this.#sums()
    const chosen = worthwhile.filter(([, record]) => {
      const isEnough = this.#isEnough(sums)
      sums.dead -= deadBytes(record)
      sums.all -= deadBytes(record)
      return !isEnough
    })
    return this.#take(chosen.map(([pack]) => pack))
  }

  #sums(): Sums {
    const sums = { dead: 0, all: 0 }
    for (const record of this.#parts.index.packs.values()) {
      sums.dead += deadBytes(record)
      sums.all += record.end
    }
    return sums
  }

  /** Says whether what is dead is little, and as much is free besides: else each byte counts. */
  #isEnough({ dead, all }: Sums): boolean {
    const bytes = this.#wasteShareMax * all
    return dead <= bytes && this.#parts.packs.roomBytes >= bytes
  }

  /** Says whether moving what lives in a pack gives back enough. */
  #isWorthwhile(record: PackRecord): boolean {
    return deadBytes(record) > 0 && deadShare(record) >= this.#deadShareMin
  }

  async #empty(pack: number): Promise<void> {
    const file = this.#parts.packs.openApart(pack)
    try {
      const emptied = await this.#lookThrough(pack, file)
      if (emptied === undefined) return
      const step = (): Promise<boolean> => withReserve(this.#parts, () => this.#step(emptied))
      for (let isMore = true; isMore && !this.#isAborted(); ) {
        isMore = await this.#parts.turnstile.run(step)
        this.#onStep(this.freedBytes)
        await pause()
      }
    } finally {
      file.close()
    }
  }

  /** The live chunks of a pack; undefined when not all of them can be found: then it is left for `verify`. */
  async #lookThrough(pack: number, file: DiskFile): Promise<Emptied | undefined> {
    const { index } = this.#parts
    const { generation } = index
    const live: Live[] = []
    let looks = 0
    for (const item of scanRecords(file, { to: index.packs.get(pack)?.end ?? 0, readData: false })) {
      if (item.kind === 'damage') return undefined
      const { id, offset, length } = item
      if (this.#lives(pack, { id, offset, length })) live.push({ id, offset, length })
      if (++looks % RECORDS_PER_PAUSE === 0) await pause()
      if (this.#isAborted()) return undefined
    }
    return { pack, file, live, generation }
  }

  #lives(pack: number, { id, offset }: Live): boolean {
    const known = this.#parts.index.get(id)
    return known?.pack === pack && known.offset === offset
  }

  /** Moves the last live chunks of a pack elsewhere and cuts it behind what is left. @returns whether to go on */
  async #step(emptied: Emptied): Promise<boolean> {
    const { index, packs } = this.#parts
    const { pack, live } = emptied
    const record = index.packs.get(pack)
    if (record === undefined || index.generation !== emptied.generation) return false
    if (!this.#isWorthwhile(record) || live.length < record.liveCount) return false
    if (this.#isEnough(this.#sums())) return false
    const end = this.#chooseEnd(emptied, record)
    if (end === undefined) return false
    const draft = index.draft()
    const movedBytes = this.#copy(emptied, end.moving, draft)
    if (movedBytes === undefined) return false
    for (const error of await syncPacks(this.#parts)) throw error
    draft.setPack(pack, end.left === 0 ? DROPPED : { ...draft.pack(pack), end: end.cut, state: 'cut' })
    await draft.write(true)
    const before = packs.size(pack)
    if (end.left === 0) packs.drop(pack)
    else packs.truncate(pack, end.cut)
    this.freedBytes += before - packs.size(pack) - movedBytes
    live.length = end.left
    return end.left > 0
  }

  /** Which chunks one step moves, how many are left, and where the pack ends then; undefined: one is not found. */
  #chooseEnd(
    { pack, live }: Emptied,
    record: PackRecord,
  ): { moving: Live[]; left: number; cut: number } | undefined {
    const bytesMax = Math.min(STEP_BYTES_MAX, this.#parts.packs.freeBytes / 2)
    const moving: Live[] = []
    let bytes = 0
    let left = live.length
    for (let chunk = live[left - 1]; chunk !== undefined; chunk = live[--left - 1]) {
      if (!this.#lives(pack, chunk)) continue
      // Dead bytes at the end cost nothing: on a full disk they make the room for what follows.
      if (moving.length === 0 && bytesMax < STEP_BYTES_MAX && endOf(chunk) < record.end) break
      bytes += recordHeaderBytes + chunk.length
      if (moving.length > 0 && bytes > bytesMax) break
      moving.push(chunk)
    }
    if (left === 0 && moving.length < record.liveCount) return undefined
    return { moving: moving.reverse(), left, cut: endOf(live[left - 1]) }
  }

  /** Copies chunks as they are, good or bad, to other packs. @returns bytes copied; undefined when some are not there */
  #copy({ file }: Emptied, chunks: readonly Live[], draft: IndexDraft): number | undefined {
    let copied = 0
    for (const run of runsOf(chunks)) {
      const from = startOf(run[0])
      const bytes = this.#roomFor(endOf(run.at(-1)) - from)
      if (file.read(bytes, from) < bytes.byteLength) return undefined
      const { pack, at } = this.#parts.packs.appendRecords(bytes)
      for (const { id, offset } of run) {
        const known = draft.get(id)
        if (known !== undefined) draft.set(id, { ...known, pack, offset: at + offset - from })
      }
      draft.extendPack(pack, at + bytes.byteLength)
      copied += bytes.byteLength
    }
    return copied
  }

  /** Room for one copy, used again and again. */
  #roomFor(length: number): Buffer {
    if (this.#room.byteLength < length) this.#room = Buffer.allocUnsafeSlow(Math.max(length, RUN_BYTES_MAX))
    return this.#room.subarray(0, length)
  }

  /** Takes the packs out of the index whose files are removed. */
  async #forgetDropped(): Promise<void> {
    const { index, packs } = this.#parts
    const gone = [...index.packs].filter(
      ([pack, { state }]) => state === 'drop' && packs.use(pack) === undefined,
    )
    if (gone.length === 0) return
    await packs.syncNames() // or a file could come back without its entry
    const draft = index.draft()
    for (const [pack] of gone) draft.setPack(pack, undefined)
    await withReserve(this.#parts, () => draft.write(false))
  }
}

const DROPPED: PackRecord = { end: 0, liveBytes: 0, liveCount: 0, state: 'drop' }

/** Bytes of a pack that no chunk needs. */
function deadBytes(record: PackRecord): number {
  return Math.max(0, record.end - packHeaderBytes - record.liveBytes)
}

/** How much of a pack no chunk needs, 0 .. 1. */
function deadShare(record: PackRecord): number {
  const bytes = record.end - packHeaderBytes
  return bytes <= 0 ? 0 : deadBytes(record) / bytes
}

/** First byte of the record of a chunk. */
function startOf(chunk: Live | undefined): number {
  return (chunk?.offset ?? recordHeaderBytes) - recordHeaderBytes
}

/** First byte behind a chunk; of none: behind the header of the pack. */
function endOf(chunk: Live | undefined): number {
  return chunk === undefined ? packHeaderBytes : chunk.offset + chunk.length
}

/** Chunks that lie behind one another, together, as far as one copy goes. */
function runsOf(chunks: readonly Live[]): Live[][] {
  const runs: Live[][] = []
  for (const chunk of chunks) {
    const run = runs.at(-1)
    const isNext = endOf(run?.at(-1)) === startOf(chunk) && run !== undefined
    if (isNext && endOf(chunk) - startOf(run[0]) <= RUN_BYTES_MAX) run.push(chunk)
    else runs.push([chunk])
  }
  return runs
}
