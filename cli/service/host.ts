/** What `cellar service` needs of the machine: handed in, so that tests run it without one. */

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A program that has ended. */
export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** A user of the machine. */
export interface SystemUser {
  readonly name: string
  readonly uid: number
  readonly directory: string
}

/** The machine. */
export interface ServiceHost {
  /** Node and the program it runs, absolute, as they can be started again. */
  readonly program: readonly string[]
  readonly uid: number
  /** Users by /etc/passwd. */
  users(): readonly SystemUser[]
  /** Who owns a file; undefined when it is not there. */
  ownerOf(path: string): number | undefined
  /** The text of a file; undefined when it is not there. */
  read(path: string): string | undefined
  /** Writes a file for all to read, and the directories above it. */
  write(path: string, text: string): void
  /** Removes a file, if it is there. */
  remove(path: string): void
  /** Runs a program to its end; undefined when there is none of that name. */
  run(program: string, args: readonly string[]): Promise<Ran | undefined>
}

/** This machine. */
export function systemHost(): ServiceHost {
  return {
    get program() {
      return [process.execPath, realpathSync(process.argv[1] ?? '')]
    },
    uid: process.getuid?.() ?? 0,
    users: () => parsePasswd(readFileSync('/etc/passwd', 'utf8')),
    ownerOf: (path) => (existsSync(path) ? statSync(path).uid : undefined),
    read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
    write: (path, text) => {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text, { mode: 0o644 })
    },
    remove: (path) => {
      rmSync(path, { force: true })
    },
    run: (program, args) =>
      new Promise((resolve) => {
        execFile(program, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
          const code: unknown = error?.code
          if (error === null) resolve({ status: 0, stdout, stderr })
          else if (code === 'ENOENT') resolve(undefined)
          // Ended by a signal, or not to be started: what it is stands in the message.
          else if (typeof code !== 'number') resolve({ status: 1, stdout, stderr: error.message })
          else resolve({ status: code, stdout, stderr })
        })
      }),
  }
}

/** The users of a file such as /etc/passwd. */
export function parsePasswd(text: string): SystemUser[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', , , directory = ''] = line.split(':')
    return name !== '' && /^\d+$/.test(uid) ? [{ name, uid: Number(uid), directory }] : []
  })
}
