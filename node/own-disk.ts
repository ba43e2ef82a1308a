/** Errors that say that the disk of this device is at fault. */

import type { ErrorCode } from '../protocol/index.ts'

const OF_OWN_DISK: readonly ErrorCode[] = ['STORE_FULL', 'QUOTA_EXCEEDED', 'STORE_DAMAGED']

/** Says whether it is the disk here that is at fault: another peer cannot mend it, and it may be better soon. */
export function isOfOwnDisk(code: ErrorCode): boolean {
  return OF_OWN_DISK.includes(code)
}
