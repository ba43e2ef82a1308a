/** The files of the dashboard's page, as the build has put them together (spec/control.md §5). They hold no secret. */

import { existsSync, readFileSync } from 'node:fs'

/** One file as it is sent. */
export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What is sent, and nothing else: no path of a request ever reaches the disk. */
const TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

/** Names of the files that are served. */
export const PAGE_FILES = Object.keys(TYPES)

const files = new Map<string, PageFile>()

/** The file of this name, read once; undefined when there is none. */
export function pageFile(name: string): PageFile | undefined {
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined
  if (type === undefined) return undefined
  let file = files.get(name)
  if (file === undefined) {
    const path = new URL(name, directory())
    if (!existsSync(path)) return undefined
    file = { type, bytes: Uint8Array.from(readFileSync(path)) }
    files.set(name, file)
  }
  return file
}

/** Beside what is compiled; run from its sources, a node serves what was built last. */
function directory(): URL {
  const compiled = new URL('../../dashboard/', import.meta.url)
  return existsSync(compiled) ? compiled : new URL('../../dist/dashboard/', import.meta.url)
}
