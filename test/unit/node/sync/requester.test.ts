import assert from 'node:assert/strict'
import type { Channel } from '../../../../node/network.ts'
import { askAgainMs, followPeer } from '../../../../node/sync/requester.ts'
import {
  CellarError,
  decodeFrame,
  encodeMessage,
  type HeadName,
  type ListingHash,
  type Message,
} from '../../../../protocol/index.ts'
import { type TestDevice, testDevice, testMembership } from '../../../support/mesh.ts'
import { ManualClock } from '../manual-clock.ts'

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

/** A peer that names heads once and then only answers, until it leaves; it has none of the listings. */
function stayingPeer(heads: readonly HeadName[]): { channel: Channel; asked: string[]; leave: () => void } {
  const asked: string[] = []
  const frames = [encodeMessage({ type: 'heads', heads: [...heads] })]
  let hasLeft = false
  let wake: () => void = () => undefined
  const channel: Channel = {
    send(frame) {
      const decoded = decodeFrame(frame as Uint8Array)
      if (decoded.kind === 'message' && decoded.message.type === 'getListing') {
        asked.push(decoded.message.tip?.[0] ?? '')
        frames.push(encodeMessage({ type: 'listing', heads: [], body: new Uint8Array(0), isMore: false }))
        wake()
      }
      return Promise.resolve()
    },
    async receive() {
      while (frames.length === 0 && !hasLeft) await new Promise<void>((resolve) => (wake = resolve))
      return frames.shift()
    },
    close: () => Promise.resolve(),
    abort: () => undefined,
  }
  const leave = () => {
    hasLeft = true
    wake()
  }
  return { channel, asked, leave }
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
    await followPeer({ ledger, events, clock: new ManualClock() }, laptop.signer.device, channel)
    assert.deepEqual(
      asked.map((hash) => hash[0]),
      ['a', 'b', 'a'],
    )
  })

  it('asks again for what the disk here did not take, and only for that', async () => {
    const clock = new ManualClock()
    const { ledger, events } = desktop
    const { channel, asked, leave } = stayingPeer([named('a'), named('b')])
    const codes = ['STORE_FULL', 'LISTING_INVALID', 'STORE_FULL'] as const
    let calls = 0
    ledger.acceptListing = () => {
      const code = codes[calls++]
      return code === undefined
        ? Promise.resolve('known')
        : Promise.reject(new CellarError(code, 'not taken'))
    }
    const following = followPeer({ ledger, events, clock }, laptop.signer.device, channel)
    await clock.advance(askAgainMs - 1)
    assert.deepEqual(asked, ['a', 'b'])
    await clock.advance(1)
    assert.deepEqual(asked, ['a', 'b', 'a'])
    await clock.advance(askAgainMs)
    assert.deepEqual(asked, ['a', 'b', 'a', 'a'])
    await clock.advance(10 * askAgainMs)
    assert.equal(asked.length, 4)
    leave()
    await following
  })
})
