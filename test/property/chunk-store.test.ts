/**
 * The real store against a plain model, in random histories with crashes of the machine at any write. It sees to what
 * holds at every moment (A2.1, A2.2, A2.3), that the lists of free and bad chunks are in step (I1.1), and that packs
 * are durable before the index names what is in them (O2.1). As long as nothing goes wrong, its twin in memory does
 * the same; and in the end, whatever went wrong, giving back all that nobody needs leaves what is held, no byte more.
 */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import { memoryStore, type ChunkStore, type ReclaimOptions } from '../../storage/index.ts'
import { MemoryDisk } from '../../storage/memory-disk.ts'
import { memoryKeyValue } from '../../storage/memory-key-value.ts'
import { openStore } from '../../storage/open-store.ts'
import { packHeaderBytes } from '../../storage/pack/format.ts'
import { drawFrom, testChunk, type TestChunk } from '../support/chunks.ts'

/** A small world of chunks: leaves, trees over leaves, roots over trees; every closure overlaps with others. */
const WORLD: readonly TestChunk[] = (() => {
  const leaves = Array.from({ length: 8 }, (_, at) => testChunk(`leaf ${String(at)}`, [], 50 + at * 300))
  const over = (
    name: string,
    below: readonly TestChunk[],
    picks: readonly (readonly number[])[],
  ): TestChunk[] =>
    picks.map((pick, at) =>
      testChunk(
        `${name} ${String(at)}`,
        pick.map((index) => below[index]?.id ?? leaves[0]?.id).filter((id) => id !== undefined),
      ),
    )
  const trees = over('tree', leaves, [[0, 1], [1, 2, 3], [4], [5, 6, 7]])
  const roots = over('root', trees, [[0, 1], [1, 2], [3]])
  return [...leaves, ...trees, ...roots]
})()
const BY_ID = new Map(WORLD.map((chunk) => [chunk.id, chunk]))

function closure(top: ChunkId): ChunkId[] {
  const seen = new Set<ChunkId>([top])
  for (const id of seen) for (const link of BY_ID.get(id)?.links ?? []) seen.add(link)
  return [...seen]
}

type Step =
  | { readonly do: 'put' | 'putLoose' | 'hold' | 'keep' | 'release' | 'quarantine'; readonly at: number }
  | { readonly do: 'commit' | 'compact' | 'reopen' | 'rebuild' | 'loosen' }
  | { readonly do: 'drop'; readonly ids: readonly number[] }
  | { readonly do: 'releaseAll' }
  | {
      readonly do: 'reclaim'
      readonly unfinished: boolean
      readonly compact: boolean
      /** Some of what has links stays, without what is below it. */
      readonly alone: boolean
      /** Stops after so many questions. */
      readonly stopAfter: number | undefined
    }
  | { readonly do: 'crash'; readonly after: number; readonly seed: number }

