/** A backup within its session (R4, R5): pinned before the first look-up, announced before it is closed. */

import { isCellarError, type Random, type RootId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { PendingRoot } from '../ledger/records.ts'
import { type Elsewhere, openPresence, type Presence, storePresence } from './presence.ts'

/** What a session stands on. */
export interface SessionParts {
  readonly ledger: Pick<Ledger, 'openSession' | 'announce' | 'closeSession'>
  readonly store: ChunkStore
  readonly random: Random
  /** Signs what is new, as soon as that may be. */
  readonly publish: () => Promise<unknown>
}

/** What is made within a session. */
export interface SessionWork<T> {
  /** Seals into the store what is not present. Called once more, without leaning, when leaning had to end meanwhile. */
  readonly seal: (presence: Presence) => Promise<T>
  /** What of that is to be announced, if anything: all of its closure is durable here, or was present. */
  readonly rootOf: (result: T) => PendingRoot | undefined
  /** Keeps chunks for this very session. */
  readonly elsewhere?: Elsewhere
}

/**
 * Opens a session, has something sealed, holds it if it is whole here, announces it, and closes the session.
 *
 * @throws what sealing throws, and the store: nothing is announced then
 */
export async function inSession<T>(parts: SessionParts, work: SessionWork<T>): Promise<T> {
  const { ledger, store, random, publish } = parts
  // R4: what is known now is pinned before the first look-up, and held back until the root is announced.
  const session = await ledger.openSession(Buffer.from(random.bytes(8)).toString('hex'))
  let isComplete = false
  try {
    const presence = await openPresence(store, session.leanable, work.elsewhere)
    let result = await work.seal(presence)
    if (!(await announce(parts, presence, work.rootOf(result)))) {
      // R5.1: it may lean no more. Once more, with all that is needed stored here.
      result = await work.seal(storePresence(store))
      await announce(parts, storePresence(store), work.rootOf(result))
    }
    await publish()
    isComplete = true
    return result
  } finally {
    await ledger.closeSession(session, isComplete)
  }
}

/** @returns false when the root leans, and that is not allowed any more: nothing is announced then */
async function announce(
  { ledger, store }: SessionParts,
  presence: Presence,
  pending: PendingRoot | undefined,
): Promise<boolean> {
  if (pending === undefined) return true
  // R3, R10: what is whole here is held before it is announced; what leans is announced, and held by others first.
  const isHeld = await holdIfWhole(store, presence, pending.root)
  return await ledger.announce(pending, !isHeld)
}

async function holdIfWhole(store: ChunkStore, presence: Presence, root: RootId): Promise<boolean> {
  try {
    await store.hold(root)
    return true
  } catch (error) {
    // Lacking what it does not lean on, it has lost what it had been told is here.
    if (isCellarError(error, 'CLOSURE_INCOMPLETE') && presence.isWhole(root)) return false
    throw error
  }
}
