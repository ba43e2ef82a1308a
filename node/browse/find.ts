/** Finds entries by name, in a snapshot or many. */

import type { ChunkId, SnapshotRoot } from '../../protocol/index.ts'
import { compilePatterns, nameText, type PatternList } from '../backup/patterns.ts'
import { childPath, type SnapshotReader } from '../snapshot-reader.ts'
import { type NodeFacts, nodeFacts } from './node-info.ts'

/** What is looked for; everything given must hold. */
export interface FindQuery {
  /** As for excludes: names or paths with `*`, `?`, `[a-z]`, `**`; any of them. */
  readonly patterns: readonly string[]
  readonly ignoreCase: boolean
  readonly type?: 'file' | 'dir' | 'symlink'
  /** Times of modification, nanoseconds, both included. */
  readonly oldestNs?: bigint
  readonly newestNs?: bigint
}

/**
 * Searches snapshots one after another; a directory that an earlier one had under the same path is not read again.
 * Keep one for all snapshots of a search.
 */
export class Finder {
  readonly #reader: SnapshotReader
  readonly #query: FindQuery
  readonly #patterns: PatternList
  /** What was found below a directory, by the directory's path and the id of its part. */
  readonly #known = new Map<string, readonly NodeFacts[]>()

  /** @throws {CellarError} `USAGE` when a pattern is malformed */
  constructor(reader: SnapshotReader, query: FindQuery) {
    this.#reader = reader
    this.#query = query
    this.#patterns = compilePatterns(query.patterns, { ignoreCase: query.ignoreCase })
  }

  /** What one snapshot has, in the order of its directories. @throws {CellarError} what reading throws */
  async find(root: SnapshotRoot, signal: AbortSignal): Promise<readonly NodeFacts[]> {
    return await this.#below(root.trees, { path: new Uint8Array(Buffer.from('/')), names: [] }, signal)
  }

  async #below(
    trees: readonly ChunkId[],
    at: { readonly path: Uint8Array; readonly names: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly NodeFacts[]> {
    const found: NodeFacts[] = []
    for (const tree of trees) {
      const key = `${tree}${Buffer.from(at.path).toString('latin1')}`
      let part = this.#known.get(key)
      if (part === undefined) {
        part = await this.#part(tree, at, signal)
        this.#known.set(key, part)
      }
      for (const facts of part) found.push(facts)
    }
    return found
  }

  async #part(
    tree: ChunkId,
    at: { readonly path: Uint8Array; readonly names: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly NodeFacts[]> {
    const found: NodeFacts[] = []
    for (const entry of (await this.#reader.tree(tree, signal)).entries()) {
      const names = [...at.names, nameText(entry.name)]
      const path = childPath(at.path, entry.name)
      if (this.#isWanted(entry.type, entry.mtimeNs) && this.#patterns.matches(names))
        found.push(nodeFacts(path, entry))
      if (entry.trees !== undefined)
        for (const below of await this.#below(entry.trees, { path, names }, signal)) found.push(below)
    }
    return found
  }

  #isWanted(type: string, mtimeNs: bigint): boolean {
    const { type: wanted, oldestNs, newestNs } = this.#query
    return (
      (wanted === undefined || type === wanted) &&
      (oldestNs === undefined || mtimeNs >= oldestNs) &&
      (newestNs === undefined || mtimeNs <= newestNs)
    )
  }
}
