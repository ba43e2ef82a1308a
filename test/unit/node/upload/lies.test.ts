/** Holders that break the rules of an upload: nothing that they say is counted on (wire.md W7.3). */
import assert from 'node:assert/strict'
import {
  type ChunkId,
  decodeFrame,
  encodeChunkFrame,
  encodeMessage,
  type Message,
  UPLOAD_PROTOCOL,
} from '../../../../protocol/index.ts'
import { memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import type { Channel } from '../../../../node/network.ts'
import { testChunk } from '../../../support/chunks.ts'
import { ManualClock, settle } from '../manual-clock.ts'
import { contentOf, inTime, SessionBench } from './upload-mesh.ts'

describe('who uploads, at a holder that lies', () => {
  const bench = new SessionBench()
  afterEach(() => bench.close())

  /** Waits for what must come, turn by turn. */
  const until = async (what: string, isSo: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 2000; turn++) {
      if (isSo()) return
      await new Promise(setImmediate)
    }
    assert.fail(`it never came that ${what}`)
  }

  describe('W7.3: counts on nothing that a holder says who', () => {
    const say = (channel: Channel, message: Message) => channel.send(encodeMessage(message))
    const other = testChunk('another').id
    const lies: Record<
      string,
      (channel: Channel, request: number, ids: readonly ChunkId[]) => Promise<void>
    > = {
      'lacks what was not deposited': (channel, request) =>
        say(channel, { type: 'lacking', request, ids: [other] }),
      'turns the order round': (channel, request, ids) =>
        say(channel, { type: 'lacking', request, ids: [...ids].reverse() }),
      'lacks one twice': (channel, request, ids) =>
        say(channel, { type: 'lacking', request, ids: [ids[0] ?? other, ids[0] ?? other] }),
      'ends before its turn': (channel, request) => say(channel, { type: 'durable', request }),
      'ends what was not begun': (channel) => say(channel, { type: 'durable', request: 77 }),
      'sends chunks': (channel) => channel.send(encodeChunkFrame(0, testChunk('one').bytes)),
      'says something else': (channel) => say(channel, { type: 'pong' }),
    }
    for (const [name, lie] of Object.entries(lies))
      it(name, async () => {
        const clock = new ManualClock()
        await bench.start({ clock, storers: 1 })
        const liar = bench.mesh.holders[1] ?? assert.fail()
        await liar.network.close()
        const network = memoryNetwork(bench.mesh.hub, { device: liar.device })
        network.members(new Set(bench.mesh.membership.members.keys()))
        let wasAsked = false
        network.handle(UPLOAD_PROTOCOL, 'members', async (channel) => {
          await channel.receive()
          await say(channel, { type: 'uploadReady', roomBytes: 2 ** 40 })
          for (let frame = await channel.receive(); frame !== undefined; frame = await channel.receive()) {
            const decoded = decodeFrame(frame)
            if (decoded.kind !== 'message' || decoded.message.type !== 'deposit') continue
            wasAsked = true
            await lie(channel, decoded.message.request, decoded.message.ids)
          }
        })
        await bench.laptop.network.dial(network.addresses()[0] ?? '', inTime())
        const bounded = await bench.begin()
        const content = contentOf('content', 60)
        const stored = bench.store(bounded, content).catch((error: unknown) => error)
        await until('it is asked', () => wasAsked)
        await settle()
        assert.equal(
          content.some(({ id }) => bounded.has(id)),
          false,
        )
        await bench.mesh.link(bench.laptop, bench.desktop)
        for (let time = 0; time < 40; time++) await clock.advance(1000)
        assert.ok(Number(await stored) > 0, String(await stored))
        assert.equal(
          bench.goneOf(content).every(({ id }) => bench.desktop.keeper.isPromised(id)),
          true,
        )
        await network.close()
      })
  })
})
