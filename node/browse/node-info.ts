/** An entry of a snapshot as restic shows it in JSON. */

import type { Entry } from '../../protocol/index.ts'
import type { NodeInfo } from '../api-browse.ts'
import { pathFields } from '../path-text.ts'

const TYPES = {
  file: 'file',
  dir: 'dir',
  symlink: 'symlink',
  fifo: 'fifo',
  char: 'chardev',
  block: 'dev',
} as const
const LETTERS = { file: '-', dir: 'd', symlink: 'L', fifo: 'p', char: 'c', block: 'D' } as const

/** Go's bits of a mode, as restic writes them. */
const GO = {
  dir: 2 ** 31,
  symlink: 2 ** 27,
  block: 2 ** 26,
  char: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  file: 0,
} as const
const GO_SETUID = 2 ** 23
const GO_SETGID = 2 ** 22
const GO_STICKY = 2 ** 20

/** The mode as a number of Go's `os.FileMode`. */
export function goMode({ type, mode }: Pick<Entry, 'type' | 'mode'>): number {
  let bits: number = GO[type] + (mode & 0o777)
  if ((mode & 0o4000) !== 0) bits += GO_SETUID
  if ((mode & 0o2000) !== 0) bits += GO_SETGID
  if ((mode & 0o1000) !== 0) bits += GO_STICKY
  return bits
}

/** The mode as `ls -l` shows it: `drwxr-sr-t`. */
export function permissionText({ type, mode }: Pick<Entry, 'type' | 'mode'>): string {
  const three = (bits: number, isSpecial: boolean, letter: string): string => {
    const last = isSpecial ? ((bits & 1) !== 0 ? letter : letter.toUpperCase()) : (bits & 1) !== 0 ? 'x' : '-'
    return `${(bits & 4) !== 0 ? 'r' : '-'}${(bits & 2) !== 0 ? 'w' : '-'}${last}`
  }
  const kind = type === 'symlink' ? 'l' : type === 'block' ? 'b' : LETTERS[type]
  return (
    kind +
    three(mode >> 6, (mode & 0o4000) !== 0, 's') +
    three(mode >> 3, (mode & 0o2000) !== 0, 's') +
    three(mode, (mode & 0o1000) !== 0, 't')
  )
}

/**
 * A time as RFC 3339 in UTC with as many digits of a second as it has; years beyond 0..9999 as ISO 8601 extends them.
 *
 * @param ns - nanoseconds since 1970, before it negative
 */
export function timeText(ns: bigint): string {
  const rest = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const seconds = new Date(Number((ns - rest) / 1_000_000n)).toISOString().slice(0, -5)
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
  return `${seconds}${fraction}Z`
}

/** What is the same in `ls` and `find`. */
export type NodeFacts = Omit<NodeInfo, 'message_type' | 'struct_type' | 'name'>

/** All facts but the name. @param path - raw bytes; borrowed */
export function nodeFacts(path: Uint8Array, entry: Entry): NodeFacts {
  const { target } = entry
  const link = target === undefined ? undefined : pathFields(target)
  return {
    type: TYPES[entry.type],
    ...pathFields(path),
    uid: entry.uid,
    gid: entry.gid,
    ...(entry.user === undefined ? {} : { user: entry.user }),
    ...(entry.group === undefined ? {} : { group: entry.group }),
    ...(entry.type === 'file' ? { size: entry.size } : {}),
    mode: goMode(entry),
    permissions: permissionText(entry),
    mtime: timeText(entry.mtimeNs),
    ctime: timeText(entry.ctimeNs),
    ...(entry.inode <= BigInt(Number.MAX_SAFE_INTEGER) ? { inode: Number(entry.inode) } : {}),
    ...(link === undefined ? {} : { linktarget: link.path }),
    ...(link?.path_b64 === undefined ? {} : { linktarget_b64: link.path_b64 }),
  }
}

/** One line of `ls --json`. */
export function nodeInfo(path: Uint8Array, entry: Entry): NodeInfo {
  return {
    message_type: 'node',
    struct_type: 'node',
    name: pathFields(entry.name).path,
    ...nodeFacts(path, entry),
  }
}
