/** Receivers on this machine for what a node tells: a web server, and a mail server. */

import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A request as it came. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How it is answered. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A web server that keeps what it was asked. */
export class WebReceiver {
  readonly requests: Received[] = []
  /** `silence`: never answers. */
  answer: (request: Received) => Answer | 'silence' = () => ({ status: 200 })
  readonly #server: Server
  readonly #waiting = new Set<(request: Received) => void>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(): Promise<WebReceiver> {
    const server = createServer()
    const receiver = new WebReceiver(server)
    server.on('request', (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const received = {
          method: request.method ?? '',
          path: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(parts).toString(),
        }
        receiver.requests.push(received)
        const answer = receiver.answer(received)
        if (answer !== 'silence') response.writeHead(answer.status, { ...answer.headers }).end('ok')
        for (const wake of [...receiver.#waiting]) wake(received)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`
  }

  /** The next request that fits, from now on. */
  next(fits: (request: Received) => boolean = () => true): Promise<Received> {
    return new Promise((resolve) => {
      const wake = (request: Received) => {
        if (!fits(request)) return
        this.#waiting.delete(wake)
        resolve(request)
      }
      this.#waiting.add(wake)
    })
  }

  /** A request that fits, one that came or the next. */
  async one(fits: (request: Received) => boolean): Promise<Received> {
    return this.requests.find(fits) ?? (await this.next(fits))
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}

/** A letter as it came. */
export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  /** Header and text. */
  readonly text: string
  readonly user: string | undefined
  readonly isEncrypted: boolean
}

/** A mail server that keeps what it was given. */
export class MailReceiver {
  readonly mails: Mail[] = []
  readonly #server: SMTPServer
  readonly #waiting = new Set<(mail: Mail) => void>()
  readonly #sockets = new Set<Socket>()

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      logger: false,
      ...options,
      onData: (stream, session, done) => {
        const parts: Buffer[] = []
        stream.on('data', (part: Buffer) => parts.push(part))
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          const mail = {
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            text: Buffer.concat(parts).toString(),
            user: typeof session.user === 'string' ? session.user : undefined,
            isEncrypted: session.secure,
          }
          this.mails.push(mail)
          done()
          for (const wake of [...this.#waiting]) wake(mail)
        })
      },
    })
    this.#server.on('error', () => undefined) // a client that broke off
    this.#server.server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  static async open(options: SMTPServerOptions = { authOptional: true }): Promise<MailReceiver> {
    const receiver = new MailReceiver(options)
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }

  /** A letter that fits, one that came or the next. */
  async one(fits: (mail: Mail) => boolean): Promise<Mail> {
    return (
      this.mails.find(fits) ??
      (await new Promise<Mail>((resolve) => {
        const wake = (mail: Mail) => {
          if (!fits(mail)) return
          this.#waiting.delete(wake)
          resolve(mail)
        }
        this.#waiting.add(wake)
      }))
    )
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
