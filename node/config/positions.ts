/**
 * On which line of a TOML text each key stands. The parser of TOML gives values without places; a wrong value would
 * else be told of without a line. What is found here goes into messages only and never into a setting.
 */

import { type ConfigPath, nameOf, scanOf } from './scanner.ts'

export type { ConfigPath } from './scanner.ts'

/** Finds lines. */
export interface Positions {
  /** The line of a key, from 1; where it is not there itself, that of the nearest thing around it. */
  lineOf(path: ConfigPath): number | undefined
}

/**
 * Looks for all keys.
 *
 * @param text - TOML that the parser has taken: of anything else some lines are missing
 */
export function positionsOf(text: string): Positions {
  let lines: ReadonlyMap<string, number> | undefined
  return {
    lineOf: (path) => {
      lines ??= scanOf(text).lines // most files are right: nobody asks
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(nameOf(path.slice(0, length)))
        if (line !== undefined) return line
      }
      return undefined
    },
  }
}
