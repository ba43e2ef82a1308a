/** What can be said of a home without opening its node: what a service that runs it has to be allowed. */

import { dirname } from 'node:path'
import { isThere } from './adapters/private-files.ts'
import { hasDevice, type HomePaths, isSealed, readConfig } from './home.ts'

/** Facts of one home. */
export interface HomeFacts {
  /** A device lives here. */
  readonly isMember: boolean
  /** It holds a vault key: it backs up and restores. */
  readonly isReader: boolean
  /** Its keys are under a passphrase. */
  readonly isSealed: boolean
  /** Where its chunks lie. */
  readonly store: string
  /** Directories outside of the home into which its settings have it write. */
  readonly writes: readonly string[]
}

/** Reads the facts of a home. @throws {CellarError} `CONFIG_INVALID`, `KEY_MODE`, `KEY_INVALID` */
export function homeFacts(home: HomePaths): HomeFacts {
  const config = readConfig(home)
  const isMember = hasDevice(home)
  const sealed = isMember && isSealed(home)
  const files = [config.statusFile, config.metrics.textFile].filter((file) => file !== undefined)
  return {
    isMember,
    // Which keys are under the passphrase is not seen from outside: more is allowed rather than too little.
    isReader: sealed || isThere(home.vaultKey),
    isSealed: sealed,
    store: config.store ?? home.store,
    writes: files.map((file) => dirname(file)),
  }
}
