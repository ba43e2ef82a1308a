/** Where a device keeps its state, its keys and its settings (cli.md "Home"). */

import { createHash } from 'node:crypto'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CellarError } from '../protocol/index.ts'
import {
  isThere,
  makePrivateDirectory,
  readPrivateFile,
  readTextFile,
  removeFile,
  writePrivateFile,
} from './adapters/private-files.ts'
import { type Config, CONFIG_DEFAULT, formatConfig, parseConfig } from './config.ts'

/** The places of one device on its disk. */
export interface HomePaths {
  readonly directory: string
  readonly config: string
  readonly deviceKey: string
  readonly vaultKey: string
  /** Device key of a joining that was interrupted: the next try goes on with it. */
  readonly joiningKey: string
  /** Listings, membership and what else a node must remember. */
  readonly state: string
  /** Chunks, unless the settings name another place. */
  readonly store: string
  /** Where a running node is spoken to. */
  readonly socket: string
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
    state: join(home, 'state'),
    store: join(home, 'store'),
    socket: socketPath(home, env),
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

/** The secrets of one device. */
export interface HomeKeys {
  /** 32 bytes, seed of the device's Ed25519 key. */
  readonly device: Uint8Array
  /** 32 bytes, or undefined on a device that may not read. */
  readonly vault: Uint8Array | undefined
}

/** Says whether a device lives here. */
export function hasDevice(paths: HomePaths): boolean {
  return isThere(paths.deviceKey)
}

/**
 * Reads the keys of a home.
 *
 * @throws {CellarError} `NO_MESH`, `KEY_MODE`, `KEY_INVALID`
 */
export function readKeys(paths: HomePaths): HomeKeys {
  const device = readKey(paths.deviceKey, 'device')
  if (device === undefined)
    throw new CellarError('NO_MESH', `there is no device in ${paths.directory}`, { path: paths.directory })
  return { device, vault: readKey(paths.vaultKey, 'vault') }
}

/** Writes the keys of a new home, the device's last: it is what says that a device lives here. */
export function writeKeys(paths: HomePaths, keys: HomeKeys): void {
  makePrivateDirectory(paths.directory)
  if (keys.vault !== undefined) writePrivateFile(paths.vaultKey, formatKey('vault', keys.vault))
  writePrivateFile(paths.deviceKey, formatKey('device', keys.device))
}

/**
 * The device key to join with: that of an interrupted try, so that the mesh gets one device of it and not two; else
 * `fresh`, kept until the joining is done.
 */
export function joiningKey(paths: HomePaths, fresh: Uint8Array): Uint8Array {
  const begun = readKey(paths.joiningKey, 'device')
  if (begun !== undefined) return begun
  makePrivateDirectory(paths.directory)
  writePrivateFile(paths.joiningKey, formatKey('device', fresh))
  return fresh
}

/** Forgets the key of a joining that is done. */
export function endJoining(paths: HomePaths): void {
  removeFile(paths.joiningKey)
}

function readKey(path: string, kind: string): Uint8Array | undefined {
  const text = readPrivateFile(path)
  if (text === undefined) return undefined
  const [title, value] = text.split('\n')
  const key = Buffer.from(value ?? '', 'base64')
  if (title !== keyTitle(kind) || key.byteLength !== 32) {
    throw new CellarError('KEY_INVALID', `the key file ${path} is not a ${kind} key`, { path })
  }
  return new Uint8Array(key)
}

function formatKey(kind: string, key: Uint8Array): string {
  return `${keyTitle(kind)}\n${Buffer.from(key).toString('base64')}\n`
}

function keyTitle(kind: string): string {
  return `rootcellar ${kind} key, version 1`
}

/** Reads the settings of a home; what is not there has its default. @throws {CellarError} `CONFIG_INVALID` */
export function readConfig(paths: HomePaths): Config {
  const text = readTextFile(paths.config)
  return text === undefined ? CONFIG_DEFAULT : parseConfig(text, paths.config)
}

/** Writes the settings of a home. */
export function writeConfig(paths: HomePaths, config: Config): void {
  makePrivateDirectory(resolve(paths.config, '..'))
  writePrivateFile(paths.config, formatConfig(config))
}
