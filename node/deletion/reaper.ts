/**
 * Frees what no snapshot needs any more (R6, R9, R10; spec/deletion.md §6). One pass goes as far as it can, and the
 * next goes on from what is written down: a crash between any two lines costs nothing but the time to come here again.
 */

import { type ChunkId, type Clock, isCellarError, type RootId } from '../../protocol/index.ts'
import type { ChunkStore, ReclaimProgress } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { Serial } from '../serial.ts'
import type { Staying } from '../thin/kept-trees.ts'
import type { DeletionSettings } from './facts.ts'
import { Judge } from './judge.ts'
import { neededChunks } from './needed.ts'
import { noteEveryMs } from './running-clock.ts'
import { anyOf } from '../signals.ts'

/** R6a: what an interrupted backup has stored waits so long for the next one, by running time, milliseconds. */
export const unfinishedMsMax = 30 * 24 * 3_600_000

/** After an error, such as a full disk, the next try begins so much later, milliseconds. */
const againMs = 30_000

/** With thousands of snapshots in the trash a look at them takes a while: at most a fifth of the time goes into it. */
const restShare = 4
const restMsMax = 2000
const restMsMin = 50

/** What a reaper stands on. */
export interface ReaperParts {
  readonly ledger: Ledger
  readonly store: ChunkStore
  readonly clock: Clock
  readonly events: Events
  readonly settings: DeletionSettings
  /** A restore, or another long use of the store, is under way; told as `session` when it begins and ends. */
  readonly isStoreInUse: () => boolean
  /** Signs what is new, if that may be. @returns false when it waits for contact with a peer */
  readonly publish: () => Promise<boolean>
  /** What stays although nothing needs all that is below it; undefined: nothing. @defaultValue nothing */
  readonly treesToKeep?: () => Promise<Staying | undefined>
  /** Says whether a chunk is kept for an upload (R6.7). @defaultValue none is */
  readonly isPromised?: (id: ChunkId) => boolean
  /** Does something while nothing is fetched into the store. */
  readonly pauseFetching: <T>(step: () => Promise<T>) => Promise<T>
}

/** How a pass is done. */
export interface ReapOptions {
  readonly signal: AbortSignal
  /** Also drops what an interrupted backup has stored. */
  readonly unfinished?: boolean
  /** Told after each step. */
  readonly onProgress?: (progress: ReapProgress) => void
}

/** How far a pass is. */
export interface ReapProgress {
  readonly step: 'releasing' | ReclaimProgress['step']
  readonly released: number
  readonly freedBytes: number
}

interface Freed {
  readonly chunks: number
  readonly bytes: number
}

/** What a pass has done. */
export interface Reaped extends Freed {
  /** Roots that are not held any more. */
  readonly released: readonly RootId[]
  readonly freedBytes: number
}

/** Frees space, one pass after another. */
export class Reaper {
  readonly #parts: ReaperParts
  readonly #serial = new Serial()
  /** Something may have lost its last reference: at first too, as a crash may have come before it was looked at. */
  #isReclaimDue = true
  /** Something may lie here that nothing ever referred to. */
  #isSweepDue = true
  #isCompactDue = false
  /** Something happened since the last pass began. */
  #isStale = true
  /** Dead roots of which nothing is here any more. */
  readonly #gone = new Set<RootId>()
  /** Milliseconds until time alone lets something go. */
  #nextMs = Infinity

  constructor(parts: ReaperParts) {
    this.#parts = parts
  }

  /**
   * Does all that may be done now. @throws {CellarError} `STORE_FULL` and others of the store; what is done stays done
   */
  async reap(options: ReapOptions): Promise<Reaped> {
    return await this.#serial.run(() => this.#pass(options))
  }

  /** Chunks that stay here alone, on a device that leaves contents to others. */
  async treesToKeep(): Promise<Staying | undefined> {
    return await this.#parts.treesToKeep?.()
  }

  /** Says whether a chunk is kept for an upload (R6.7): asked in the moment of removing. */
  isPromised(id: ChunkId): boolean {
    return this.#parts.isPromised?.(id) === true
  }

