/** Hands tidings to channels, one try after another until one works (telling.md §6). */

import { setMaxListeners } from 'node:events'
import { CellarError, type Clock, isCellarError } from '../../protocol/index.ts'
import { Serial } from '../serial.ts'
import type { Channel } from './channels.ts'
import { isRoutine } from './flood.ts'
import type { Tiding } from './tiding.ts'
import { anyOf } from '../signals.ts'

const minuteMs = 60_000

/** After each failed try, before the next: what matters is told also after a day without a network. */
const RETRIES_MS: readonly number[] = [
  10_000,
  minuteMs,
  5 * minuteMs,
  30 * minuteMs,
  ...new Array<number>(23).fill(60 * minuteMs),
]
/** For what is told of each run: the next run comes. */
const RETRIES_ROUTINE_MS: readonly number[] = [10_000, minuteMs, 5 * minuteMs]

/** Longest wait that a server may ask for, milliseconds. */
const retryAfterMsMax = 60 * minuteMs

/** Deliveries under way, at most; each waits for its next try most of the time. */
const openMax = 200

/** How one try ended. */
export interface Tried {
  readonly channel: Channel
  readonly tiding: Tiding
  /** Undefined: it worked. */
  readonly error: CellarError | undefined
  /** Whether it is tried again. */
  readonly isLast: boolean
}

/** What an outbox stands on. */
export interface OutboxParts {
  readonly clock: Clock
  /** How often something is tried; false: once, and nothing waits. */
  readonly isRunning: boolean
  /** Is told of each try, with its error if it failed. */
  readonly onTried: (tried: Tried) => void
}

/** Deliveries under way. */
export class Outbox {
  readonly #parts: OutboxParts
  readonly #end = new AbortController()
  readonly #open = new Set<Promise<void>>()
  /** One try at a time for each channel, in the order of what happened. */
  readonly #lines = new Map<string, Serial>()
  readonly #firstTries = new Set<Promise<void>>()

  constructor(parts: OutboxParts) {
    this.#parts = parts
    // Each delivery that waits listens for the end.
    setMaxListeners(0, this.#end.signal)
  }

  /**
   * Begins to tell a channel.
   *
   * @returns resolves when the first try has ended, well or badly
   */
  deliver(channel: Channel, tiding: Tiding): Promise<void> {
    if (this.#end.signal.aborted) return Promise.resolve()
    if (this.#open.size >= openMax) {
      const message = `hook "${channel.name}": ${String(openMax)} messages wait already to be told`
      this.#parts.onTried({ channel, tiding, error: new CellarError('HOOK_FAILED', message), isLast: true })
      return Promise.resolve()
    }
    let onFirst = (): void => undefined
    const first = new Promise<void>((resolve) => (onFirst = resolve))
    const work = this.#deliver(channel, tiding, onFirst).finally(() => {
      onFirst()
      this.#open.delete(work)
      this.#firstTries.delete(first)
    })
    this.#open.add(work)
    this.#firstTries.add(first)
    void first.then(() => this.#firstTries.delete(first))
    return first
  }

  /** Resolves when all first tries have ended. */
  async firstTries(): Promise<void> {
    while (this.#firstTries.size > 0) await Promise.all(this.#firstTries)
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    await Promise.all(this.#open)
  }

  async #deliver(channel: Channel, tiding: Tiding, onTried: () => void): Promise<void> {
    const { clock, isRunning } = this.#parts
    const waits = !isRunning ? [] : isRoutine(tiding.on) ? RETRIES_ROUTINE_MS : RETRIES_MS
    for (let tries = 0; ; tries++) {
      const error = await this.#inLine(channel, tiding)
      const isPermanent = error?.context['permanent'] === true || error?.code === 'CONFIG_INVALID'
      const waitMs = isPermanent ? undefined : waits[tries]
      const isLast = error === undefined || waitMs === undefined || this.#end.signal.aborted
      this.#parts.onTried({ channel, tiding, error, isLast })
      onTried()
      if (isLast) return
      const askedMs = Number(error.context['retryAfterSeconds'] ?? 0) * 1000
      try {
        await clock.sleep(Math.max(waitMs, Math.min(askedMs, retryAfterMsMax)), this.#end.signal)
      } catch {
        return // the node is closing
      }
    }
  }

  async #inLine(channel: Channel, tiding: Tiding): Promise<CellarError | undefined> {
    const line = this.#lines.get(channel.name) ?? new Serial()
    this.#lines.set(channel.name, line)
    return await line.run(() => tryOnce(channel, tiding, this.#parts.clock, this.#end.signal))
  }
}

/**
 * Tells a channel once, within its time.
 *
 * @returns what went wrong
 */
export async function tryOnce(
  channel: Channel,
  tiding: Tiding,
  clock: Clock,
  signal: AbortSignal,
  onAnswer: (answer: string) => void = () => undefined,
): Promise<CellarError | undefined> {
  const end = new AbortController()
  const either = anyOf([signal, end.signal])
  const seconds = Math.round(channel.timeoutMs / 1000)
  const late = clock.sleep(channel.timeoutMs, either).then(
    () => {
      end.abort(new CellarError('HOOK_FAILED', `no answer within ${String(seconds)} s`))
    },
    () => undefined, // it ended in time
  )
  try {
    onAnswer(await channel.send(tiding, either))
    return undefined
  } catch (error) {
    if (isCellarError(error)) return error
    // A fault of ours must not keep the others from being told, nor end the node.
    const message = error instanceof Error ? error.message : String(error)
    return new CellarError(
      'HOOK_FAILED',
      `hook "${channel.name}": ${message}`,
      { permanent: true },
      { cause: error },
    )
  } finally {
    end.abort(new CellarError('ABORTED', 'done'))
    either.clear()
    await late
  }
}
