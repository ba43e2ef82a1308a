/** The real outside of telling; loaded when something is told, as most commands tell nothing. */

import { readFileSync } from 'node:fs'
import { CellarError } from '../../protocol/index.ts'
import type { Outside } from '../telling/outside.ts'
import { askWeb } from './ask-web.ts'
import { serveMetrics } from './metrics-server.ts'
import { writePublicFile } from './public-file.ts'
import { runProgram } from './run-program.ts'

/** Web, mail, programs and files of this machine. */
export const systemOutside: Outside = {
  ask: askWeb,
  run: runProgram,
  async post(letter, post, signal) {
    const { postMail } = await import('./post-mail.ts')
    return await postMail(letter, post, signal)
  },
  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw failure(`${path} cannot be read`, error)
    }
  },
  write(path, text, mode) {
    try {
      writePublicFile(path, text, mode)
    } catch (error) {
      throw failure(`${path} cannot be written`, error)
    }
  },
  serve: serveMetrics,
}

function failure(what: string, error: unknown): CellarError {
  const { code, message } = error as NodeJS.ErrnoException
  return new CellarError('HOOK_FAILED', `${what}: ${code ?? message}`)
}
