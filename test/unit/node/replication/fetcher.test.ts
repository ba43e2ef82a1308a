/** One fetch from several peers: whoever is asked, and in whatever order they answer. */

import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import type { Channel } from '../../../../node/network.ts'
import { fetchClosure } from '../../../../node/replication/fetcher.ts'
import {
  CellarError,
  chunkHeader,
  type ChunkId,
  decodeFrame,
  type DeviceId,
  encodeChunkFrame,
  encodeMessage,
} from '../../../../protocol/index.ts'
import { type ChunkStore, memoryStore } from '../../../../storage/index.ts'
import { testTree } from '../../../support/chunks.ts'

const signal = () => AbortSignal.timeout(10_000)

/** When a peer goes on: at once, unless said otherwise. */
interface Pace {
  /** Before it answers for a chunk. */
  readonly answer?: (id: ChunkId) => Promise<void>
  /** Before it says that a request is done. */
  readonly done?: Promise<void>
}

/** A peer with some chunks. */
function peerWith(chunks: ReadonlyMap<ChunkId, Uint8Array>, pace: Pace = {}) {
  const frames: Uint8Array[] = []
  let wake: () => void = () => undefined
  let onClose: () => void = () => undefined
  const closed = new Promise<void>((resolve) => (onClose = resolve))
  const say = (frame: Uint8Array) => {
    frames.push(frame)
    wake()
  }
  const answer = async (request: number, ids: readonly ChunkId[]) => {
    for (const id of ids) {
      await pace.answer?.(id)
      const bytes = chunks.get(id)
      if (bytes === undefined) say(encodeMessage({ type: 'absent', request, ids: [id] }))
      else say(Buffer.concat(encodeChunkFrame(request, bytes)))
    }
    await pace.done
    say(encodeMessage({ type: 'done', request }))
  }
  const channel: Channel = {
    send(frame) {
      const decoded = decodeFrame(frame as Uint8Array)
      if (decoded.kind === 'message' && decoded.message.type === 'want') {
        void answer(decoded.message.request, decoded.message.ids)
      }
      return Promise.resolve()
    },
    async receive() {
      while (frames.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return frames.shift()
    },
    close: () => {
      onClose()
      return Promise.resolve()
    },
    abort: () => undefined,
  }
  return { channel, closed }
}

describe('fetching a closure', () => {
  it('asks a peer for what others turned out to lack while it was still answering', async () => {
    const { root, chunks } = testTree('in parts', 2)
    const bytesOf = new Map(chunks.map(({ id, bytes }) => [id, bytes]))
    const { links } = chunkHeader(root.bytes)
    const store = memoryStore()
    // It says of the second chunk that it has not got it when the other has brought the first.
    const answer = async (id: ChunkId) => {
      if (id !== links[1]) return
      while (!store.has(links[0]!)) await setImmediate()
      await setImmediate()
    }
    const one = peerWith(new Map([[root.id, root.bytes]]), { answer })
    // It is done with its first answer only when this one has nothing more to give, and has gone.
    const other = peerWith(bytesOf, { done: one.closed })
    const open = (peer: DeviceId) =>
      Promise.resolve(peer === ('one' as DeviceId) ? one.channel : other.channel)
    await fetchClosure({ store, clock: systemWorld.clock, open }, root.id, {
      peers: ['one', 'other'] as DeviceId[],
      signal: signal(),
    })
    await store.hold(root.id)
    assert.ok(store.isComplete(root.id))
  })

  it('does not wait for a peer that has gone to sleep, once all is here', async () => {
    const { root, chunks } = testTree('asleep', 3)
    const store = memoryStore()
    const awake = peerWith(new Map(chunks.map(({ id, bytes }) => [id, bytes])))
    const open = (peer: DeviceId, until: AbortSignal) =>
      peer === ('awake' as DeviceId)
        ? Promise.resolve(awake.channel)
        : new Promise<Channel>((_, reject) => {
            until.addEventListener('abort', () => {
              reject(until.reason as Error)
            })
          })
    await fetchClosure({ store, clock: systemWorld.clock, open }, root.id, {
      peers: ['asleep', 'awake'] as DeviceId[],
      signal: signal(),
    })
    await store.hold(root.id)
    assert.ok(store.isComplete(root.id))
  })

  it('asks nobody for what is here already', async () => {
    const { root, chunks } = testTree('here', 3)
    const store = memoryStore()
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    await store.commit()
    let asked = 0
    const open = () => {
      asked++
      return Promise.resolve(peerWith(new Map()).channel)
    }
    await fetchClosure({ store, clock: systemWorld.clock, open }, root.id, {
      peers: ['one'] as DeviceId[],
      signal: signal(),
    })
    assert.equal(asked, 0)
  })

  it('looks at what is here again when it refers to what nobody has', async () => {
    const { root } = testTree('flipped', 1)
    const nowhere = 'f'.repeat(64) as ChunkId
    const store = {
      has: (id: ChunkId) => id === root.id,
      isComplete: () => false,
      links: () => [nowhere],
      get: (id: ChunkId) => {
        throw new CellarError('CHUNK_CORRUPT', `chunk ${id} is damaged`)
      },
      commit: () => Promise.resolve(),
    } as unknown as ChunkStore
    const bad: ChunkId[] = []
    const open = () => Promise.resolve(peerWith(new Map()).channel)
    const fetch = fetchClosure({ store, clock: systemWorld.clock, open }, root.id, {
      peers: ['one'] as DeviceId[],
      signal: signal(),
      onBad: (id) => bad.push(id),
      onLacking: () => assert.fail('nobody need be told of a chunk that never was'),
    })
    await assert.rejects(fetch, { code: 'CHUNK_NOT_FOUND' })
    assert.deepEqual(bad, [root.id])
  })
})
