/** Backups that may store only so much at a time (spec/upload.md §4): with real threads, and room that comes or does not. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CellarError, type ChunkId } from '../../../../protocol/index.ts'
import type { Staging } from '../../../../node/backup/staging.ts'
import { openPresence } from '../../../../node/backup/presence.ts'
import { uploadMesh } from '../upload/upload-mesh.ts'
import { makeDirectory, makeSetting, noise, run, type Setting } from './helper.ts'

const MiB = 1024 * 1024

describe('a backup within a bound', function () {
  this.timeout(60_000)
  let directory: string
  let setting: Setting

  beforeEach(async () => {
    directory = makeDirectory()
    setting = await makeSetting()
  })
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  const write = (name: string, bytes: number): void => {
    writeFileSync(join(directory, name), noise(bytes, name.length))
  }
  const contents = async (): Promise<ChunkId[]> => {
    const ids: ChunkId[] = []
    for await (const { id } of setting.store.unused()) ids.push(id)
    return ids.sort()
  }
  /** Grants all room, and counts it. */
  class Counting implements Staging {
    readonly packBytes = 2 * MiB
    readonly ids = new Set<ChunkId>()
    reserved = 0
    most = 0

    reserve(bytes: number): Promise<() => void> {
      this.reserved += bytes
      this.most = Math.max(this.most, this.reserved)
      return Promise.resolve(() => (this.reserved -= bytes))
    }

    staged(chunks: readonly { readonly id: ChunkId }[]): void {
      for (const { id } of chunks) this.ids.add(id)
    }
  }

  for (const [where, bytes] of [
    ['in threads', 20 * MiB],
    ['in this thread', MiB],
  ] as const) {
    it(`asks for room first, tells of content and of no tree, gives all back; ${where}`, async () => {
      write('large', bytes)
      write('small', 3000)
      const staging = new Counting()
      const bounded = { ...setting, staging }
      const { root } = await run(bounded, [directory], { threads: 2, skipIfUnchanged: false })
      assert.ok(root)
      assert.equal(staging.reserved, 0)
      assert.ok(staging.most > 0 && staging.most <= 2 * 2 * staging.packBytes, String(staging.most))
      await setting.store.release(root)
      await setting.store.loosen()
      assert.deepEqual([...staging.ids].sort(), await contents())
    })

    it(`ends at once when it is stopped while it waits for room; ${where}`, async () => {
      write('large', bytes)
      const stop = new AbortController()
      const staging: Staging = {
        packBytes: 2 * MiB,
        reserve: () => {
          setImmediate(() => {
            stop.abort()
          })
          return new Promise(() => undefined)
        },
        staged: () => undefined,
      }
      const bounded = { ...setting, staging }
      await assert.rejects(run(bounded, [directory], { threads: 2 }, { signal: stop.signal }), {
        code: 'ABORTED',
      })
    })

    it(`ends with what kept it from getting room; ${where}`, async () => {
      write('large', bytes)
      const nobody = new CellarError('NO_PEER', 'nobody takes it')
      const staging: Staging = {
        packBytes: 2 * MiB,
        reserve: () => Promise.reject(nobody),
        staged: () => undefined,
      }
      const bounded = { ...setting, staging }
      await assert.rejects(run(bounded, [directory], { threads: 2 }), { code: 'NO_PEER' })
    })
  }

  it('streams through to a holder; what is then needed is here or there', async () => {
    for (let at = 0; at < 12; at++) write(`file${'.'.repeat(at)}`, 3 * MiB)
    const mesh = await uploadMesh()
    const [{ laptop }, holder] = [mesh, mesh.holders[0] ?? assert.fail()]
    await mesh.link(laptop, holder)
    const signal = AbortSignal.timeout(50_000)
    const session =
      (await laptop.own.begin({ stagingBytes: 16 * MiB, signal, onHolder: () => undefined })) ?? assert.fail()
    let most = 0
    laptop.events.on(() => {
      most = Math.max(most, laptop.store.stats().bytes)
    })
    const presence = await openPresence(laptop.store, new Set(), session)
    const bounded = { ...setting, store: laptop.store, presence, staging: session }
    // It cannot be held: not all of it is here.
    await assert.rejects(run(bounded, [directory], { threads: 2 }), { code: 'CLOSURE_INCOMPLETE' })
    assert.ok(most <= 18 * MiB && most > MiB, String(most))
    const unheld = { ...bounded, store: notHeld(laptop.store) }
    const root = (await run(unheld, [directory], { threads: 2 })).root ?? assert.fail()
    assert.equal(presence.isWhole(root), true)
    const missing = [...laptop.store.missingBelow(root)]
    assert.ok(missing.length > 10)
    assert.deepEqual(holder.store.missing(missing), [])
    assert.equal(
      missing.every((id) => holder.keeper.isPromised(id)),
      true,
    )
    await laptop.own.end(session)
    await mesh.close()
  })

  /** A store on which nothing is held. */
  function notHeld(store: Setting['store']): Setting['store'] {
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'hold') return () => Promise.resolve()
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
})