  /** Does so whenever something may have changed, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const off = this.#watch()
    let notedMs = this.#parts.clock.monotonicMs()
    try {
      while (!signal.aborted) {
        this.#isStale = false
        const beganMs = this.#parts.clock.monotonicMs()
        const restMs = await this.#tryPass(signal)
        const nowMs = this.#parts.clock.monotonicMs()
        await this.#breathe(restShare * (nowMs - beganMs), signal)
        if (nowMs - notedMs >= noteEveryMs && !isAborted(signal)) {
          await this.#parts.ledger.noteTime().catch(() => undefined) // a full disk: the next start counts a gap
          notedMs = nowMs
        }
        await this.#rest(restMs, signal)
      }
    } finally {
      off()
    }
  }

  #watch(): () => void {
    const { events, ledger } = this.#parts
    let hadSession = ledger.hasSession
    let leaned = ledger.leaned().size
    return events.on(({ kind }) => {
      // What was stored for a root that others have taken over was never referred to by anything whole.
      if (ledger.leaned().size < leaned) this.#isSweepDue = true
      leaned = ledger.leaned().size
      if (kind === 'view' || kind === 'session' || kind === 'contact' || kind === 'settings')
        this.#isStale = true
      // R6.7: what an upload has kept from going, and nothing needs.
      if (kind === 'upload') this.#isReclaimDue = this.#isSweepDue = this.#isStale = true
      if (kind !== 'session') return
      if (hadSession && !ledger.hasSession) this.#isSweepDue = true
      hadSession = ledger.hasSession
    })
  }

  /** @returns how long nothing needs to be done if nothing happens, milliseconds */
  async #tryPass(signal: AbortSignal): Promise<number> {
    try {
      await this.reap({ signal })
      return Math.min(this.#nextMs, noteEveryMs)
    } catch (error) {
      if (isAborted(signal)) return 0
      this.#tell(error)
      // Whatever happens meanwhile: what has just failed would fail again.
      await this.#parts.clock.sleep(againMs, signal).catch(() => undefined)
      this.#isStale = true
      return 0
    }
  }

