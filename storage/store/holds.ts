/** Marks that keep a closure (R3), in the index and in the file beside the packs (ordering.md §4). */
import { CellarError, type RootId } from '../../protocol/index.ts'
import { completeClosure } from './closure.ts'
import { commitStaged, withReserve } from './commit.ts'
import type { StoreParts } from './parts.ts'

/** Holds a root; within the turnstile, which serialises it with reclaiming (R3). */
export async function holdRoot(parts: StoreParts, root: RootId): Promise<void> {
  await commitStaged(parts)
  if (parts.index.holds.has(root)) return
  const draft = parts.index.draft()
  const lacking = await completeClosure(parts, draft, root)
  const [first] = lacking
  if (first !== undefined) {
    await draft.write(false) // what is whole below stays found
    const context = { root, missing: lacking.size, first }
    throw new CellarError(
      'CLOSURE_INCOMPLETE',
      `${String(lacking.size)} chunks below ${root} are not here`,
      context,
    )
  }
  // The file first: it names a root whenever the index does, so that a lost index loses no hold.
  await withReserve(parts, () => parts.holdsFile.note([{ root, isHeld: true }], parts.index.holds))
  draft.setHold(root, true)
  draft.refer(root, 1)
  await withReserve(parts, () => draft.write(true))
}

/** Takes marks away; within the turnstile. */
export async function releaseRoots(parts: StoreParts, roots: readonly RootId[]): Promise<void> {
  const held = [...new Set(roots)].filter((root) => parts.index.holds.has(root))
  if (held.length === 0) return
  const draft = parts.index.draft()
  for (const root of held) {
    draft.setHold(root, false)
    draft.refer(root, -1)
  }
  await withReserve(parts, () => draft.write(true))
  const changes = held.map((root) => ({ root, isHeld: false }))
  await withReserve(parts, () => parts.holdsFile.note(changes, parts.index.holds))
}
