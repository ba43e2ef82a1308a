/** Where figures and status go without being asked for: an endpoint, a text file, a push gateway, a status file (telling.md §9). */

import { CellarError, isCellarError } from '../../protocol/index.ts'
import type { Config } from '../config/types.ts'
import type { NodeEvent } from '../events.ts'
import { readStatus } from '../operations/status.ts'
import type { NodeParts } from '../parts.ts'
import { Serial } from '../serial.ts'
import { statusSentence } from '../status-sentence.ts'
import type { Collector } from './metrics/collect.ts'
import { METRICS_TYPE } from './metrics/exposition.ts'
import type { Outside, Served } from './outside.ts'
import { anyOf } from '../signals.ts'

/** After news, before files are written anew, milliseconds: news comes in crowds. */
const gatherMs = 1000
/** Longest time of one push, milliseconds. */
const pushMs = 20_000
/** Of files that are not there yet: figures are for other users, status is for this one. */
const textFileMode = 0o644
const statusFileMode = 0o600

const NEWS: ReadonlySet<NodeEvent['kind']> = new Set([
  'view',
  'held',
  'room',
  'peer',
  'task',
  'trouble',
  'mended',
])

/** What an outlet stands on. */
export interface OutletParts {
  readonly parts: NodeParts
  readonly collector: Collector
  /** The world outside, loaded when it is needed. */
  readonly outside: () => Promise<Outside>
}

/** Says whether the settings ask for any file or address to be kept up to date. */
export function hasOutlets({ metrics, statusFile }: Config): boolean {
  return [metrics.listen, metrics.textFile, metrics.push, statusFile].some((one) => one !== undefined)
}

/** Keeps outlets up to date until it is closed. */
export class Outlets {
  readonly #given: OutletParts
  readonly #end = new AbortController()
  readonly #serving = new Serial()
  #served: { readonly listen: string; readonly server: Served } | undefined
  #work: Promise<unknown> | undefined
  #off: (() => void) | undefined
  readonly #isFailing = new Set<string>()

  constructor(given: OutletParts) {
    this.#given = given
  }

  /** Where the endpoint listens; undefined: nowhere. */
  get address(): string | undefined {
    return this.#served?.server.address
  }

  /** Begins; once. An endpoint that cannot listen is told of, and does not keep the node from running. */
  async start(): Promise<void> {
    const { settings } = this.#given.parts
    await this.#listen(settings.current.metrics.listen)
    this.#off = settings.onChange((now) => void this.#listen(now.metrics.listen))
    this.#work = this.#goOn().catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#tell('outlets', error)
    })
  }

  /** Brings files and gateway up to date once: after a command, where no node runs. */
  async writeOnce(): Promise<void> {
    const { statusFile, metrics } = this.#given.parts.settings.current
    const { textFile, push } = metrics
    if (statusFile !== undefined) await this.#attempt('status file', () => this.#writeStatus(statusFile))
    if (textFile !== undefined) await this.#attempt('text file', () => this.#writeText(textFile))
    if (push !== undefined) await this.#attempt('push', () => this.#push(push))
  }

  /** Ends; files stay as they are, and say when they were written. Idempotent. */
  async close(): Promise<void> {
    this.#off?.()
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    await this.#work
    await this.#serving.run(async () => {
      await this.#served?.server.close()
      this.#served = undefined
    })
  }

  async #goOn(): Promise<void> {
    const { events, world, settings } = this.#given.parts
    const { signal } = this.#end
    for (;;) {
      if (hasOutlets(settings.current)) await this.writeOnce()
      const limit = { clock: world.clock, ms: settings.current.metrics.everyMs, signal }
      await events.nextWithin((event) => NEWS.has(event.kind) && !this.#isOwn(event), limit)
      await world.clock.sleep(Math.max(gatherMs, this.#given.collector.restMs), signal)
    }
  }

  /** What these outlets told themselves is no news, or they would never rest. */
  #isOwn(event: NodeEvent): boolean {
    return event.kind === 'trouble' && event.code === 'HOOK_FAILED'
  }

  async #listen(listen: string | undefined): Promise<void> {
    await this.#serving.run(async () => {
      if (this.#served?.listen === listen || this.#end.signal.aborted) return
      await this.#served?.server.close()
      this.#served = undefined
      if (listen === undefined) return
      await this.#attempt('metrics endpoint', async () => {
        const outside = await this.#given.outside()
        const server = await outside.serve(listen, () => this.#given.collector.text())
        this.#served = { listen, server }
      })
    })
  }

  async #writeStatus(path: string): Promise<void> {
    const { parts, outside } = this.#given
    const status = readStatus(parts)
    const text = JSON.stringify({
      written_at: new Date(parts.world.clock.nowMs()).toISOString(),
      ...statusSentence(status),
      ...status,
    })
    ;(await outside()).write(path, `${text}\n`, statusFileMode)
  }

  async #writeText(path: string): Promise<void> {
    const { collector, outside } = this.#given
    ;(await outside()).write(path, await collector.fresh(), textFileMode)
  }

  async #push(address: string): Promise<void> {
    const { collector, outside, parts } = this.#given
    const url = pushAddress(address, parts.ledger.nameOf(parts.signer.device))
    const end = new AbortController()
    const either = anyOf([this.#end.signal, end.signal])
    const late = parts.world.clock.sleep(pushMs, either).then(
      () => {
        end.abort(new CellarError('HOOK_FAILED', 'the push gateway did not answer in time'))
      },
      () => undefined, // it answered
    )
    try {
      const body = await collector.fresh()
      const headers = { 'content-type': METRICS_TYPE }
      const { status } = await (await outside()).ask({ url, method: 'PUT', headers, body }, either)
      if (status >= 200 && status < 300) return
      throw new CellarError('HOOK_FAILED', `the push gateway ${new URL(url).host} answered ${String(status)}`)
    } finally {
      end.abort(new CellarError('ABORTED', 'done'))
      either.clear()
      await late
    }
  }

  /** What fails is told once, until it works again, and tried again the next time. */
  async #attempt(what: string, step: () => Promise<void>): Promise<void> {
    try {
      await step()
      this.#isFailing.delete(what)
    } catch (error) {
      if (this.#end.signal.aborted) return
      if (!this.#isFailing.has(what)) this.#tell(what, error)
      this.#isFailing.add(what)
    }
  }

  #tell(what: string, error: unknown): void {
    const { code, message } = isCellarError(error)
      ? error
      : {
          code: 'INTERNAL' as const,
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }
    this.#given.parts.events.emit({ kind: 'trouble', code, message: `${what}: ${message}` })
  }
}

/**
 * Where a push gateway takes the figures of a device: `PUT` replaces all of its group. An address that names job or
 * instance already keeps them. Pure.
 */
export function pushAddress(address: string, device: string): string {
  const url = new URL(address)
  const base = url.pathname.replace(/\/+$/, '')
  const job = /\/metrics\/job(@base64)?\/[^/]+/.test(base) ? base : `${base}/metrics/job/rootcellar`
  // As the gateway wants what holds a slash, or is empty.
  const isPlain = /^[A-Za-z0-9._-]+$/.test(device)
  const instance = isPlain
    ? `instance/${device}`
    : `instance@base64/${Buffer.from(device).toString('base64url')}`
  url.pathname = /\/instance(@base64)?\/[^/]+/.test(job) ? job : `${job}/${instance}`
  return url.href
}
