/** What a person can do about an error, where it depends on what was said or asked. */

import { ERRORS, type ErrorCode } from '../node/client.ts'

/**
 * What to do, in a line.
 *
 * @param message - of the error: a remedy that it gives itself is not said twice
 * @param command - that was run, such as `devices remove`, where it is known
 * @returns undefined when the message says it all
 */
export function remedyOf(code: ErrorCode, message: string, command?: string): string | undefined {
  if (code === 'USAGE' && command !== undefined) return `see cellar help ${command}`
  if (code === 'SNAPSHOT_NOT_FOUND' && message.includes(': cellar undelete ')) return undefined
  if (code === 'SNAPSHOT_NOT_FOUND' && (command === 'undelete' || message.includes('cellar trash')))
    return 'cellar trash'
  if (code === 'NOT_ENTITLED' && / do it on /.test(message)) return undefined
  if (code === 'NO_PEER' && / leave out --from/.test(message)) return undefined
  // Nothing at all was there: no question of permissions.
  if (code === 'SOURCE_UNREADABLE' && / is not there/.test(message)) return 'check how it is written'
  return ERRORS[code].remedy
}
