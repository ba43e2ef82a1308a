/** Another web site, on this machine too: pages that the tests write, and a note of who asked it for what. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as listen, type Server as Listener } from 'node:net'

/** Serves HTML by path; anything else is not there. */
export class OtherSite implements AsyncDisposable {
  readonly #server: Server
  readonly pages = new Map<string, string>()
  /** Paths that were asked for, in order. */
  readonly asked: string[] = []
  /** Headers of each of these. */
  readonly headers: IncomingMessage['headers'][] = []

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response)
    })
  }

  static async open(): Promise<OtherSite> {
    const site = new OtherSite()
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve))
    return site
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ''
    this.asked.push(path)
    this.headers.push(request.headers)
    const page = this.pages.get(path)
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(page)
  }
}

/**
 * A name whose owner points it at himself first, and at this machine as soon as his page is there (DNS rebinding): the
 * first connection gets the page, each later one is the node's. To browser and node it looks as if the address had
 * changed.
 */
export class ReboundName implements AsyncDisposable {
  readonly #listener: Listener
  #isFirst = true
  /** Connections that were handed on. */
  handedOn = 0

  private constructor(page: string, port: number) {
    this.#listener = listen((socket) => {
      socket.on('error', () => socket.destroy())
      if (this.#isFirst) {
        socket.once('data', () => {
          this.#isFirst = false
          const head = `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${page.length}\r\nconnection: close`
          socket.end(`${head}\r\n\r\n${page}`)
        })
        return
      }
      this.handedOn++
      const node = connect(port, '127.0.0.1')
      node.on('error', () => socket.destroy())
      socket.pipe(node).pipe(socket)
    })
  }

  /**
   * @param page - ASCII
   * @param host - a loopback address that is not the node's
   * @param port - of the node, and so of the name: the browser calls the same one again
   */
  static async open(page: string, host: string, port: number): Promise<ReboundName> {
    const name = new ReboundName(page, port)
    await new Promise<void>((resolve, reject) => {
      name.#listener.once('error', reject)
      name.#listener.listen({ host, port, exclusive: true }, resolve)
    })
    return name
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#listener.close(resolve))
  }
}
