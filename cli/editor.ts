/** A person's editor, run on a file. */

import { spawn } from 'node:child_process'
import { CellarError } from '../node/client.ts'

/**
 * Runs `$VISUAL`, else `$EDITOR`, else `vi`, and waits for its end. They may have arguments, so a shell reads them, as
 * that of git does.
 *
 * @param path - absolute
 * @throws {CellarError} `COMMAND_FAILED` when it cannot be run, or says that it failed
 */
export async function runEditor(
  env: Readonly<Record<string, string | undefined>>,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const editor = [env['VISUAL'], env['EDITOR']].find((one) => one !== undefined && one.trim() !== '') ?? 'vi'
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'editor', path], {
    stdio: 'inherit',
    env: { ...env },
  })
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, name) => {
      resolve(code ?? name ?? 'a signal')
    })
  })
  signal.throwIfAborted()
  if (status !== 0)
    throw new CellarError(
      'COMMAND_FAILED',
      `the editor ${editor} ended with ${String(status)}: nothing was changed`,
    )
}