  /** Leaves the thread to others after a pass that took long, whatever happens meanwhile. */
  async #breathe(ms: number, signal: AbortSignal): Promise<void> {
    if (ms < restMsMin) return
    await this.#parts.clock.sleep(Math.min(ms, restMsMax), signal).catch(() => undefined) // aborted: the loop sees it
  }

  /** Rests until something happens, so long at most. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isStale || isAborted(signal)) return
    const limit = { clock: this.#parts.clock, ms: Math.max(1, ms), signal }
    try {
      await this.#parts.events.nextWithin(() => this.#isStale, limit)
    } catch (error) {
      if (!isAborted(signal)) throw error
    }
  }

  /** R6a: a session that opened, or a restore that began, is seen here in the same moment. */
  get #isInUse(): boolean {
    return this.#parts.ledger.hasSession || this.#parts.isStoreInUse()
  }

  async #pass(options: ReapOptions): Promise<Reaped> {
    await this.#holdAgain()
    await this.#withdraw()
    const { ledger, publish } = this.#parts
    // R10: nobody may be told any more that it is held, before it is not.
    if ([...ledger.withdrawn().keys()].some((root) => ledger.saysHeld(root))) await publish()
    const released = await this.#release()
    options.onProgress?.({ step: 'releasing', released: released.length, freedBytes: 0 })
    return { released, ...(await this.#reclaim(options, released.length)) }
  }

  /** A root that lives, and is here whole, is held: the withdrawal of one that came to live again has ended. */
  async #holdAgain(): Promise<void> {
    const { ledger, store, events } = this.#parts
    const ended = [...ledger.withdrawn()].filter(
      ([root, why]) => ledger.isLive(root) && (why === 'forgotten' || ledger.isWanted(root)),
    )
    await ledger.endWithdrawal(ended.map(([root]) => root))
    for (const root of ledger.liveRoots()) {
      if (store.isHeld(root) || !store.isComplete(root)) continue
      // What was let go as others have it (R7) is not taken back, but by whom the goal chose.
      if (!ledger.isWanted(root) && ledger.copies(root).holders.length > 0) continue
      try {
        await store.hold(root)
        events.emit({ kind: 'held', root, bytes: 0 })
      } catch (error) {
        if (!isCellarError(error)) throw error // damaged, or no room: fetching sees to it
      }
    }
  }

  /** R6, R9: judges what is dead and held here; gives up the holds that may go, decided where nothing slips between. */
  async #withdraw(): Promise<void> {
    const { ledger, store, settings } = this.#parts
    const judge = new Judge(ledger, store, settings)
    this.#nextMs = Infinity
    const ready: RootId[] = []
    for (const { root } of ledger.dead()) {
      if (!store.isHeld(root)) this.#look(root)
      else if (!ledger.withdrawn().has(root)) {
        const { waits } = judge.judge(root)
        if (waits.length === 0) ready.push(root)
        for (const wait of waits)
          if ('remainingMs' in wait) this.#nextMs = Math.min(this.#nextMs, wait.remainingMs)
      }
    }
    if (ready.length === 0) return
    let newest: Judge | undefined
    await ledger.withdraw(ready, 'forgotten', (root) => {
      newest ??= new Judge(ledger, store, settings)
      return newest.mayRelease(root)
    })
  }

  /** Of a root that died before it was here whole, what had come is of no use. */
  #look(root: RootId): void {
    if (this.#gone.has(root)) return
    this.#gone.add(root)
    if (this.#parts.store.has(root)) this.#isSweepDue = true
  }

  /** R10: releases what no listing says is held. */
  async #release(): Promise<RootId[]> {
    const { ledger, store } = this.#parts
    if (this.#isInUse) return []
    const ready = [...ledger.withdrawn()].flatMap(([root, why]) =>
      ledger.saysHeld(root) || (why === 'forgotten' && ledger.isLive(root)) ? [] : [root],
    )
    if (ready.length === 0) return []
    await store.release(...ready)
    this.#isReclaimDue = true
    for (const root of ready) this.#gone.delete(root)
    await ledger.endWithdrawal(ready)
    return ready
  }

  async #reclaim(options: ReapOptions, released: number): Promise<Omit<Reaped, 'released'>> {
    const { pauseFetching, store } = this.#parts
    const unfinished = options.unfinished === true || (this.#isSweepDue && this.#mayDropUnfinished)
    let removed = { chunks: 0, bytes: 0 }
    if ((this.#isReclaimDue || unfinished) && !this.#isInUse) {
      removed = await pauseFetching(() => this.#remove(options, released, unfinished))
      if (removed.chunks > 0) this.#isCompactDue = true
    }
    if (!this.#isCompactDue || this.#isInUse || options.signal.aborted) return { ...removed, freedBytes: 0 }
    const stop = this.#stopWhen(options.signal, () => this.#isInUse)
    try {
      options.onProgress?.({ step: 'compacting', released, freedBytes: 0 })
      const freedBytes = await store.compact({ signal: stop.signal })
      this.#isCompactDue = stop.signal.aborted
      return { ...removed, freedBytes }
    } finally {
      stop.end()
    }
  }

  /** R6a: until the next backup completes, or for a month. */
  get #mayDropUnfinished(): boolean {
    const forMs = this.#parts.ledger.unfinishedForMs
    return forMs === undefined || forMs > unfinishedMsMax
  }

  /**
   * Removes what nothing needs; while it does nothing is fetched. What comes to be due from its beginning on may be too
   * late for what it has looked up: the next pass sees to it.
   */
  async #remove(options: ReapOptions, released: number, unfinished: boolean): Promise<Freed> {
    this.#isReclaimDue = false
    if (unfinished) this.#isSweepDue = false
    let isDone = false
    try {
      const { isWhole, ...freed } = await this.#removeUnneeded(options, released, unfinished)
      isDone = isWhole
      return freed
    } finally {
      if (!isDone) this.#isReclaimDue = this.#isCompactDue = true // part of it may have gone
      if (!isDone && unfinished) this.#isSweepDue = true
    }
  }

  /** One look at all that is free. A session that opens ends it within one step. */
  async #removeUnneeded(
    options: ReapOptions,
    released: number,
    unfinished: boolean,
  ): Promise<Freed & { readonly isWhole: boolean }> {
    const { ledger, store } = this.#parts
    const known = new Set(ledger.liveRoots())
    const needed = await neededChunks(ledger, store)
    const staying = await this.treesToKeep()
    // What came to live meanwhile may be here in parts: those are looked up first.
    const stop = this.#stopWhen(options.signal, () => this.#isInUse || this.#hasMore(known))
    try {
      const { chunks, bytes } = await store.reclaim({
        // R6a, asked in the moment of removing: what a session was told is here stays until it closes.
        mayReclaim: (id) => !this.#isInUse && !needed.has(id) && !this.isPromised(id),
        ...(staying !== undefined && { staysAlone: (id) => staying.has(id) }),
        unfinished,
        signal: stop.signal,
        compact: false,
        onProgress: ({ step, freedBytes }) => options.onProgress?.({ step, released, freedBytes }),
      })
      return { chunks, bytes, isWhole: !stop.signal.aborted && !this.#isInUse }
    } finally {
      stop.end()
    }
  }

  /** A root lives that did not, and some of it is here. */
  #hasMore(known: ReadonlySet<RootId>): boolean {
    const { ledger, store } = this.#parts
    return ledger.liveRoots().some((root) => !known.has(root) && !store.isHeld(root) && store.has(root))
  }

  /** A signal that is aborted with another one, or once something is so, looked at whenever something happens. */
  #stopWhen(signal: AbortSignal, isSo: () => boolean): { readonly signal: AbortSignal; end(): void } {
    const stop = new AbortController()
    const off = this.#parts.events.on(({ kind }) => {
      if ((kind === 'session' || kind === 'view') && isSo()) stop.abort()
    })
    const either = anyOf([signal, stop.signal])
    const end = () => {
      off()
      either.clear()
    }
    return { signal: either, end }
  }

  #tell(error: unknown): void {
    const { code, message } = isCellarError(error)
      ? error
      : { code: 'INTERNAL' as const, message: error instanceof Error ? (error.stack ?? '') : String(error) }
    this.#parts.events.emit({ kind: 'trouble', code, message })
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
