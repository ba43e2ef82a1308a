/** The output of another program as bytes to back up: `--stdin-from-command`. */

import { spawn } from 'node:child_process'
import { CellarError } from '../../protocol/errors.ts'

/**
 * Runs a program and gives what it writes; its errors go to ours.
 *
 * @param command - program and arguments, one or more
 * @throws {CellarError} `COMMAND_FAILED` at the end, when it could not be started or failed: half an output is no
 *   backup
 */
export async function* commandOutput(
  command: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], signal, killSignal: 'SIGTERM' })
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (status, killedBy) => {
      resolve(
        status === 0
          ? undefined
          : status === null
            ? `ended by ${killedBy ?? 'a signal'}`
            : `exit status ${String(status)}`,
      )
    })
  })
  try {
    for await (const bytes of child.stdout) yield bytes as Uint8Array
    const failure = await ended
    if (failure !== undefined)
      throw new CellarError(
        'COMMAND_FAILED',
        `the command ${program} failed (${failure}); no snapshot was made`,
        { command: program },
      )
  } finally {
    if (child.exitCode === null) child.kill('SIGTERM')
  }
}
