/** The text of key files, plain or under a passphrase (node/spec/keys.md). Pure: reads and writes no file. */

import { CellarError } from '../../protocol/index.ts'

/** The secrets of one device. */
export interface HomeKeys {
  /** 32 bytes, seed of the device's Ed25519 key. */
  readonly device: Uint8Array
  /** 32 bytes, or undefined on a device that may not read. */
  readonly vault: Uint8Array | undefined
}

/** A key file as it was read. */
export type KeyFile =
  | { readonly kind: 'plain'; readonly key: Uint8Array }
  /** Both keys of the device under one passphrase: one file, so that both are changed in one step. */
  | { readonly kind: 'sealed'; readonly seal: Seal }

/** Keys under a passphrase. */
export interface Seal {
  readonly cost: Cost
  /** The lines before the sealed part, which are bound to it. */
  readonly head: string
  readonly sealed: Uint8Array
}

/** What Argon2id is given (RFC 9106). */
export interface Cost {
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly lanes: number
  /** 16 bytes. */
  readonly salt: Uint8Array
}

const keyBytes = 32

/** Bytes of the salt of a passphrase. */
export const saltBytes = 16

/** More than this would only be a way to stop a program that reads the file. */
const costMax = { memory: 1024 * 1024, passes: 16, lanes: 16 } as const

/** Text of a plain key file. */
export function formatPlainKey(kind: string, key: Uint8Array): string {
  return `${titleOf(kind, 1)}\n${base64(key)}\n`
}

/**
 * Reads the text of a key file.
 *
 * @param kind - `device` or `vault`
 * @param path - for the error
 * @throws {CellarError} `KEY_INVALID`; `VERSION_UNKNOWN` for a later format
 */
export function parseKeyFile(text: string, kind: string, path: string): KeyFile {
  const [title = '', second = '', third = ''] = text.split('\n')
  if (title === titleOf(kind, 1)) {
    const key = Buffer.from(second, 'base64')
    if (key.byteLength === keyBytes) return { kind: 'plain', key: new Uint8Array(key) }
  } else if (title === titleOf(kind, 2) && kind === 'device') {
    const cost = readCost(second)
    const sealed = new Uint8Array(Buffer.from(third, 'base64'))
    if (cost !== undefined) return { kind: 'sealed', seal: { cost, head: `${title}\n${second}\n`, sealed } }
  } else if (title.startsWith(titleOf(kind, '')))
    throw new CellarError('VERSION_UNKNOWN', `the key file ${path} is of a later version`, { path })
  throw new CellarError('KEY_INVALID', `the key file ${path} is not a ${kind} key`, { path })
}

function readCost(line: string): Cost | undefined {
  const found = /^argon2id memory=(\d{1,7}) passes=(\d{1,2}) lanes=(\d{1,2}) salt=([A-Za-z0-9+/=]+)$/.exec(
    line,
  )
  const [memory = 0, passes = 0, lanes = 0] = (found ?? []).slice(1, 4).map(Number)
  const salt = new Uint8Array(Buffer.from(found?.[4] ?? '', 'base64'))
  const isFine =
    memory >= 8 * lanes && memory <= costMax.memory && passes >= 1 && passes <= costMax.passes && lanes >= 1
  return isFine && lanes <= costMax.lanes && salt.byteLength === saltBytes
    ? { memory, passes, lanes, salt }
    : undefined
}

/** The first line of a key file. */
export function titleOf(kind: string, version: number | ''): string {
  return `rootcellar ${kind} key, version ${String(version)}`
}

/** Bytes as they stand in a key file. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
