/** Where a device keeps its state, its keys and its settings (cli.md "Home"). */

import { createHash } from 'node:crypto'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { CellarError, type Random } from '../protocol/index.ts'
import {
  isThere,
  makePrivateDirectory,
  readPrivateFile,
  readTextFile,
  removeFile,
  writePrivateFile,
} from './adapters/private-files.ts'
import type { Environment } from './config/environment.ts'
import { formatConfig } from './config/format.ts'
import { parseConfig } from './config/parse.ts'
import type { Config } from './config/types.ts'
import { formatPlainKey, type HomeKeys, type KeyFile, parseKeyFile } from './keys/key-file.ts'

export type { HomeKeys } from './keys/key-file.ts'

/** The places of one device on its disk. */
export interface HomePaths {
  readonly directory: string
  readonly config: string
  readonly deviceKey: string
  readonly vaultKey: string
  /** Device key of a joining that was interrupted: the next try goes on with it. */
  readonly joiningKey: string
  /** The same of a recovery by phrase. */
  readonly recoveringKey: string
  /** Listings, membership and what else a node must remember. */
  readonly state: string
  /** Chunks, unless the settings name another place. */
  readonly store: string
  /** Where a running node is spoken to. */
  readonly socket: string
  /** Token of the dashboard's address; made by the first node that serves it. */
  readonly dashboardToken: string
}

/** Longest path of a Unix socket that every system takes. */
const socketPathBytesMax = 100

/**
 * The places that belong to a home.
 *
 * @param directory - given by a person; else `$CELLAR_HOME`, else the XDG directories
 */
