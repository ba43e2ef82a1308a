/** A command line without a system: what it is given is fixed, what it says is kept, and a fake node answers it. */

import { runCli } from '../../../cli/program.ts'
import { decodeArgument } from '../../../cli/raw-args.ts'
import type { ServiceHost } from '../../../cli/service/host.ts'
import type { CliWorld, NodeDoor, Sink } from '../../../cli/world.ts'
import type {
  CallContext,
  HomePaths,
  Initialized,
  InitOptions,
  Joined,
  JoinOptions,
  MethodName,
  NodeHandle,
  ParamsOf,
  ResultOf,
} from '../../../node/client.ts'
import { pathBytes } from '../../../node/path-text.ts'
import { phraseTools } from '../../../node/recovery/tools.ts'

/** The phrase that is drawn here. */
export const PHRASE = `${'abandon '.repeat(23)}art`

/** One call that reached the fake node. */
export interface Call {
  readonly method: MethodName
  readonly params: unknown
}

/** What the fake node does when asked; what is missing is a failure of the test. */
export type FakeHandlers = {
  readonly [M in MethodName]?: (
    params: ParamsOf<M>,
    context: CallContext<M>,
  ) => Promise<ResultOf<M>> | ResultOf<M>
}

export interface FakeOptions {
  readonly handlers?: FakeHandlers
  readonly terminal?: boolean
  readonly columns?: number
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: readonly string[]
  readonly directory?: string
  readonly door?: Partial<NodeDoor>
  /** Files with secrets that are there, by path. */
  readonly secrets?: Readonly<Record<string, string>>
  readonly host?: ServiceHost
  /** Called with how to interrupt, once the command listens. */
  readonly onListen?: (interrupt: () => void) => void
  /** Makes standard output fail with EPIPE. */
  readonly readerGone?: boolean
}

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly stdoutBytes: Buffer
  readonly calls: readonly Call[]
  readonly closed: number
  readonly exits: readonly number[]
  readonly inits: readonly InitOptions[]
  readonly joins: readonly JoinOptions[]
  /** Files with secrets, by path: those there were, and those that were written. */
  readonly secrets: ReadonlyMap<string, string>
}

export const HOME: HomePaths = {
  directory: '/home/ann/.cellar',
  config: '/home/ann/.cellar/config.toml',
  deviceKey: '/home/ann/.cellar/device.key',
  vaultKey: '/home/ann/.cellar/vault.key',
  state: '/home/ann/.cellar/state',
  store: '/home/ann/.cellar/store',
  socket: '/home/ann/.cellar/control.sock',
} as HomePaths

const NO_HOST: ServiceHost = {
  program: ['/usr/bin/node', '/opt/rootcellar/cellar.js'],
  uid: 1000,
  users: () => [],
  ownerOf: () => undefined,
  read: () => undefined,
  write: () => undefined,
  remove: () => undefined,
  run: () => Promise.resolve(undefined),
}

export const INITIALIZED: Initialized = {
  message_type: 'initialized',
  id: 'ab'.repeat(32),
  short_id: 'abababab',
  device: '12D3KooWdesktop',
  name: 'desktop',
  role: 'keeper',
  home: HOME.directory,
  keys: HOME.directory,
  store: HOME.store,
}

export const JOINED: Joined = {
  ...INITIALIZED,
  message_type: 'joined',
  name: 'laptop',
  role: 'writer',
  inviter: '12D3KooWdesktop',
  inviter_name: 'desktop',
  check_words: ['apple', 'river', 'stone'],
}

/** Runs `cellar` with arguments; a Buffer is an argument of any bytes. */
export async function cellar(
  args: readonly (string | Buffer)[],
  options: FakeOptions = {},
): Promise<Outcome> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  const seen = {
    calls: [] as Call[],
    closed: 0,
    exits: [] as number[],
    inits: [] as InitOptions[],
    joins: [] as JoinOptions[],
    secrets: new Map<string, string>(Object.entries(options.secrets ?? {})),
  }
  const sink = (parts: Buffer[], gone: boolean): Sink => ({
    isTerminal: options.terminal === true,
    columns: options.columns ?? 100,
    async write(data) {
      if (gone) throw Object.assign(new TypeError('write EPIPE'), { code: 'EPIPE' })
      parts.push(Buffer.from(data))
    },
  })
  const handle = fakeHandle(options.handlers ?? {}, seen)
  let nowMs = Date.UTC(2026, 2, 1, 12, 0, 0)
  const world: CliWorld = {
    args: args.map((arg) => (typeof arg === 'string' ? arg : decodeArgument(arg))),
    env: options.env ?? {},
    directory: Buffer.from(options.directory ?? '/home/ann'),
    hostname: 'laptop.local',
    stdin: { isTerminal: options.terminal === true, bytes: () => chunksOf(options.stdin ?? []) },
    stdout: sink(out, options.readerGone === true),
    stderr: sink(err, false),
    door: {
      facts: async (home) => ({
        isMember: true,
        isReader: true,
        isSealed: false,
        store: home.store,
        writes: [],
      }),
      home: async (directory) => (directory === undefined ? HOME : { ...HOME, directory }),
      connect: async () => undefined,
      reach: async () => handle,
      run: async () => ({ handle, stopAsked: Promise.resolve(), close: () => handle.close().then(() => []) }),
      init: async (_home, given) => (seen.inits.push(given), INITIALIZED),
      join: async (_home, given) => (seen.joins.push(given), JOINED),
      recover: () => Promise.reject(new TypeError('this test recovers nothing')),
      refuseSecond: async () => undefined,
      phrases: async () => ({ ...phraseTools, draw: () => phraseTools.read(PHRASE), random: () => 0 }),
      readSecretFile: async (path) => seen.secrets.get(Buffer.from(pathBytes(path)).toString()) ?? '',
      writeSecretFile: async (path, text) =>
        void seen.secrets.set(Buffer.from(pathBytes(path)).toString(), text),
      setPassphrase: async () => undefined,
      removePassphrase: async () => false,
      ...options.door,
    },
    host: options.host ?? NO_HOST,
    // Time goes on by a second each time somebody looks.
    nowMs: () => (nowMs += 1000),
    sleep: () => Promise.resolve(),
    onInterrupt(callback) {
      options.onListen?.(callback)
      return () => undefined
    },
    onReload: () => () => undefined,
    errorStream: () => ({ dev: 1, ino: 2 }),
    exitNow: (status) => void seen.exits.push(status),
  }
  const status = await runCli(world)
  const stdoutBytes = Buffer.concat(out)
  return {
    status,
    stdout: stdoutBytes.toString(),
    stderr: Buffer.concat(err).toString(),
    stdoutBytes,
    ...seen,
  }
}

async function* chunksOf(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

function fakeHandle(handlers: FakeHandlers, seen: { calls: Call[]; closed: number }): NodeHandle {
  return {
    async call(method, params, options) {
      seen.calls.push({ method, params })
      const handler = handlers[method]
      if (handler === undefined) throw new TypeError(`the fake node has no ${method}`)
      const context = {
        signal: options.signal,
        onEvent: options.onEvent ?? (() => undefined),
        input: options.input ?? chunksOf([]),
        output: options.output ?? (async () => undefined),
      }
      return await handler(params, context)
    },
    async close() {
      seen.closed += 1
    },
  }
}

/** The JSON values on the lines of a text. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
