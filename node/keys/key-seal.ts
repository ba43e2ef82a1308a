/** Key files under a passphrase (node/spec/keys.md §2). Apart from key-file.ts: its hash is loaded by who needs it. */

import { argon2id } from '@noble/hashes/argon2.js'
import {
  CellarError,
  concatBytes,
  isCellarError,
  openSecret,
  type Random,
  sealSecret,
} from '../../protocol/index.ts'
import { base64, type Cost, type HomeKeys, saltBytes, type Seal, titleOf } from './key-file.ts'

const keyBytes = 32
const nonceBytes = 24

/**
 * What a guess costs: RFC 9106 §4 names 64 MiB and three passes for where memory is short; about a second of one core
 * in plain JavaScript.
 */
const costNow = { memory: 64 * 1024, passes: 3, lanes: 1 } as const

/**
 * Text of a device's key file under a passphrase: its vault key is in it too.
 *
 * @param random - for salt and nonce
 * @param costs - what a guess is to cost
 */
export function formatSealedKeys(
  keys: HomeKeys,
  passphrase: string,
  random: Random,
  costs: Omit<Cost, 'salt'> = costNow,
): string {
  const cost = { ...costs, salt: random.bytes(saltBytes) }
  const { memory, passes, lanes, salt } = cost
  const line = `argon2id memory=${String(memory)} passes=${String(passes)} lanes=${String(lanes)} salt=${base64(salt)}`
  const head = `${titleOf('device', 2)}\n${line}\n`
  const secret = concatBytes([keys.device, keys.vault ?? new Uint8Array(0)])
  const sealed = sealSecret(inputOf(stretch(passphrase, cost), head), random.bytes(nonceBytes), secret)
  return `${head}${base64(sealed)}\n`
}

/**
 * Opens the keys of a device. Takes a second or so, on purpose.
 *
 * @throws {CellarError} `PASSPHRASE_WRONG`, `KEY_INVALID`
 */
export function openSeal({ cost, head, sealed }: Seal, passphrase: string): HomeKeys {
  const secret = opened(() => openSecret(inputOf(stretch(passphrase, cost), head), sealed))
  if (secret.byteLength !== keyBytes && secret.byteLength !== 2 * keyBytes)
    throw new CellarError('KEY_INVALID', 'the key file does not hold the keys of a device')
  const vault = secret.byteLength === keyBytes ? undefined : secret.slice(keyBytes)
  return { device: secret.slice(0, keyBytes), vault }
}

function opened(open: () => Uint8Array): Uint8Array {
  try {
    return open()
  } catch (error) {
    if (!isCellarError(error, 'KEY_INVALID')) throw error
    throw new CellarError(
      'PASSPHRASE_WRONG',
      'the passphrase is not that of the key file, or the file is damaged',
    )
  }
}

function stretch(passphrase: string, { memory, passes, lanes, salt }: Cost): Uint8Array {
  // The same passphrase is typed as other code points on other systems.
  const bytes = Buffer.from(passphrase.normalize('NFKC'), 'utf8')
  return argon2id(bytes, salt, { m: memory, t: passes, p: lanes, dkLen: keyBytes })
}

function inputOf(key: Uint8Array, head: string) {
  return { key, purpose: 'key-file', associated: Buffer.from(head, 'utf8') }
}
