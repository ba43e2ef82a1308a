/** Snapshots that something could not be done with: told beside those that it was done with. */

import type { CellarError } from '../../protocol/index.ts'
import type { Refused } from '../api.ts'

/** One that was refused, as a person named it. */
export function refusedOf(snapshot: string, { code, message }: CellarError): Refused {
  return { snapshot, code, message }
}
