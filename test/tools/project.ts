/** Where the project is, and its files. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The directory with package.json, found from this file in its source or its compiled form. */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)))

function findRoot(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : findRoot(dirname(directory))
}

const notOurs = new Set(['node_modules', 'dist', 'coverage', '.git'])

/** Paths of the project's own files, relative to its root, sorted; one of `endings` each, or all. */
export function projectFiles(...endings: string[]): string[] {
  const walk = (directory: string): string[] =>
    readdirSync(join(projectRoot, directory), { withFileTypes: true }).flatMap((entry) => {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : walk(path)
      return entry.isFile() ? [path] : []
    })
  const all = walk('').sort()
  return endings.length === 0 ? all : all.filter((path) => endings.some((ending) => path.endsWith(ending)))
}

/** The text of one of the project's files. */
export function projectText(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8')
}

/** Says whether the project has such a file or directory. */
export function isInProject(path: string): boolean {
  return existsSync(join(projectRoot, path))
}
