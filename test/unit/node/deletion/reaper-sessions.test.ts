/** Freeing space beside backups, restores and fetches, which go first (R4, R6a; spec/deletion.md §7). */
import assert from 'node:assert/strict'
import { type ChunkId } from '../../../../protocol/index.ts'
import { unfinishedMsMax } from '../../../../node/deletion/reaper.ts'
import { testChunk } from '../../../support/chunks.ts'
import { settle } from '../manual-clock.ts'

import { makeSnapshot, publish, tell } from '../../../support/node.ts'

import {
  alone,
  bare,
  closeAfterEach,
  forget,
  openAgain,
  openDesktop,
  openLaptop,
  reap,
  withLaptop,
} from './desktop.ts'

const dayMs = 86_400_000

describe('the reaper among sessions', () => {
  const opened = closeAfterEach()

  it('R4 R6a U7.1 removes nothing that a session was told is here, though it opens in the midst of it', async () => {
    const desktop = await opened(openDesktop(alone))
    const { ledger, store } = desktop.parts
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    const reclaim = store.reclaim.bind(store)
    let seen: ChunkId[] = []
    let session: Promise<unknown> | undefined
    desktop.parts.store.reclaim = (options) =>
      reclaim({
        ...options,
        mayReclaim: (id) => {
          // After the first chunk: the session opens, and looks up.
          if (session === undefined && seen.length > 0) session = ledger.openSession('s')
          const may = options.mayReclaim(id)
          if (!may) assert.ok(store.has(id))
          seen = [...seen, ...(may ? [id] : [])]
          return may
        },
      })
    await reap(desktop)
    assert.equal(seen.length, 1, 'nothing more once it was open')
    assert.equal(store.has(root), false)
    await session
    desktop.parts.store.reclaim = reclaim
    await ledger.closeSession({ id: 's' }, true)
    await reap(desktop)
    assert.equal(store.stats().chunks, 0)
  })

  it('removes what it has passed over and nothing keeps by the end of that pass', async () => {
    const desktop = await opened(openDesktop(alone, bare, true))
    const { events, signer, store } = desktop.parts
    const kept = testChunk('kept for an upload')
    await store.put(kept.id, kept.bytes)
    await store.commit()
    const reclaim = store.reclaim.bind(store)
    const ended = { kind: 'upload', device: signer.device } as const
    const asked: boolean[] = []
    desktop.parts.store.reclaim = (options) =>
      reclaim({
        ...options,
        mayReclaim: (id) => {
          asked.push(asked.length > 0 && options.mayReclaim(id))
          // It was asked too early: the upload ends in that very moment.
          if (asked.length === 1) events.emit(ended)
          return asked.at(-1) === true
        },
      })
    events.emit(ended)
    await settle()
    assert.deepEqual(asked, [false, true])
    assert.equal(store.has(kept.id), false)
  })

  it('looks once more when something happens while it looks up what is needed', async () => {
    const desktop = await opened(openDesktop(alone, bare, true))
    const { events, ledger, signer, store } = desktop.parts
    const ended = { kind: 'upload', device: signer.device } as const
    let passes = 0
    const reclaim = store.reclaim.bind(store)
    desktop.parts.store.reclaim = (options) => {
      passes++
      return reclaim(options)
    }
    const liveRoots = ledger.liveRoots.bind(ledger)
    ledger.liveRoots = () => {
      // Until the first pass removes: so also when it looks up what is needed.
      if (passes === 0) events.emit(ended)
      return liveRoots()
    }
    events.emit(ended)
    await settle()
    assert.equal(passes, 2)
  })

  it('U7.3 keeps what an interrupted backup stored until one completes', async () => {
    const desktop = await opened(openDesktop(alone))
    const { ledger, store } = desktop.parts
    const staged = testChunk('staged')
    const session = await ledger.openSession('s')
    await store.put(staged.id, staged.bytes)
    await store.commit()
    await ledger.closeSession(session)
    await reap(desktop)
    assert.ok(store.has(staged.id))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    assert.deepEqual((await reap(desktop)).released, [root], 'it stands in the way of nothing else')
    assert.ok(store.has(staged.id))
    const next = await ledger.openSession('t')
    await ledger.closeSession(next, true)
    await reap(await opened(openAgain(desktop)))
    assert.equal(store.has(staged.id), false)
  })

  it('U7.3 keeps it for 30 days at most', async () => {
    const desktop = await opened(openDesktop(alone, bare, true))
    const { ledger, store } = desktop.parts
    const staged = testChunk('staged')
    const session = await ledger.openSession('s')
    await store.put(staged.id, staged.bytes)
    await store.commit()
    await ledger.closeSession(session)
    await desktop.clock.advance(unfinishedMsMax - dayMs)
    assert.ok(store.has(staged.id))
    await desktop.clock.advance(2 * dayMs)
    assert.equal(store.has(staged.id), false)
  })
})

describe('the reaper where something is still to come', () => {
  const opened = closeAfterEach()

  it('R6a U7.2 keeps what is here of a live root, whole or in parts', async () => {
    const desktop = await opened(openDesktop(withLaptop))
    const laptop = await opened(openLaptop(desktop))
    const { store, ledger } = desktop.parts
    const coming = await makeSnapshot(laptop, { content: ['one', 'two'] })
    await tell(laptop, desktop)
    for (const id of [coming, testChunk('one').id]) await store.put(id, laptop.parts.store.get(id))
    await store.commit()
    const [tree] = store.links(coming)
    assert.ok(tree !== undefined && !store.has(tree))
    await store.put(tree, laptop.parts.store.get(tree))
    await store.commit()
    await reap(desktop, true)
    assert.ok(store.has(coming) && store.has(tree) && store.has(testChunk('one').id))
    assert.ok(ledger.isLive(coming))
  })

  it('U7.5 drops it once the root is forgotten before it was whole', async () => {
    const desktop = await opened(openDesktop(withLaptop))
    const laptop = await opened(openLaptop(desktop))
    const { store } = desktop.parts
    const coming = await makeSnapshot(laptop)
    await tell(laptop, desktop)
    await store.put(coming, laptop.parts.store.get(coming))
    await store.commit()
    await reap(desktop)
    assert.ok(store.has(coming))
    await forget(desktop, coming)
    await publish(desktop)
    await reap(desktop)
    assert.equal(store.has(coming), false)
  })
})
