/**
 * What a node can be asked, as types: parameters, events and result of each method, all from the schemas of
 * `methods.ts`. The command line, the control socket and the dashboard speak it; whoever answers it is a `NodeHandle`.
 *
 * Everything here is JSON. Parameters are ours (camelCase). Events and results are what `--json` prints, as they
 * are: field names of restic where it has the same thing (snake_case), times RFC 3339 in UTC or with an
 * offset, bytes as integers, shares as fractions 0..1, durations in seconds unless the name says otherwise.
 */

import type { Of } from './api-schema.ts'
import type { METHODS } from './methods.ts'

export type { Nothing } from './api-schema.ts'
export type * from './api-activity.ts'
export type * from './api-backup.ts'
export type * from './api-browse.ts'
export type * from './api-config.ts'
export type * from './api-deletion.ts'
export type * from './api-files.ts'
export type * from './api-jobs.ts'
export type * from './api-mesh.ts'
export type * from './api-path.ts'
export type * from './api-orders.ts'
export type * from './api-recovery.ts'
export type * from './api-restore.ts'
export type * from './api-schedule.ts'
export type * from './api-telling.ts'
export type * from './api-thin.ts'
export type * from './api-watching.ts'

/** Every method of a node. */
export type Methods = {
  readonly [M in keyof typeof METHODS]: {
    readonly params: Of<(typeof METHODS)[M]['params']>
    readonly event: Of<(typeof METHODS)[M]['event']>
    readonly result: Of<(typeof METHODS)[M]['result']>
  }
}

/** The name of a method. */
export type MethodName = keyof Methods
/** What a method is given. */
export type ParamsOf<M extends MethodName> = Methods[M]['params']
/** What a method tells on the way; `never` when nothing. */
export type EventOf<M extends MethodName> = Methods[M]['event']
/** What a method answers. */
export type ResultOf<M extends MethodName> = Methods[M]['result']

/** What a call may do on the way. */
export interface CallOptions<M extends MethodName> {
  /** Aborts the method, in whichever process it runs; the call then rejects with `ABORTED`. */
  readonly signal: AbortSignal
  /** Called in order, before the call resolves. */
  readonly onEvent?: (event: EventOf<M>) => void
  /** Bytes for the method to read (`backup` with `stdin`); drained at the method's pace. */
  readonly input?: AsyncIterable<Uint8Array>
  /** Takes bytes of the method (`dump`), borrowed until it resolves; the method waits for it. */
  readonly output?: (bytes: Uint8Array) => Promise<void>
}

/** A node, in this process or behind its control socket: the same answers either way. */
export interface NodeHandle {
  /** Runs a method. @throws {CellarError} as the method says; `ABORTED` when the signal is given */
  call<M extends MethodName>(method: M, params: ParamsOf<M>, options: CallOptions<M>): Promise<ResultOf<M>>
  /** Lets go: closes a node of this process, only the connection to another. Idempotent. */
  close(): Promise<void>
}

/** What a method's implementation is given besides its parameters; nothing is optional here. */
export interface CallContext<M extends MethodName> {
  readonly signal: AbortSignal
  /** Tells the caller something on the way. */
  readonly onEvent: (event: EventOf<M>) => void
  readonly input: AsyncIterable<Uint8Array>
  /** Hands bytes to the caller; resolves when more may come, events too: with no bytes it only waits for that. */
  readonly output: (bytes: Uint8Array) => Promise<void>
}

/** One function for each method: what a node implements. */
export type Handlers = {
  readonly [M in MethodName]: (params: ParamsOf<M>, context: CallContext<M>) => Promise<ResultOf<M>>
}

async function* noInput(): AsyncGenerator<Uint8Array> {
  // nothing to read
}

/**
 * Makes a handle of the functions of a node in this process.
 *
 * @param handlers - one for each method
 * @param close - closes the node; called at most once
 */
export function handleOf(handlers: Handlers, close: () => Promise<void>): NodeHandle {
  let closing: Promise<void> | undefined
  return {
    async call(method, params, options) {
      options.signal.throwIfAborted()
      return await handlers[method](params, {
        signal: options.signal,
        onEvent: options.onEvent ?? (() => undefined),
        input: options.input ?? noInput(),
        output: options.output ?? (() => Promise.resolve()),
      })
    },
    close: () => (closing ??= close()),
  }
}
