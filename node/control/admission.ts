/** Who is let in at the dashboard's address: the holder of the token, or a browser that opened a link (spec/control.md §5). */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { World } from '../../protocol/index.ts'
import { sessionMs, sessionsMax, ticketMs, ticketsMax } from './limits.ts'

const secretBytes = 32

/** What a link needs. */
export interface Ticket {
  /** Base64url of 32 random bytes; good once. */
  readonly ticket: string
  /** Wall-clock time, milliseconds since 1970. */
  readonly expiresMs: number
}

/** Keeps tickets and sessions of one running node, in memory: they end with it. */
export class Admission {
  readonly #world: World
  readonly #token: Buffer
  readonly #tickets = new Ending(ticketMs, ticketsMax)
  readonly #sessions = new Ending(sessionMs, sessionsMax)

  /** @param token - of the file `dashboard.token` */
  constructor(token: string, world: World) {
    this.#world = world
    this.#token = digest(token)
  }

  /** Makes a ticket for a link. */
  issue(): Ticket {
    const ticket = this.#draw()
    this.#tickets.add(ticket, this.#nowMs)
    return { ticket, expiresMs: this.#world.clock.nowMs() + ticketMs }
  }

  /** Takes a ticket, once. @returns the secret of a new session, or undefined when the ticket is none (any more) */
  redeem(ticket: string): string | undefined {
    if (!this.#tickets.take(ticket, this.#nowMs)) return undefined
    const session = this.#draw()
    this.#sessions.add(session, this.#nowMs)
    return session
  }

  /**
   * Says whether a request comes from somebody who was let in.
   *
   * @param authorization - the header as it came
   * @param session - of the cookie
   */
  isIn(authorization: string | undefined, session: string | undefined): boolean {
    // A wrong token is refused even beside a good cookie: who sends one means it.
    if (authorization !== undefined) {
      const token = /^Bearer ([\w-]+)$/i.exec(authorization)?.[1]
      return token !== undefined && timingSafeEqual(digest(token), this.#token)
    }
    return session !== undefined && this.#sessions.has(session, this.#nowMs)
  }

  #draw(): string {
    return Buffer.from(this.#world.random.bytes(secretBytes)).toString('base64url')
  }

  get #nowMs(): number {
    return this.#world.clock.monotonicMs()
  }
}

/** Secrets that are good for a while, the oldest first; looked up by their hash, so that time tells nothing of them. */
class Ending {
  readonly #until = new Map<string, number>()
  readonly #goodMs: number
  readonly #most: number

  constructor(goodMs: number, most: number) {
    this.#goodMs = goodMs
    this.#most = most
  }

  add(secret: string, nowMs: number): void {
    this.#until.set(digest(secret).toString('hex'), nowMs + this.#goodMs)
    const [oldest] = this.#until.keys()
    if (this.#until.size > this.#most && oldest !== undefined) this.#until.delete(oldest)
  }

  has(secret: string, nowMs: number): boolean {
    return (this.#until.get(digest(secret).toString('hex')) ?? -Infinity) > nowMs
  }

  take(secret: string, nowMs: number): boolean {
    const isGood = this.has(secret, nowMs)
    this.#until.delete(digest(secret).toString('hex'))
    return isGood
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
