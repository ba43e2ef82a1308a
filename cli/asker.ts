/** Asks a person on a terminal, line by line; secrets without showing them. */

import { CellarError } from '../node/client.ts'
import type { Sink, Source } from './world.ts'

/** Longest answer, bytes. */
const lineBytesMax = 4096

const END_OF_TEXT = 3
const END_OF_FILE = 4
const BACKSPACES: readonly number[] = [8, 127]
const LINE_ENDS: readonly number[] = [10, 13]

/** One way to ask for a whole command: standard input can be read by one only. */
export class Asker {
  readonly #stdin: Source
  readonly #stderr: Sink
  #bytes: AsyncIterator<Uint8Array> | undefined
  #rest: number[] = []
  /** A line that ended with a return: the newline behind it belongs to it. */
  #isAfterReturn = false

  readonly #signal: AbortSignal

  /** @param signal - ends waiting for an answer */
  constructor(stdin: Source, stderr: Sink, signal: AbortSignal) {
    this.#stdin = stdin
    this.#stderr = stderr
    this.#signal = signal
  }

  /** Whether there is somebody to ask. */
  get isThere(): boolean {
    return this.#stdin.isTerminal && this.#stderr.isTerminal
  }

  /** Asks for one line, which is seen as it is typed. @returns without its end; undefined at the end of input */
  async line(prompt: string): Promise<string | undefined> {
    await this.#stderr.write(prompt)
    return await this.#read(false)
  }

  /** Asks for one line that is not shown. @throws {CellarError} `ABORTED` when it is broken off */
  async secret(prompt: string): Promise<string | undefined> {
    await this.#stderr.write(prompt)
    this.#stdin.setHidden?.(true)
    try {
      return await this.#read(true)
    } finally {
      this.#stdin.setHidden?.(false)
      await this.#stderr.write('\n')
    }
  }

  /** Lets go of standard input: else the process would wait for it. Not waited for: a read may be under way. */
  close(): void {
    void this.#bytes?.return?.()
    this.#bytes = undefined
  }

  /** @param isRaw - the terminal hands over each key, so we do what it does otherwise */
  async #read(isRaw: boolean): Promise<string | undefined> {
    const line: number[] = []
    for (;;) {
      const byte = await this.#next()
      if (byte === undefined || (isRaw && byte === END_OF_FILE && line.length === 0))
        return line.length === 0 ? undefined : textOf(line)
      const wasReturn = this.#isAfterReturn
      this.#isAfterReturn = byte === 13
      if (byte === 10 && wasReturn) continue
      if (LINE_ENDS.includes(byte)) return textOf(line)
      if (isRaw && byte === END_OF_TEXT) throw new CellarError('ABORTED', 'broken off')
      if (isRaw && BACKSPACES.includes(byte)) dropCharacter(line)
      else if (line.push(byte) > lineBytesMax) throw new CellarError('USAGE', 'this line is too long')
    }
  }

  async #next(): Promise<number | undefined> {
    while (this.#rest.length === 0) {
      this.#bytes ??= this.#stdin.bytes()[Symbol.asyncIterator]()
      const read = await this.#unlessAborted(this.#bytes.next())
      if (read.done === true) return undefined
      this.#rest = [...read.value]
    }
    return this.#rest.shift()
  }

  async #unlessAborted<T>(work: Promise<T>): Promise<T> {
    this.#signal.throwIfAborted()
    let onAbort: () => void = () => undefined
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => {
        reject(this.#signal.reason as Error)
      }
      this.#signal.addEventListener('abort', onAbort)
    })
    try {
      return await Promise.race([work, aborted])
    } finally {
      this.#signal.removeEventListener('abort', onAbort)
    }
  }
}

function textOf(line: readonly number[]): string {
  return Buffer.from(line).toString('utf8')
}

/** Takes the last character away, all of its bytes. */
function dropCharacter(line: number[]): void {
  let byte = line.pop()
  while (byte !== undefined && (byte & 0xc0) === 0x80) byte = line.pop()
}
