/** The standard streams and signals of this process, as the command line's world has them. */

import type { ReadStream, WriteStream } from 'node:tty'
import type { Sink, Source } from './world.ts'

/** A standard stream to write to. */
export function sinkOf(stream: WriteStream): Sink {
  // Without a listener a closed pipe ends the process with a stack trace.
  stream.on('error', () => undefined)
  return {
    get isTerminal() {
      return stream.isTTY
    },
    get columns() {
      return stream.isTTY ? stream.columns : 80
    },
    write: (data) =>
      new Promise((resolve, reject) => {
        stream.write(data, (error) => {
          if (error) reject(error)
          else resolve()
        })
      }),
  }
}

/** Standard input; untouched until it is read. */
export function sourceOf(stream: ReadStream): Source {
  return {
    get isTerminal() {
      return stream.isTTY
    },
    bytes: () => stream as AsyncIterable<Uint8Array>,
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Calls back on each signal that asks for the end. */
export function onInterrupt(callback: () => void): () => void {
  for (const signal of SIGNALS) process.on(signal, callback)
  return () => {
    for (const signal of SIGNALS) process.off(signal, callback)
  }
}
