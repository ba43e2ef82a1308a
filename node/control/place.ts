/** One address where calls come in, and how it ends: at once for what is new, in order for what is under way. */

import { createServer, type Server, type ServerOptions } from 'node:http'
import type { CellarError } from '../../protocol/errors.ts'
import type { Listener } from './app.ts'
import { type Calls, fail } from './calls.ts'

/** A server of HTTP; who made it has it listen. */
export class Place {
  readonly server: Server
  readonly calls: Calls
  readonly #answering = new Set<Promise<void>>()
  readonly #load: () => Promise<Listener>
  #listener: Promise<Listener> | undefined

  /** @param load - gives what answers; called with the first request, or by `prepare` */
  constructor(calls: Calls, load: () => Promise<Listener>, options: ServerOptions = {}) {
    this.calls = calls
    this.#load = load
    this.server = createServer(options, (request, response) => {
      const answered = this.#ready()
        .then((listener) => listener(request, response))
        .catch((error: unknown) => {
          fail(response, error)
        })
        .finally(() => this.#answering.delete(answered))
      this.#answering.add(answered)
    })
    // A caller who cannot be let in, as there are no file descriptors left, is not the end of the node.
    this.server.on('error', () => undefined)
  }

  /** Requests that are being answered. */
  get answering(): number {
    return this.#answering.size
  }

  /** Loads all that answering needs: a node that runs for long may outlive the files of its program. */
  async prepare(): Promise<void> {
    await Promise.all([this.#ready(), this.calls.prepare()])
  }

  #ready(): Promise<Listener> {
    return (this.#listener ??= this.#load())
  }

  /** Takes no more connections; resolves once all requests are answered. */
  async drain(): Promise<void> {
    this.server.close()
    while (this.#answering.size > 0) await Promise.all(this.#answering)
  }

  /** Has calls under way end with an error, those not yet begun too. */
  abort(reason: CellarError): void {
    this.calls.abort(reason)
  }

  /** Cuts off who is still connected. */
  cut(): void {
    this.server.closeAllConnections()
  }
}
