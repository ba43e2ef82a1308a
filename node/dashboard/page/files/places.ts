/** The places of this screen. */

import { hrefOf } from '../place.ts'
import { pathQuery, type RawPath } from './paths.ts'

/** A directory, or a file, of a snapshot. */
export function placeHref(what: 'in' | 'file', snapshot: string, path: RawPath): string {
  return hrefOf(['files', what, snapshot], pathQuery(path))
}
