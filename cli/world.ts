/** What the command line is given of the outside: handed in, so that tests run it with a node of their own. */

import type {
  AskPassphrase,
  HomeFacts,
  HomePaths,
  Initialized,
  InitOptions,
  Joined,
  JoinEvent,
  JoinOptions,
  LogSink,
  NodeHandle,
  PaperKey,
  PathText,
  PhraseTools,
  RateLimits,
  Recovered,
  RecoverEvent,
  RecoverOptions,
} from '../node/client.ts'
import type { ServiceHost } from './service/host.ts'

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
  /** Of a terminal: hands over each key as it is, and shows none; or as usual again. */
  setHidden?(isHidden: boolean): void
}

/** A node that runs in this process until it is asked to stop. */
export interface RunningNode {
  readonly handle: NodeHandle
  /** Resolves when `cellar stop` asked for the end. */
  readonly stopAsked: Promise<void>
  /**
   * Ends calls under way, closes node and socket.
   *
   * @returns names of methods that had to be cut off, as they did not end when told to
   */
  close(): Promise<readonly string[]>
}

/** How a node is opened where none runs. */
export interface ReachOptions {
  readonly limits: RateLimits
  readonly passphrase?: AskPassphrase
  /** It is opened to back up. */
  readonly isForBackup?: boolean
}

/** The ways to a node. */
export interface NodeDoor {
  /** Where a device lives: the directory given, else that of the environment, else the usual one. */
  home(directory: string | undefined): Promise<HomePaths>
  /** What can be said of a home without opening its node. `CONFIG_INVALID`. */
  facts(home: HomePaths): Promise<HomeFacts>
  /** The running node of a home, if there is one. */
  connect(home: HomePaths): Promise<NodeHandle | undefined>
  /** The running node, else one opened here for as long as it is needed. `NO_MESH`. */
  reach(home: HomePaths, signal: AbortSignal, options: ReachOptions): Promise<NodeHandle>
  /** Runs a node here. `STORE_IN_USE` when one runs already. */
  run(
    home: HomePaths,
    signal: AbortSignal,
    limits: RateLimits,
    log: LogSink,
    passphrase?: AskPassphrase,
  ): Promise<RunningNode>
  /** Founds a mesh in a home, with a key on paper in it or without. `MESH_EXISTS`. */
  init(home: HomePaths, options: InitOptions, paper?: PaperKey): Promise<Initialized>
  /** Joins a mesh by a code or token. `MESH_EXISTS`, `CODE_WRONG`, `CODE_EXPIRED`. */
  join(
    home: HomePaths,
    options: JoinOptions,
    on: { readonly signal: AbortSignal; readonly onEvent: (event: JoinEvent) => void },
  ): Promise<Joined>
  /** Gets back into a mesh by its recovery phrase. `MESH_EXISTS`, `PHRASE_WRONG`, `NO_PEER`. */
  recover(
    home: HomePaths,
    options: RecoverOptions,
    on: {
      readonly paper: PaperKey
      readonly signal: AbortSignal
      readonly onEvent: (event: RecoverEvent) => void
    },
  ): Promise<Recovered>
  /** `MESH_EXISTS` where a device lives already. */
  refuseSecond(home: HomePaths): Promise<void>
  /** What draws and reads recovery phrases: the node never sees one. */
  phrases(): Promise<PhraseTools>
  /** Reads a small file with a secret. `KEY_MODE` when everybody may. */
  readSecretFile(path: PathText): Promise<string>
  /** Writes a secret to a new file of mode 0600. `USAGE` when something is there. */
  writeSecretFile(path: PathText, text: string): Promise<void>
  /** Puts the keys of a home under a passphrase; `ask` for the one before. `PASSPHRASE_WRONG`. */
  setPassphrase(home: HomePaths, passphrase: string, ask: AskPassphrase): Promise<void>
  /** Makes them plain files again. False when there was no passphrase. */
  removePassphrase(home: HomePaths, ask: AskPassphrase): Promise<boolean>
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
  /** The machine, for its services. */
  readonly host: ServiceHost
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
