/** The passphrase of the key files: from where it comes. Never from an argument. */

import { CellarError, type PathText } from '../node/client.ts'
import type { Asker } from './asker.ts'
import type { CliWorld } from './world.ts'

/** Of a session: where a secret can come from. */
export interface AskFrom {
  readonly world: Pick<CliWorld, 'env' | 'door'>
  readonly asker: Asker
  /** An argument that names a file, made absolute. */
  path(argument: string): PathText
}

/**
 * The passphrase of the key files: from the environment, from the file that it names, or asked for.
 *
 * @throws {CellarError} `PASSPHRASE_NEEDED` where there is nobody to ask
 */
export async function askPassphrase(from: AskFrom, prompt = 'Passphrase of this device: '): Promise<string> {
  const { env } = from.world
  const given = env['CELLAR_PASSPHRASE']
  if (given !== undefined && given !== '') return given
  const file = env['CELLAR_PASSPHRASE_FILE']
  if (file !== undefined && file !== '') {
    const text = await from.world.door.readSecretFile(from.path(file))
    return text.replace(/\r?\n$/, '')
  }
  return await askSecret(from, prompt)
}

/** Asks for a secret on the terminal. @throws {CellarError} `PASSPHRASE_NEEDED`, `ABORTED` */
export async function askSecret(from: AskFrom, prompt: string): Promise<string> {
  if (!from.asker.isThere)
    throw new CellarError(
      'PASSPHRASE_NEEDED',
      'the keys of this device are under a passphrase, and nobody can be asked',
    )
  const typed = await from.asker.secret(prompt)
  if (typed === undefined || typed === '') throw new CellarError('ABORTED', 'no passphrase was typed')
  return typed
}
