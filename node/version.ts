/** What this program calls itself. */

import { readFileSync } from 'node:fs'

/** The version in `package.json`, which lies one directory up from the sources and two from what is compiled. */
function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (name === 'rootcellar' && version !== undefined) return version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return 'unknown'
}

/** Version of the program. */
export const VERSION = readVersion()

/** Name and version, as peers and snapshots carry it. */
export const PROGRAM = `rootcellar ${VERSION}`
