/** Runs a program of the person's settings, without a shell. */

import { spawn } from 'node:child_process'
import { CellarError } from '../../protocol/index.ts'
import type { ProgramCall, ProgramEnd } from '../telling/outside.ts'

/** Characters of its output that are kept. */
const outputCharsMax = 4096

/** After it was asked to end, before it is ended, milliseconds. */
const graceMs = 3000

/** Never handed on: they are for this program alone. */
const OWN_SECRETS = ['CELLAR_PASSPHRASE', 'CELLAR_PASSPHRASE_FILE'] as const

/**
 * Runs a program to its end. Once the signal is given it is asked to end, and soon after it and all that it began is
 * ended.
 *
 * @throws {CellarError} `HOOK_FAILED` when it cannot be started, or was ended by the signal
 */
export async function runProgram(call: ProgramCall, signal: AbortSignal): Promise<ProgramEnd> {
  const [file = '', ...args] = call.command
  if (signal.aborted) throw new CellarError('HOOK_FAILED', `${file} was not started: ${reasonOf(signal)}`)
  const env: NodeJS.ProcessEnv = { ...process.env, ...call.env }
  for (const name of OWN_SECRETS) Reflect.deleteProperty(env, name)
  // A group of its own, so that what it began can be ended with it.
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const end = (how: NodeJS.Signals) => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, how)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  let late: NodeJS.Timeout | undefined
  const onAbort = () => {
    end('SIGTERM')
    late = setTimeout(() => end('SIGKILL'), graceMs)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await ended(child, call.input, file, signal)
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(late)
  }
}

async function ended(
  child: ReturnType<typeof spawn>,
  input: string,
  file: string,
  signal: AbortSignal,
): Promise<ProgramEnd> {
  let output = ''
  let complaint = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < outputCharsMax) output += text.slice(0, outputCharsMax - output.length)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-outputCharsMax)
  })
  // A program that reads nothing ends the pipe: that is no failure.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  return await new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CellarError('HOOK_FAILED', `${file} cannot be run: ${error.code ?? error.message}`, {
          permanent: true,
        }),
      )
    })
    child.once('close', (code, by) => {
      if (signal.aborted) {
        reject(new CellarError('HOOK_FAILED', `${file} was ended: ${reasonOf(signal)}`))
        return
      }
      const lines = complaint.trim().split('\n')
      resolve({
        status: code ?? undefined,
        signal: by ?? undefined,
        output,
        complaint: lines.at(-1)?.trim() ?? '',
      })
    })
  })
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : 'it took too long'
}
