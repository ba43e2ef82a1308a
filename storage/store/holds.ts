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
  await withReserve(parts, () => parts.holdsFile.note({ root, isHeld: true }, parts.index.holds))
  draft.setHold(root, true)
  draft.refer(root, 1)
  await withReserve(parts, () => draft.write(true))
}

/** Takes a mark away; within the turnstile. */
export async function releaseRoot(parts: StoreParts, root: RootId): Promise<void> {
  if (!parts.index.holds.has(root)) return
  const draft = parts.index.draft()
  draft.setHold(root, false)
  draft.refer(root, -1)
  await withReserve(parts, () => draft.write(true))
  await withReserve(parts, () => parts.holdsFile.note({ root, isHeld: false }, parts.index.holds))
}
