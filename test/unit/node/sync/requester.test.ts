import assert from 'node:assert/strict'
import type { Channel } from '../../../../node/network.ts'
import { followPeer } from '../../../../node/sync/requester.ts'
import {
  decodeFrame,
  encodeMessage,
  type HeadName,
  type ListingHash,
  type Message,
} from '../../../../protocol/index.ts'
import { type TestDevice, testDevice, testMembership } from '../../../support/mesh.ts'

/** A peer that names heads, round by round, and has none of the listings. */
function liar(rounds: readonly (readonly HeadName[])[]): { channel: Channel; asked: string[] } {
  const asked: string[] = []
  const frames: Uint8Array[] = []
  const left = [...rounds]
  const say = (message: Message) => frames.push(encodeMessage(message))
  const channel: Channel = {
    send(frame) {
      const decoded = decodeFrame(frame as Uint8Array)
      if (decoded.kind === 'message' && decoded.message.type === 'getListing') {
        asked.push(decoded.message.tip ?? '')
        say({ type: 'listing', heads: [], body: new Uint8Array(0), isMore: false })
      }
      return Promise.resolve()
    },
    receive() {
      const next = frames.length === 0 ? left.shift() : undefined
      if (next !== undefined) say({ type: 'heads', heads: [...next] })
      return Promise.resolve(frames.shift())
    },
    close: () => Promise.resolve(),
    abort: () => undefined,
  }
  return { channel, asked }
}

describe('following a peer', () => {
  let desktop: TestDevice
  let laptop: TestDevice

  beforeEach(async () => {
    const { membership, signers } = testMembership(['writer'])
    ;[desktop, laptop] = (await Promise.all(signers.map((signer) => testDevice(signer, membership)))) as [
      TestDevice,
      TestDevice,
    ]
  })

  const named = (digit: string): HeadName => ({
    device: laptop.signer.device,
    incarnation: 1,
    seq: 3,
    hash: digit.repeat(64) as ListingHash,
  })

  it('asks once for what the peer names and has not got, and remembers no more than it names', async () => {
    const { channel, asked } = liar([[named('a')], [named('a')], [named('b')], [named('a')]])
    const { ledger, events } = desktop
    await followPeer({ ledger, events }, laptop.signer.device, channel)
    assert.deepEqual(
      asked.map((hash) => hash[0]),
      ['a', 'b', 'a'],
    )
  })
})
