/** Freeing space: in which order, and what a crash in between leaves (R6, R10; spec/deletion.md §6). */
import assert from 'node:assert/strict'
import { type RootId } from '../../../../protocol/index.ts'

import { testChunk } from '../../../support/chunks.ts'

import {
  carry,
  makeSnapshot,
  publish,
  tell,
  type TestNode,
  type TestSnapshot,
} from '../../../support/node.ts'
import { settle } from '../manual-clock.ts'
import {
  alone,
  bare,
  checkHeld,
  closeAfterEach,
  forget,
  openAgain,
  openDesktop,
  openLaptop,
  reap,
  withLaptop,
} from './desktop.ts'

describe('the reaper', () => {
  const opened = closeAfterEach()

  it('frees what only a forgotten snapshot needs, and nothing else', async () => {
    const desktop = await opened(openDesktop(alone))
    const gone = await makeSnapshot(desktop, { content: ['shared', 'only here'] })
    const kept = await makeSnapshot(desktop, { content: ['shared', 'other'] })
    await forget(desktop, gone)
    const { parts } = desktop
    await parts.publish()
    assert.deepEqual((await reap(desktop)).released, [gone])
    assert.equal(parts.store.has(gone), false)
    assert.equal(parts.store.has(testChunk('only here').id), false)
    checkHeld(desktop, kept)
    assert.equal(parts.ledger.saysHeld(gone), false)
    assert.equal(parts.ledger.withdrawn().size, 0)
    const nothing = await reap(desktop)
    assert.deepEqual(nothing, { released: [], chunks: 0, bytes: 0, freedBytes: 0 })
  })

  it('U6.2 U6.6 signs alone where there is no other member, and only there (R11)', async () => {
    const desktop = await opened(openDesktop(withLaptop))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await publish(desktop)
    assert.equal(await desktop.parts.publish(), false)
    assert.deepEqual((await reap(desktop)).released, [])
    assert.deepEqual([...desktop.parts.ledger.withdrawn().keys()], [root], 'it is given up, and not yet said')
    assert.ok(desktop.parts.store.isHeld(root))
    await publish(desktop) // in contact
    assert.equal(desktop.parts.ledger.saysHeld(root), false)
    assert.deepEqual((await reap(desktop)).released, [root])
  })

  describe('when a snapshot is brought back', () => {
    const forgotten = async () => {
      const desktop = await opened(openDesktop(withLaptop))
      const root = await makeSnapshot(desktop)
      const [{ source } = { source: new Uint8Array(16) }] = desktop.parts.ledger.live()
      await forget(desktop, root)
      await publish(desktop)
      const undo = () => desktop.parts.ledger.announce({ root, source, sizeClass: 10 })
      return { desktop, root, undo, ...desktop.parts }
    }

    it('U6.4 holds it still, when it was only given up', async () => {
      const { desktop, root, undo, ledger } = await forgotten()
      await reap(desktop)
      assert.ok(ledger.withdrawn().has(root))
      await undo()
      await reap(desktop)
      await publish(desktop)
      assert.equal(ledger.saysHeld(root), true)
      checkHeld(desktop, root)
    })

    it('U6.4 holds it still, when the others were told that it is not held', async () => {
      const { desktop, root, undo, ledger } = await forgotten()
      await reap(desktop)
      await publish(desktop)
      assert.equal(ledger.saysHeld(root), false)
      await undo()
      assert.deepEqual((await reap(desktop)).released, [])
      await publish(desktop)
      assert.equal(ledger.saysHeld(root), true)
      checkHeld(desktop, root)
    })

    it('by another device', async () => {
      const { desktop, root, ledger } = await forgotten()
      const laptop = await opened(openLaptop(desktop))
      await tell(desktop, laptop)
      await carry(desktop, laptop, root)
      await reap(desktop)
      const [dead] = laptop.parts.ledger.dead()
      await laptop.parts.ledger.announce({ root, source: new Uint8Array(16), sizeClass: 1 })
      await publish(laptop)
      assert.equal(dead?.root, root)
      await tell(laptop, desktop)
      await reap(desktop)
      await publish(desktop)
      assert.equal(ledger.saysHeld(root), true)
    })

    it('U6.1 gives nothing up that came to live again while it was judged', async () => {
      const { desktop, root, undo, ledger } = await forgotten()
      const withdraw = ledger.withdraw.bind(ledger)
      ledger.withdraw = async (...given) => {
        await undo()
        return await withdraw(...given)
      }
      await reap(desktop)
      assert.equal(ledger.withdrawn().size, 0)
      checkHeld(desktop, root)
    })

    it('U6.4 releases nothing that came to live again after it was given up', async () => {
      const { desktop, root, ledger, store } = await forgotten()
      const laptop = await opened(openLaptop(desktop))
      await tell(desktop, laptop)
      await carry(desktop, laptop, root)
      await laptop.parts.ledger.announce({ root, source: new Uint8Array(16), sizeClass: 1 })
      await publish(laptop)
      // All in one pass, as in a node that is in contact.
      ledger.saysHeld = () => false
      const withdraw = ledger.withdraw.bind(ledger)
      ledger.withdraw = async (...given) => {
        const granted = await withdraw(...given)
        await tell(laptop, desktop)
        return granted
      }
      assert.deepEqual((await reap(desktop)).released, [])
      assert.ok(store.isHeld(root))
      await reap(desktop)
      assert.equal(ledger.withdrawn().size, 0)
    })

    it('U6.4 holds it again without fetching, when it was released and is whole still', async () => {
      const { desktop, root, undo, ledger, store } = await forgotten()
      const end = desktop.parts.jobs.beginRead()
      await store.release(root)
      end()
      await undo()
      await reap(desktop, true)
      assert.ok(store.isHeld(root))
      await publish(desktop)
      assert.equal(ledger.saysHeld(root), true)
    })
  })

  it('U6.3 goes on after a crash at any write, and never says that it holds what it does not', async () => {
    for (let writes = 0, isOver = false; !isOver; writes++) {
      const desktop = await opened(openDesktop(alone))
      const gone = await makeSnapshot(desktop, { content: ['shared', `gone ${String(writes)}`] })
      const kept = await makeSnapshot(desktop, { content: ['shared'] })
      await forget(desktop, gone)
      isOver = await crashAfter(desktop, writes, async () => {
        await desktop.parts.publish()
        await reap(desktop)
      })
      const restarted = await opened(openAgain(desktop))
      checkHeld(restarted, kept)
      await restarted.parts.publish()
      await reap(restarted)
      checkHeld(restarted, kept)
      assert.equal(restarted.parts.store.has(gone), false, `after a crash at write ${String(writes)}`)
      assert.equal(restarted.parts.store.has(testChunk(`gone ${String(writes)}`).id), false)
      assert.equal(restarted.parts.ledger.withdrawn().size, 0)
      assert.ok(writes < 50)
    }
  })

  it('U6.5 frees one of many without looking at the others', async () => {
    const desktop = await opened(openDesktop(alone))
    const { store } = desktop.parts
    const options = (at: number): TestSnapshot => ({ content: [`content ${String(at)}`] })
    const roots: RootId[] = []
    for (let at = 0; at < 60; at++) roots.push(await makeSnapshot(desktop, options(at)))
    await reap(desktop)
    const [gone] = roots as [RootId]
    await forget(desktop, gone)
    await desktop.parts.publish()
    const looks = count(store, ['links', 'has', 'get', 'read', 'missingBelow'])
    const wholes = count(store, ['isComplete'])
    assert.deepEqual((await reap(desktop)).released, [gone])
    assert.equal(looks.calls, 0)
    // The listing says which of all that are held are whole, as every listing does.
    assert.ok(wholes.calls <= 180, `${String(wholes.calls)} look-ups`)
  })

  it('tells of errors and tries again', async () => {
    const desktop = await opened(openDesktop(alone, bare, true))
    const { store, events, ledger } = desktop.parts
    const troubles: string[] = []
    events.on((event) => {
      if (event.kind === 'trouble') troubles.push(event.message)
    })
    const release = store.release
    store.release = () => Promise.reject(new Error('the disk is broken'))
    const root = await makeSnapshot(desktop)
    await forget(desktop, root)
    await desktop.parts.publish()
    await settle()
    assert.match(troubles.join('\n'), /the disk is broken/)
    assert.ok(troubles.length === 1 && ledger.withdrawn().has(root))
    store.release = release
    await desktop.clock.advance(60_000)
    assert.equal(store.has(root), false)
  })
})

/** Lets a node die at a write of its catalog or its store: that one does not happen, nor any other. @returns it did not */
async function crashAfter({ parts }: TestNode, writes: number, work: () => Promise<void>): Promise<boolean> {
  let left = writes
  const died = new Error('the machine went off')
  const mortal = <A extends readonly unknown[], R>(step: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (left-- <= 0) throw died
      return await step(...args)
    }
  }
  const { store, ledger } = parts
  const { catalog } = (
    ledger as unknown as { parts: { catalog: { batch: (...args: never[]) => Promise<void> } } }
  ).parts
  catalog.batch = mortal(catalog.batch.bind(catalog))
  store.release = mortal(store.release)
  store.reclaim = mortal(store.reclaim)
  store.compact = mortal(store.compact)
  try {
    await work()
  } catch (error) {
    assert.equal(error, died)
    return false
  }
  return true
}

/** Counts calls. */
function count<T extends object>(object: T, names: (keyof T & string)[]): { readonly calls: number } {
  const counted = { calls: 0 }
  for (const name of names) {
    const method = object[name] as (...args: unknown[]) => unknown
    object[name] = ((...args: unknown[]) => {
      counted.calls++
      return method.apply(object, args)
    }) as T[typeof name]
  }
  return counted
}
