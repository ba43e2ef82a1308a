/**
 * Makes chunks of files again from their sources (spec/thin.md §5). Sealing is a function of the content, so what is
 * still there as it was gives the same chunk; and the id says whether it did.
 */

import { type ChunkId, type Entry, isCellarError, type RootId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { isSystemError, readFully, withSource } from '../backup/read-source.ts'
import { storeSource } from '../chunk-source.ts'
import { SnapshotReader } from '../snapshot-reader.ts'
import type { Vault } from '../vault.ts'

/** What is needed to make a chunk again. */
export interface RemakeParts {
  /** Has the trees of the snapshots. */
  readonly store: ChunkStore
  readonly vault: Vault
}

/** Where the content of a chunk comes from. */
interface Piece {
  /** Absolute, raw bytes. */
  readonly path: Uint8Array
  /** First byte in the chunk's content. */
  readonly at: number
  readonly length: number
  /** First byte in what of the file is data. */
  readonly from: number
  readonly holes: Entry['holes']
}

/** The pieces of one chunk. */
interface Recipe {
  readonly kind: 'data' | 'bundle'
  readonly pieces: Piece[]
}

/**
 * Makes those of some chunks again that the sources still give, and puts them into the store, durably. Reads only the
 * files concerned.
 *
 * @param roots - snapshots of this device in which to look for them
 * @returns those that are here now
 */
export async function remakeChunks(
  { store, vault }: RemakeParts,
  roots: Iterable<RootId>,
  wanted: ReadonlySet<ChunkId>,
  signal: AbortSignal,
): Promise<ReadonlySet<ChunkId>> {
  const made = new Set<ChunkId>()
  for (const root of roots) {
    const lacking = new Set([...wanted].filter((id) => !made.has(id)))
    if (lacking.size === 0) break
    const recipes = await findRecipes(new SnapshotReader(storeSource(store), vault), root, lacking, signal)
    for (const [id, recipe] of recipes) {
      signal.throwIfAborted()
      const raw = cook(recipe)
      if (raw === undefined) continue
      const sealed = vault.seal(recipe.kind, raw, [])
      if (sealed.id !== id) continue // the file is not as it was
      await store.put(id, sealed.bytes)
      made.add(id)
    }
  }
  await store.commit()
  return made
}

/** Looks through the trees of a snapshot, as far as they are here. */
async function findRecipes(
  reader: SnapshotReader,
  root: RootId,
  wanted: ReadonlySet<ChunkId>,
  signal: AbortSignal,
): Promise<ReadonlyMap<ChunkId, Recipe>> {
  const recipes = new Map<ChunkId, Recipe>()
  const note = (id: ChunkId, kind: Recipe['kind'], piece: Piece) => {
    const recipe = recipes.get(id) ?? { kind, pieces: [] }
    recipes.set(id, recipe)
    recipe.pieces.push(piece)
  }
  try {
    const { trees } = await reader.root(root, signal)
    for await (const { path, entry } of reader.walk(trees, Buffer.from('/'), signal)) {
      const { content, holes } = entry
      if (content === undefined) continue
      if (content.kind === 'bundle') {
        const { chunk, offset: at, length } = content
        if (wanted.has(chunk)) note(chunk, 'bundle', { path, at, length, from: 0, holes })
        continue
      }
      let from = 0
      for await (const { id, length } of reader.chunks(entry, signal)) {
        // Of content that comes again and again one place is enough.
        if (wanted.has(id) && !recipes.has(id)) note(id, 'data', { path, at: 0, length, from, holes })
        from += length
      }
    }
  } catch (error) {
    if (!isCellarError(error) || signal.aborted) throw error
    // A tree, or a list of chunks, that is not here: what was found so far is tried.
  }
  return recipes
}

/** Reads the content of a chunk; undefined when a file is not there, or too short. */
function cook({ pieces }: Recipe): Uint8Array | undefined {
  const raw = Buffer.alloc(Math.max(...pieces.map(({ at, length }) => at + length)))
  try {
    return pieces.every((piece) => readPiece(raw, piece)) ? raw : undefined
  } catch (error) {
    if (isSystemError(error)) return undefined
    throw error
  }
}

function readPiece(raw: Buffer, { path, at, length, from, holes = [] }: Piece): boolean {
  return withSource(path, (fd) => {
    for (let done = 0; done < length; ) {
      const { position, room } = placeOf(from + done, holes)
      const part = Math.min(room, length - done)
      if (readFully(fd, raw, at + done, part, position) < part) return false
      done += part
    }
    return true
  })
}

/** Where in a file a byte of its data is, and how many bytes of data follow there without a hole. */
function placeOf(dataAt: number, holes: NonNullable<Entry['holes']>): { position: number; room: number } {
  let position = dataAt
  for (const { offset, length } of holes) {
    if (offset > position) return { position, room: offset - position }
    position += length
  }
  return { position, room: Infinity }
}
