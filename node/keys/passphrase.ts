/** `cellar key passphrase`: puts the key files under a passphrase, and takes it away (node/spec/keys.md §2). */

import { CellarError } from '../../protocol/index.ts'
import { systemWorld } from '../adapters/system-world.ts'
import { type AskPassphrase, type HomePaths, isSealed, readKeys, sealKeys, writeKeys } from '../home.ts'

/** Fewest characters of a passphrase (UTF-16 units): what is short is guessed whatever a guess costs. */
export const passphraseCharsMin = 8

/**
 * Puts the keys of a home under a passphrase, or under another one. A node that runs goes on with what it has.
 *
 * @param ask - for the old passphrase, where there is one
 * @throws {CellarError} `NO_MESH`, `USAGE` for a short one, `PASSPHRASE_WRONG`
 */
export async function setPassphrase(home: HomePaths, passphrase: string, ask: AskPassphrase): Promise<void> {
  if (passphrase.normalize('NFKC').length < passphraseCharsMin)
    throw new CellarError('USAGE', `a passphrase has ${String(passphraseCharsMin)} characters or more`)
  const keys = await readKeys(home, ask)
  await sealKeys(home, keys, { passphrase, random: systemWorld.random })
}

/** Takes the passphrase away: the keys are plain files again. @returns false when there was none */
export async function removePassphrase(home: HomePaths, ask: AskPassphrase): Promise<boolean> {
  if (!isSealed(home)) return false
  writeKeys(home, await readKeys(home, ask))
  return true
}
