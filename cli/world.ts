/** What the command line is given of the outside: handed in, so that tests run it with a node of their own. */

import type {
  HomePaths,
  Initialized,
  InitOptions,
  Joined,
  JoinEvent,
  JoinOptions,
  LogSink,
  NodeHandle,
  RateLimits,
} from '../node/client.ts'

/** Somewhere to write. */
export interface Sink {
  readonly isTerminal: boolean
  /** Of the terminal; 80 where unknown. */
  readonly columns: number
  /** Resolves when more may be written; rejects with EPIPE when nobody reads any more. */
  write(data: string | Uint8Array): Promise<void>
}

/** Standard input. */
export interface Source {
  readonly isTerminal: boolean
  /** What comes, to the end; may be asked for once. */
  bytes(): AsyncIterable<Uint8Array>
}

/** A node that runs in this process until it is asked to stop. */
export interface RunningNode {
  readonly handle: NodeHandle
  /** Resolves when `cellar stop` asked for the end. */
  readonly stopAsked: Promise<void>
  /** Ends calls under way, closes node and socket. */
  close(): Promise<void>
}

/** The ways to a node. */
export interface NodeDoor {
  /** Where a device lives: the directory given, else that of the environment, else the usual one. */
  home(directory: string | undefined): Promise<HomePaths>
  /** The running node of a home, if there is one. */
  connect(home: HomePaths): Promise<NodeHandle | undefined>
  /** The running node, else one opened here for as long as it is needed. `NO_MESH`. */
  reach(home: HomePaths, signal: AbortSignal, limits: RateLimits): Promise<NodeHandle>
  /** Runs a node here. `STORE_IN_USE` when one runs already. */
  run(home: HomePaths, signal: AbortSignal, limits: RateLimits, log: LogSink): Promise<RunningNode>
  /** Founds a mesh in a home. `MESH_EXISTS`. */
  init(home: HomePaths, options: InitOptions): Promise<Initialized>
  /** Joins a mesh by a code or token. `MESH_EXISTS`, `CODE_WRONG`, `CODE_EXPIRED`. */
  join(
    home: HomePaths,
    options: JoinOptions,
    on: { readonly signal: AbortSignal; readonly onEvent: (event: JoinEvent) => void },
  ): Promise<Joined>
}

/** Everything a run of the command line touches. */
export interface CliWorld {
  /** Behind the program's name, as `decodeArgument` gives them. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute, raw bytes. */
  readonly directory: Uint8Array
  readonly hostname: string
  readonly stdin: Source
  readonly stdout: Sink
  readonly stderr: Sink
  readonly door: NodeDoor
  /** Wall-clock time, milliseconds since 1970. */
  nowMs(): number
  /** Resolves after so many milliseconds. */
  sleep(ms: number): Promise<void>
  /** Calls back on each SIGINT, SIGTERM and SIGHUP; returns how to stop listening. */
  onInterrupt(callback: () => void): () => void
  /**
   * Calls back on each SIGHUP in the place of ending, where no terminal is: there it says that the terminal is gone.
   *
   * @returns how to stop listening
   */
  onReload(callback: () => void): () => void
  /** Which stream standard error is; see `isJournal`. */
  errorStream(): { readonly dev: number; readonly ino: number }
  /** Ends the process at once. */
  exitNow(status: number): void
}
