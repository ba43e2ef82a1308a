/** The standard streams and signals of this process, as the command line's world has them. */

import { fstatSync } from 'node:fs'
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
    setHidden: (isHidden) => {
      if (stream.isTTY) stream.setRawMode(isHidden)
    },
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What SIGHUP does in the place of asking for the end. */
let reload: (() => void) | undefined

/** Calls back on each signal that asks for the end. */
export function onInterrupt(callback: () => void): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && reload !== undefined) reload()
    else callback()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}

/** Calls back on each SIGHUP in the place of `onInterrupt`, unless a terminal may be what has gone. */
export function onReload(callback: () => void): () => void {
  if (process.stdin.isTTY || process.stderr.isTTY) return () => undefined
  reload = callback
  return () => {
    reload = undefined
  }
}

/** Device and inode of standard error. */
export function errorStream(): { readonly dev: number; readonly ino: number } {
  return fstatSync(process.stderr.fd)
}