const at = fc.nat({ max: WORLD.length - 1 })
const root = fc.integer({ min: 8, max: WORLD.length - 1 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'put' as const, 'putLoose' as const), at }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('hold' as const), at: root }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('keep' as const), at: root }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('release' as const), at: root }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('quarantine' as const), at }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('commit' as const, 'compact' as const),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('reclaim' as const),
        unfinished: fc.boolean(),
        compact: fc.boolean(),
        alone: fc.boolean(),
        stopAfter: fc.option(fc.nat({ max: 5 }), { nil: undefined, freq: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('releaseAll' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'rebuild' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('loosen' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('drop' as const), ids: fc.array(at, { maxLength: 6 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('crash' as const), after: fc.nat({ max: 12 }), seed: fc.nat() }),
    },
  ),
  // 'max': as long as it says, not ten at most.
  { minLength: 5, maxLength: 40, size: 'max' },
)

/** What must be true of the store. */
class Model {
  /** Chunks that a commit has promised, and that nothing has had leave to remove. */
  readonly durable = new Set<ChunkId>()
  readonly held = new Set<ChunkId>()
  readonly bad = new Set<ChunkId>()
  pending = new Set<ChunkId>()
  /** Roots whose hold or release a crash cut short: both outcomes are right. */
  uncertain: readonly ChunkId[] = []

  committed(): void {
    for (const id of this.pending) this.durable.add(id)
    this.pending = new Set()
  }

  /** Ids that some held root needs. */
  needed(): Set<ChunkId> {
    return new Set([...this.held].flatMap(closure))
  }
}

class World {
  readonly disk = new MemoryDisk()
  readonly map = memoryKeyValue()
  readonly model = new Model()
  store!: ChunkStore
  /** Does the same, until something goes wrong that it cannot know of. */
  twin: ChunkStore | undefined = memoryStore()
  #draw = drawFrom(1)

  async open(): Promise<void> {
    this.map.beforeBatch = () => {
      this.disk.step()
    }
    const options = { dir: '/store', disk: this.disk, reserveBytes: 0, headroomBytes: 0, packBytes: 4000 }
    this.store = await openStore({ ...options, openIndex: () => Promise.resolve(this.map) })
  }

  /** Does one step; when the machine goes down in it, starts it again. */
  async run(step: Step): Promise<void> {
    const { model } = this
    try {
      await this.#do(step)
      model.uncertain = []
    } catch (error) {
      if (!this.disk.isDown) throw error
      await this.#restart()
    }
  }

  async #restart(): Promise<void> {
    const { model } = this
    this.disk.restart(this.#draw)
    this.map.crash(this.#draw(this.map.undurableBatches + 1))
    await this.open()
    model.pending = new Set()
    this.twin = undefined
    for (const id of model.uncertain) {
      if (this.store.isHeld(id)) model.held.add(id)
      else model.held.delete(id)
    }
    model.uncertain = []
    model.bad.clear()
    for (const id of this.store.quarantined()) model.bad.add(id)
  }

  async #do(step: Step): Promise<void> {
    const { store, model } = this
    if (step.do === 'crash') {
      this.#draw = drawFrom(step.seed)
      this.disk.crashAfter(step.after, this.#draw)
    } else if (step.do === 'commit') {
      await store.commit()
      model.committed()
      await this.twin?.commit()
    } else if (step.do === 'loosen') {
      await store.loosen()
      model.committed()
      await this.twin?.loosen()
    } else if (step.do === 'drop')
      await this.#drop(step.ids.map((index) => WORLD[index]?.id ?? assert.fail()))
    else if (step.do === 'reclaim') await this.#reclaim(step)
    else if (step.do === 'releaseAll') {
      model.uncertain = [...model.held]
      await store.release(...model.held)
      await this.twin?.release(...model.held)
      model.held.clear()
    } else if (step.do === 'compact') {
      await store.compact({ deadShareMin: 0.01, wasteShareMax: 0 })
      await this.twin?.commit()
    } else if (step.do === 'rebuild') {
      this.twin = undefined // what was removed and not yet compacted comes back
      await store.rebuildIndex()
      model.committed()
    } else if (step.do === 'reopen') {
      await store.close()
      model.committed()
      await this.open()
      await this.twin?.commit()
    } else if (step.do === 'keep') {
      const id = WORLD[step.at]?.id ?? assert.fail()
      for (const below of closure(id)) await this.#one('put', BY_ID.get(below))
      await this.#one('hold', BY_ID.get(id))
    } else if ('at' in step) await this.#one(step.do, WORLD[step.at])
  }

  async #one(
    what: 'put' | 'putLoose' | 'hold' | 'release' | 'quarantine',
    chunk: TestChunk | undefined,
  ): Promise<void> {
    const { store, model } = this
    assert.ok(chunk)
    if (what === 'put' || what === 'putLoose') {
      const options = { completes: what === 'put' }
      const isNew = await store.put(chunk.id, chunk.bytes, options)
      assert.equal((await this.twin?.put(chunk.id, chunk.bytes, options)) ?? isNew, isNew)
      model.bad.delete(chunk.id)
      if (!model.durable.has(chunk.id)) model.pending.add(chunk.id)
      return
    }
    model.uncertain = what === 'quarantine' ? [] : [chunk.id]
    if (what === 'quarantine') {
      // Only what is not held: the model says that held closures stay whole.
      if (model.needed().has(chunk.id)) return
      model.durable.delete(chunk.id)
      await store.quarantine(chunk.id)
      await this.twin?.quarantine(chunk.id)
      model.committed()
      model.durable.delete(chunk.id)
      model.bad.add(chunk.id)
    } else if (what === 'release') {
      await store.release(chunk.id)
      await this.twin?.release(chunk.id)
      model.held.delete(chunk.id)
    } else await this.#hold(chunk.id)
  }

  async #hold(id: ChunkId): Promise<void> {
    const { store, model } = this
    const isWhole = closure(id).every((below) => store.has(below))
    const [found, expected] = await Promise.allSettled([store.hold(id), this.twin?.hold(id)])
    if (this.twin !== undefined && !this.disk.isDown) assert.equal(found.status, expected.status)
    try {
      if (found.status === 'rejected') throw found.reason
    } catch (error) {
      assert.ok(error instanceof CellarError && error.code === 'CLOSURE_INCOMPLETE', String(error))
      assert.equal(isWhole, false, 'a whole closure was refused')
      return
    }
    assert.equal(isWhole, true, 'a root with gaps was held')
    model.committed()
    model.held.add(id)
  }

  /** What another device keeps goes, but for what is needed; nothing else does. */
  async #drop(ids: readonly ChunkId[]): Promise<void> {
    const { store, model } = this
    const needed = model.needed()
    const before = new Set(ids.filter((id) => store.has(id)))
    for (const id of ids) model.durable.delete(id) // from here on it may be there or not
    const { chunks } = await store.drop(ids)
    model.committed()
    const gone = [...before].filter((id) => !store.has(id))
    assert.equal(chunks, gone.length)
    for (const id of gone) {
      assert.equal(needed.has(id), false, `${id} is needed by a held root and was dropped`)
      assert.equal(BY_ID.get(id)?.links.length, 0)
      model.durable.delete(id)
    }
    for (const id of before) if (store.has(id)) model.durable.add(id)
    const twin = await this.twin?.drop(ids)
    if (twin !== undefined) assert.equal(twin.chunks, chunks)
  }

  async #reclaim(step: Step & { do: 'reclaim' }): Promise<void> {
    const { unfinished, compact, alone, stopAfter = Infinity } = step
    const { store, model } = this
    const asked = new Set<ChunkId>()
    const needed = model.needed()
    const stop = new AbortController()
    const isKept = (id: ChunkId): boolean => id.charCodeAt(0) % 5 === 0
    const staysAlone = (id: ChunkId): boolean =>
      alone && id.charCodeAt(1) % 2 === 0 && BY_ID.get(id)?.links.length !== 0
    const mayReclaim = (id: ChunkId): boolean => {
      asked.add(id)
      model.durable.delete(id) // from here on it may be there or not
      if (asked.size > stopAfter) stop.abort()
      return !isKept(id)
    }
    await store.commit()
    const foreseen = await store.freedBy([], {
      mayReclaim: (id) => !isKept(id),
      staysAlone,
      unfinished,
    })
    const { signal } = stop
    const thoroughly = { deadShareMin: 0.01, wasteShareMax: 0 }
    const options: ReclaimOptions = {
      mayReclaim,
      staysAlone,
      unfinished,
      compact: compact && thoroughly,
      signal,
    }
    const { chunks, bytes } = await store.reclaim(options)
    model.committed()
    for (const id of asked) {
      assert.equal(needed.has(id), false, `${id} is needed by a held root and was offered for reclaiming`)
      if (isKept(id) || staysAlone(id)) {
        if (!model.bad.has(id)) model.durable.add(id)
      } else {
        model.durable.delete(id)
        // A bad one whose links are unknown stays.
        if (!store.quarantined().includes(id)) model.bad.delete(id)
        assert.equal(store.has(id), false)
      }
    }
    if (signal.aborted) {
      this.twin = undefined
      return
    }
    assert.deepEqual(foreseen, { chunks, bytes, isWhole: true })
    const twin = await this.twin?.reclaim({ mayReclaim: (id) => !isKept(id), staysAlone, unfinished })
    if (twin !== undefined) assert.deepEqual([chunks, bytes], [twin.chunks, twin.bytes])
  }

  /** Gives back all that nobody needs: what is held is left, and no byte more. */
  async finish(): Promise<void> {
    const { store, model } = this
    await store.reclaim({
      mayReclaim: () => true,
      unfinished: true,
      compact: { deadShareMin: 1e-9, wasteShareMax: 0 },
    })
    this.twin = undefined
    model.durable.clear()
    model.pending.clear()
    if (model.bad.size > 0) return // what they refer to is unknown, and stays
    const left = [...model.needed()]
    const expected = memoryStore()
    for (const id of left) await expected.put(id, BY_ID.get(id)?.bytes ?? new Uint8Array())
    await expected.commit()
    const { chunks, bytes, packs, packBytes } = store.stats()
    assert.deepEqual([chunks, bytes], [left.length, expected.stats().bytes])
    assert.equal(packBytes, bytes + packs * packHeaderBytes)
  }

  check(): void {
    if (this.disk.isDown) return
    const { store, model } = this
    for (const id of [...model.durable, ...model.needed(), ...model.pending]) {
      assert.ok(store.has(id), `${id} is lost`)
      assert.deepEqual(Buffer.from(store.get(id)), Buffer.from(BY_ID.get(id)?.bytes ?? []))
    }
    assert.deepEqual(store.holds(), [...model.held].sort())
    for (const { id } of WORLD) if (this.twin !== undefined) assert.equal(store.has(id), this.twin.has(id))
    for (const id of model.held) assert.ok(store.isComplete(id))
    for (const { id } of WORLD) {
      if (store.isComplete(id))
        for (const below of closure(id)) assert.ok(store.has(below), `${below} is not below ${id}`)
    }
  }

  async verify(): Promise<void> {
    if (this.disk.isDown) return
    for await (const problem of this.store.verify({ readData: true, signal: new AbortController().signal })) {
      if (problem.id !== undefined && this.model.bad.has(problem.id)) continue
      assert.fail(`${problem.kind}: ${problem.message}`)
    }
  }
}

describe('chunk store, in random histories with crashes', () => {
  it('loses nothing that was promised, and never gives wrong bytes', async function () {
    this.timeout(120_000)
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const world = new World()
        await world.open()
        for (const step of history) {
          await world.run(step)
          world.check()
        }
        await world.run({ do: 'commit' })
        await world.verify()
        if (world.disk.isDown) return
        world.disk.crashAfter(Infinity, () => 0)
        await world.finish()
        world.check()
        await world.verify()
      }),
      { numRuns: Number(process.env['ROOTCELLAR_RUNS'] ?? 400) },
    )
  })
})
