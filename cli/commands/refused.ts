/** Snapshots that something could not be done to, among others to which it was. */

import { ERRORS, type ErrorCode, type Refused } from '../../node/client.ts'
import { remedyOf } from '../remedies.ts'
import { count } from '../output/format.ts'
import type { Session } from '../session.ts'

/** What was tried, and how it is said of what it was done to. */
const DONE = {
  forget: 'forgotten',
  undelete: 'brought back',
  pin: 'pinned',
  unpin: 'unpinned',
} as const

/** The exit status when some could be done and some not (restic's). */
const SOME = 3

/**
 * Tells which ones, and why.
 *
 * @param done - to how many it was done
 * @returns the exit status: 3 when it was done to others, else that of the first refusal
 */
export function reportRefused(
  session: Session,
  during: keyof typeof DONE,
  done: number,
  refused: readonly Refused[],
): number | undefined {
  const [first] = refused
  if (first === undefined) return undefined
  const { print } = session
  const known = isErrorCode(first.code) ? first.code : undefined
  const remedy = known === undefined ? undefined : remedyOf(known, first.message, during)
  const status = done > 0 ? SOME : known === undefined ? 1 : ERRORS[known].exit
  if (done === 0 && refused.length === 1) {
    print.failure(status, first.message, remedy, known)
    return status
  }
  for (const { snapshot, code, message } of refused) {
    const item = { message_type: 'error', error: { message }, during, item: snapshot, code }
    print.problem(`${snapshot}: ${message}`, item)
  }
  print.failure(status, `${count(refused.length, 'snapshot')} could not be ${DONE[during]}`, remedy, known)
  return status
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}

/** Beginnings of ids for a line of text: all of few, the first of many. */
export function idList(ids: readonly string[], most = 6): string {
  const shown = ids.slice(0, ids.length > most ? most - 1 : most).map((id) => id.slice(0, 8))
  const more = ids.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`
}
