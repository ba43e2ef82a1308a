/** Peers that break the rules: each must cost no more than its own channel or connection (mesh.md §4). */

import '../../../../node/polyfill.ts'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { encodeHello, helloProtocol } from '../../../../node/adapters/hello.ts'
import { openNetwork } from '../../../../node/adapters/libp2p-network.ts'
import type { Channel, Network } from '../../../../node/network.ts'
import { type CellarError, type DeviceId, frameBytesMax } from '../../../../protocol/index.ts'
import { until, untilStill } from '../../../contract/network.ts'
import { ManualClock } from '../manual-clock.ts'

const echo = '/rootcellar/echo/1'
const sink = '/rootcellar/sink/1'
const source = '/rootcellar/source/1'
const signal = (): AbortSignal => AbortSignal.timeout(20_000)
const MiB = 1024 * 1024

/** A member that speaks libp2p as it likes. */
interface Hostile {
  readonly node: Libp2p
  readonly connection: Connection
  /** Below the muxer: what is sent here is encrypted and nothing else. */
  readonly raw: MessageStream
}

describe('peers that break the rules', () => {
  let clock: ManualClock
  let victim: Network
  let friend: Network
  let hostile: Hostile
  let failures: string[]
  let received: number

  beforeEach(async () => {
    clock = new ManualClock()
    failures = []
    received = 0
    const seed = randomBytes(32)
    victim = await openNetwork({
      seed: randomBytes(32),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      clock,
    })
    friend = await openNetwork({ seed: randomBytes(32), listen: [], mdns: false })
    hostile = await openHostile(seed, victim)
    const hello = await hostile.connection.newStream(helloProtocol)
    const bytes = encodeHello({ instance: '00'.repeat(16), addresses: [] })
    hello.send(Buffer.from([0, 0, 0, bytes.byteLength, ...bytes]))
    await until('it is greeted', () => victim.connected().length === 1)
    const device = hostile.node.peerId.toString() as DeviceId
    victim.members(new Set([victim.device, friend.device, device]))
    friend.members(new Set([victim.device, friend.device]))
    const watched = (serve: (channel: Channel) => Promise<void>) => async (channel: Channel) => {
      await serve(channel).catch((error: unknown) => {
        failures.push((error as CellarError).code)
        throw error
      })
    }
    victim.handle(
      echo,
      'members',
      watched(async (channel) => {
        for (let frame = await channel.receive(); frame; frame = await channel.receive())
          await channel.send(frame)
      }),
    )
    victim.handle(
      sink,
      'members',
      watched(async (channel) => {
        for (let frame = await channel.receive(); frame; frame = await channel.receive()) received += 1
      }),
    )
    victim.handle(
      source,
      'members',
      watched(async (channel) => {
        for (;;) {
          await channel.send(new Uint8Array(MiB))
          received += 1
        }
      }),
    )
    await friend.dial(victim.addresses()[0] ?? '', signal())
  })

  afterEach(async () => {
    // The victim still serves others, after each of these.
    const channel = await friend.open(victim.device, echo, signal())
    await channel.send(Buffer.from('alive'))
    assert.equal(Buffer.from((await channel.receive(signal())) ?? []).toString(), 'alive')
    await Promise.all([victim.close(), friend.close(), hostile.node.stop()])
  })

  const open = (protocol: string) => hostile.connection.newStream(protocol, { signal: signal() })
  const failed = (code: string) => until(`the channel fails with ${code}`, () => failures.includes(code))

  it('an oversized length is refused before anything is set aside', async () => {
    const stream = await open(sink)
    const head = Buffer.alloc(4)
    head.writeUInt32BE(frameBytesMax + 1)
    stream.send(head)
    await failed('FRAME_TOO_LONG')
    await until('the stream is reset', () => stream.status !== 'open')
    assert.equal(hostile.connection.status, 'open')
  })

  it('garbage ends the channel', async () => {
    const stream = await open(sink)
    stream.send(Buffer.from('GET / HTTP/1.1\r\nHost: cellar\r\n\r\n'))
    await failed('FRAME_TOO_LONG')
  })

  it('half a frame and then the end is an error, not a clean end', async () => {
    const stream = await open(sink)
    stream.send(Buffer.from([0, 0, 0, 9, 1, 2]))
    await stream.close()
    await failed('PEER_GONE')
  })

  it('half a frame and then nothing is broken off after a minute', async () => {
    const stream = await open(sink)
    stream.send(Buffer.from([0, 0, 0, 1, 7, 0, 0, 0, 9, 1, 2]))
    await until('the first frame is there', () => received === 1)
    await clock.advance(50_000)
    assert.deepEqual(failures, [])
    await clock.advance(12_000)
    await failed('PEER_GONE')
  })

  it('a frame that comes slowly but steadily is not', async () => {
    const stream = await open(sink)
    stream.send(Buffer.from([0, 0, 0, 5]))
    for (let i = 0; i < 5; i += 1) {
      stream.send(Buffer.from([i]))
      await new Promise((resolve) => setTimeout(resolve, 20))
      await clock.advance(40_000)
    }
    await until('the frame is there', () => received === 1)
    assert.deepEqual(failures, [])
  })

  it('one who never reads is broken off after a minute, and costs a few MiB till then', async () => {
    const stream = await open(source)
    ;(stream as unknown as { sendPause(): void }).sendPause()
    await untilStill(() => received)
    assert.ok(received < 32, `${String(received)} MiB were sent to one who does not read`)
    const before = received
    await clock.advance(62_000)
    await failed('PEER_GONE')
    assert.ok(received - before < 4)
  })

  it('a million empty frames to a handler that does not read cost their bytes', async () => {
    let waiting!: () => void
    const parked = new Promise<void>((resolve) => (waiting = resolve))
    victim.handle('/rootcellar/park/1', 'members', () => parked)
    const stream = await open('/rootcellar/park/1')
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    for (let i = 0; i < 64; i += 1) stream.send(Buffer.alloc(64 * 1024)) // 16,384 frames of no bytes each
    await new Promise((resolve) => setTimeout(resolve, 300))
    const grown = (process.memoryUsage().rss - before) / MiB
    assert.ok(grown < 64, `memory grew by ${grown.toFixed(0)} MiB`)
    waiting()
  })

  it('N4.2: a handler that does not read costs its peer\u2019s window and a mebibyte, and no more', async () => {
    let waiting!: () => void
    const parked = new Promise<void>((resolve) => (waiting = resolve))
    victim.handle('/rootcellar/park/1', 'members', () => parked)
    const stream = await open('/rootcellar/park/1')
    const frame = Buffer.alloc(64 * 1024)
    frame.writeUInt32BE(frame.byteLength - 4)
    let given = 0
    const taken = () => given - stream.writeBufferLength
    // One that sends as long as it is let: it keeps something waiting all the time.
    for (let still = 0, before = 0; still < 10; ) {
      for (; stream.writeBufferLength < MiB && given < 32 * MiB; given += frame.byteLength) stream.send(frame)
      await new Promise((resolve) => setTimeout(resolve, 50))
      still = taken() === before ? still + 1 : 0
      before = taken()
    }
    assert.ok(taken() >= MiB, 'what fits is taken')
    assert.ok(taken() <= 5 * MiB + frame.byteLength, `${String(taken())} bytes were taken`)
    waiting()
  })

  it('tiny yamux frames to a handler that does not read are taken, until its window is full', async () => {
    let waiting!: () => void
    const parked = new Promise<void>((resolve) => (waiting = resolve))
    victim.handle('/rootcellar/park/1', 'members', () => parked)
    const stream = await open('/rootcellar/park/1')
    const one = Buffer.concat([yamuxHeader(0, 0, Number(stream.id), 1), Buffer.of(0)])
    for (let i = 0; i < 10; i += 1) {
      hostile.raw.send(Buffer.concat(Array.from({ length: 1000 }, () => one)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    waiting()
  })

  it('thousands of streams: so many are let in, and the others reset', async () => {
    let reset = 0
    for (let i = 0; i < 3000; i += 1) {
      hostile.raw.send(yamuxHeader(1, 1, 1001 + 2 * i, 0)) // a window update that opens a stream
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    hostile.raw.addEventListener('message', () => (reset += 1))
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(reset > 0)
    assert.equal(hostile.connection.status, 'open')
  })

  it('a yamux frame of any length cuts the connection, before it is gathered', async () => {
    const { raw, connection } = hostile
    raw.send(yamuxHeader(0, 0, 1, 0xffff_ffff))
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 64 && connection.status === 'open'; i += 1) {
      try {
        raw.send(new Uint8Array(MiB))
      } catch {
        break // it is closed already
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await until('the connection is cut', () => connection.status !== 'open')
    assert.ok(process.memoryUsage().arrayBuffers - before < 128 * MiB)
  })

  it('idle and babbling sockets on the port do not keep others out', async () => {
    const port = Number(/tcp\/(\d+)/.exec(victim.addresses()[0] ?? '')?.[1])
    const sockets: Socket[] = []
    for (let i = 0; i < 20; i += 1) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      if (i % 2 === 0) socket.write(randomBytes(2000))
      sockets.push(socket)
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
    const late = await openNetwork({ seed: randomBytes(32), listen: [], mdns: false })
    late.members(new Set([victim.device]))
    victim.members(new Set([victim.device, friend.device, late.device]))
    await late.dial(victim.addresses()[0] ?? '', signal())
    await late.close()
    for (const socket of sockets) socket.destroy()
  })

  it('one that connects and says nothing is cut', async () => {
    const silent = await openHostile(randomBytes(32), victim)
    await clock.advance(12_000)
    await until('the connection is cut', () => silent.connection.status !== 'open')
    await silent.node.stop()
  })
})

function yamuxHeader(type: number, flags: number, stream: number, length: number): Buffer {
  const header = Buffer.alloc(12)
  header[1] = type
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(stream, 4)
  header.writeUInt32BE(length, 8)
  return header
}

async function openHostile(seed: Uint8Array, victim: Network): Promise<Hostile> {
  let raw: MessageStream | undefined
  const muxer = (): StreamMuxerFactory => {
    const inner = yamux({ enableKeepAlive: false })()
    return {
      protocol: inner.protocol,
      createStreamMuxer: (connection) => {
        raw = connection
        return inner.createStreamMuxer(connection)
      },
    }
  }
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed)
  const node = await createLibp2p({
    privateKey,
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    connectionMonitor: { enabled: false },
  })
  victim.members(new Set([...victim.allowed(), node.peerId.toString() as DeviceId]))
  const connection = await node.dial(multiaddr(victim.addresses()[0] ?? ''))
  return { node, connection, raw: raw ?? assert.fail() }
}