export function homePaths(
  directory: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): HomePaths {
  const given = directory ?? nonEmpty(env['CELLAR_HOME'])
  const data = nonEmpty(env['XDG_DATA_HOME']) ?? join(homedir(), '.local', 'share')
  const settings = nonEmpty(env['XDG_CONFIG_HOME']) ?? join(homedir(), '.config')
  const home = resolve(given ?? join(data, 'rootcellar'))
  return {
    directory: home,
    config: given === undefined ? join(settings, 'rootcellar', 'config.toml') : join(home, 'config.toml'),
    deviceKey: join(home, 'device.key'),
    vaultKey: join(home, 'vault.key'),
    joiningKey: join(home, 'joining.key'),
    recoveringKey: join(home, 'recovering.key'),
    state: join(home, 'state'),
    store: join(home, 'store'),
    socket: socketPath(home, env),
    dashboardToken: join(home, 'dashboard.token'),
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** Unix sockets have short names; a long home gets one in the run-time directory, named for the home. */
function socketPath(home: string, env: Readonly<Record<string, string | undefined>>): string {
  const path = join(home, 'control.sock')
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path
  const name = createHash('sha256').update(home).digest('hex').slice(0, 16)
  return join(nonEmpty(env['XDG_RUNTIME_DIR']) ?? tmpdir(), `rootcellar-${name}.sock`)
}

/** Says whether a device lives here. */
export function hasDevice(paths: HomePaths): boolean {
  return isThere(paths.deviceKey)
}

/** Asks for the passphrase of the key files. @throws {CellarError} `PASSPHRASE_NEEDED` where there is nobody to ask */
export type AskPassphrase = () => Promise<string>

/**
 * Reads the keys of a home.
 *
 * @param ask - called only when they are under a passphrase
 * @throws {CellarError} `NO_MESH`, `KEY_MODE`, `KEY_INVALID`, `PASSPHRASE_NEEDED`, `PASSPHRASE_WRONG`
 */
export async function readKeys(paths: HomePaths, ask: AskPassphrase = nobodyToAsk): Promise<HomeKeys> {
  const file = readKeyFile(paths.deviceKey, 'device')
  if (file === undefined)
    throw new CellarError('NO_MESH', `there is no device in ${paths.directory}`, { path: paths.directory })
  if (file.kind === 'plain') return { device: file.key, vault: readKey(paths.vaultKey, 'vault') }
  const { openSeal } = await loadSeal()
  const keys = openSeal(file.seal, await ask())
  // A crash came between sealing the keys and taking away the plain one.
  if (isThere(paths.vaultKey)) removeFile(paths.vaultKey)
  return keys
}

/** Whether a passphrase is asked for before the keys of a home can be read. @throws {CellarError} as {@link readKeys} */
export function isSealed(paths: HomePaths): boolean {
  return readKeyFile(paths.deviceKey, 'device')?.kind === 'sealed'
}

function nobodyToAsk(): Promise<string> {
  return Promise.reject(
    new CellarError('PASSPHRASE_NEEDED', 'the keys of this device are under a passphrase'),
  )
}

/** Writes the keys of a home plainly, the device's last: it is what says that a device lives here. */
export function writeKeys(paths: HomePaths, keys: HomeKeys): void {
  makePrivateDirectory(paths.directory)
  if (keys.vault !== undefined) writePrivateFile(paths.vaultKey, formatPlainKey('vault', keys.vault))
  writePrivateFile(paths.deviceKey, formatPlainKey('device', keys.device))
}

/** Puts the keys of a home under a passphrase: in one step, then the plain vault key is taken away. */
export async function sealKeys(
  paths: HomePaths,
  keys: HomeKeys,
  { passphrase, random }: { readonly passphrase: string; readonly random: Random },
): Promise<void> {
  const { formatSealedKeys } = await loadSeal()
  writePrivateFile(paths.deviceKey, formatSealedKeys(keys, passphrase, random))
  removeFile(paths.vaultKey)
}

/** Passphrases need a hash that most commands do not. */
const loadSeal = () => import('./keys/key-seal.ts')

/**
 * The device key to join with: that of an interrupted try, so that the mesh gets one device of it and not two; else
 * `fresh`, kept until the joining is done.
 */
export function joiningKey(paths: HomePaths, fresh: Uint8Array): Uint8Array {
  return begunKey(paths, paths.joiningKey, fresh)
}

/** The same for a recovery by phrase. */
export function recoveringKey(paths: HomePaths, fresh: Uint8Array): Uint8Array {
  return begunKey(paths, paths.recoveringKey, fresh)
}

function begunKey(paths: HomePaths, path: string, fresh: Uint8Array): Uint8Array {
  const begun = readKey(path, 'device')
  if (begun !== undefined) return begun
  makePrivateDirectory(paths.directory)
  writePrivateFile(path, formatPlainKey('device', fresh))
  return fresh
}

/** Forgets the key of a joining that is done. */
export function endJoining(paths: HomePaths): void {
  removeFile(paths.joiningKey)
}

/** Forgets the key of a recovery that is done. */
export function endRecovering(paths: HomePaths): void {
  removeFile(paths.recoveringKey)
}

function readKey(path: string, kind: string): Uint8Array | undefined {
  const file = readKeyFile(path, kind)
  return file?.kind === 'plain' ? file.key : undefined
}

function readKeyFile(path: string, kind: string): KeyFile | undefined {
  const text = readPrivateFile(path)
  return text === undefined ? undefined : parseKeyFile(text, kind, path)
}

/**
 * Reads the settings of a home; what is not there has its default.
 *
 * @param env - variables: they go before the file, and stand in it as `${NAME}`
 * @throws {CellarError} `CONFIG_INVALID`
 */
export function readConfig(paths: HomePaths, env: Environment = process.env): Config {
  return parseConfig(readTextFile(paths.config) ?? '', paths.config, { env, homeDirectory: homedir() })
}

/** Whether a home has settings: written by a person beforehand, or by an earlier try. */
export function hasConfig(paths: HomePaths): boolean {
  return isThere(paths.config)
}

/** Writes the settings of a home, unless they are what its file says; a file that says something else is kept beside. */
export function writeConfig(paths: HomePaths, config: Config): void {
  makePrivateDirectory(resolve(paths.config, '..'))
  const before = readTextFile(paths.config)
  if (before !== undefined) {
    if (isDeepStrictEqual(readConfig(paths), config)) return
    writePrivateFile(`${paths.config}.old`, before)
  }
  writePrivateFile(paths.config, formatConfig(config))
}
