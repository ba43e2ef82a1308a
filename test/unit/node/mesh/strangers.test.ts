/** What a device that is no member learns and takes, and what two programs with one key give away (mesh.md §2, §6). */

import '../../../../node/polyfill.ts'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import {
  decodeHelloAnswer,
  encodeHello,
  helloBytesMax,
  helloProtocol,
} from '../../../../node/adapters/hello.ts'
import { explainCall } from '../../../../node/adapters/libp2p-node.ts'
import { openNetwork } from '../../../../node/adapters/libp2p-network.ts'
import { Clones } from '../../../../node/mesh/clones.ts'
import type { Network } from '../../../../node/network.ts'
import { type CellarError, type DeviceId, isCellarError } from '../../../../protocol/index.ts'
import { until } from '../../../contract/network.ts'

const signal = (): AbortSignal => AbortSignal.timeout(20_000)

describe('strangers', () => {
  let victim: Network
  let stopServing: () => void
  let stranger: Libp2p
  let connection: Connection

  beforeEach(async () => {
    victim = await openNetwork({ seed: randomBytes(32), listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
    // An invitation is open: strangers may stay.
    stopServing = victim.handle('/rootcellar/pair/1', 'anyone', async (channel) => {
      await channel.receive()
    })
    stranger = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false },
    })
    connection = await stranger.dial(multiaddr(victim.addresses()[0] ?? ''))
  })

  afterEach(async () => {
    await Promise.all([victim.close(), stranger.stop()])
  })

  it('N2.2 are not told addresses and protocols by identify', async () => {
    let told = 0
    try {
      const stream = await connection.newStream('/ipfs/id/1.0.0', { signal: signal() })
      stream.addEventListener('message', ({ data }) => (told += data.byteLength))
      await until('it ends', () => stream.status !== 'open' || told > 0)
    } catch {
      // reset at once
    }
    assert.equal(told, 0)
  })

  it('N2.2 are guests while something is served to anyone, else refused and cut a second later', async () => {
    const hello = async (to: Connection) => {
      const stream = await to.newStream(helloProtocol, { signal: signal() })
      const got: Uint8Array[] = []
      stream.addEventListener('message', ({ data }) => got.push(data.subarray()))
      const bytes = encodeHello({ instance: '11'.repeat(16), addresses: [] })
      stream.send(Buffer.from([0, 0, 0, bytes.byteLength, ...bytes]))
      await until('the answer is there', () => Buffer.concat(got).byteLength > 4)
      await stream.close()
      return decodeHelloAnswer(Buffer.concat(got).subarray(4))
    }
    const guest = await hello(connection)
    assert.deepEqual([guest.verdict, guest.addresses], ['guest', []])
    stopServing()
    await until('the guest is cut', () => connection.status !== 'open')
    const again = await stranger.dial(multiaddr(victim.addresses()[0] ?? ''))
    const refused = await hello(again)
    assert.deepEqual([refused.verdict, refused.addresses], ['refused', []])
    await until('it is cut', () => again.status !== 'open')
  })

  for (const [protocol, bytes] of [
    [helloProtocol, helloBytesMax],
    ['/rootcellar/pair/1', 4096],
  ] as const) {
    it(`may send no large frame to ${protocol}`, async () => {
      const stream = await connection.newStream(protocol, { signal: signal() })
      const head = Buffer.alloc(4)
      head.writeUInt32BE(bytes + 1)
      stream.send(head)
      await until('the stream is reset', () => stream.status !== 'open')
    })
  }
})

describe('a key that runs twice', () => {
  it('is seen when two programs take each other\u2019s place, not when one is started again', () => {
    const clones = new Clones()
    const device = '12D3KooWtest' as DeviceId
    const said = ['a', 'a', 'b', 'c', 'c', 'd'].map((instance) => clones.note(device, instance))
    assert.equal(said.includes(true), false)
    assert.equal(clones.note(device, 'c'), false)
    assert.equal(clones.note(device, 'd'), true)
    assert.equal(clones.note('12D3KooWother' as DeviceId, 'd'), false)
  })

  it('is told to the person of every device that it calls', async () => {
    const faults: unknown[] = []
    const victim = await openNetwork({
      seed: randomBytes(32),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      onFault: (error) => faults.push(error),
    })
    const seed = randomBytes(32)
    const twins = await Promise.all([1, 2].map(() => openNetwork({ seed, listen: [], mdns: false })))
    try {
      const [device] = twins.map((twin) => twin.device)
      victim.members(new Set([device as DeviceId]))
      const isTold = () => faults.some((error) => isCellarError(error, 'KEY_CLONED'))
      for (const twin of twins) twin.members(new Set([victim.device]))
      for (let round = 0; round < 60 && !isTold(); round++) {
        // The link of the other is being cut meanwhile.
        for (const twin of twins)
          await twin.dial(victim.addresses()[0] ?? '', signal()).catch(() => undefined)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.equal(isTold(), true)
    } finally {
      await Promise.all([victim, ...twins].map((network) => network.close()))
    }
  })
})

describe('an error of a call', () => {
  it('is one of ours when time was over, and the reason of the caller when that gave up', async () => {
    const over = AbortSignal.timeout(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const error = explainCall(new Error('slow'), over, 'device x') as CellarError
    assert.equal(error.code, 'PEER_GONE')
    const reason = new Error('enough')
    assert.equal(explainCall(new Error('slow'), AbortSignal.abort(reason), 'device x'), reason)
  })
})
