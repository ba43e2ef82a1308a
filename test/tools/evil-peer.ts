/**
 * A member whose program does as it likes: its own key, our network code for well-formed lies, bare libp2p for the
 * rest.
 */

import '../../node/polyfill.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@libp2p/yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { encodeHello, helloProtocol } from '../../node/adapters/hello.ts'
import { openNetwork } from '../../node/adapters/libp2p-network.ts'
import { systemWorld } from '../../node/adapters/system-world.ts'
import { readAddress } from '../../node/mesh/addresses.ts'
import type { Channel, Network } from '../../node/network.ts'
import {
  decodeFrame,
  type DeviceId,
  encodeMessage,
  type Frame,
  type Message,
  type Signer,
  signerFromSeed,
} from '../../protocol/index.ts'
import { type Device, jsonLines } from './cellar.ts'

const patienceMs = 60_000

/** The key of a device, from its home. */
function seedOf(home: string): Uint8Array {
  const [, value = ''] = readFileSync(join(home, 'device.key'), 'utf8').split('\n')
  return Buffer.from(value, 'base64')
}

/** A member that speaks our frames, and lies in them. */
export interface EvilPeer extends AsyncDisposable {
  readonly network: Network
  readonly signer: Signer
  readonly victim: DeviceId
  /** Opens a channel to the victim. */
  open(protocol: string): Promise<Channel>
}

/** Goes to a running victim with the key of a device that was admitted and does not run. */
export async function openEvilPeer(
  home: string,
  victim: DeviceId,
  at: string,
  prepare?: (network: Network) => void,
): Promise<EvilPeer> {
  const seed = seedOf(home)
  const network = await openNetwork({ seed, listen: [], mdns: false, clock: systemWorld.clock })
  const signer = signerFromSeed(seed)
  network.members(new Set([victim, signer.device]))
  prepare?.(network)
  await network.dial(at, AbortSignal.timeout(patienceMs))
  return {
    network,
    signer,
    victim,
    open: (protocol) => network.open(victim, protocol, AbortSignal.timeout(patienceMs)),
    [Symbol.asyncDispose]: () => network.close(),
  }
}

/** Sends one message. */
export async function say(channel: Channel, message: Message): Promise<void> {
  await channel.send(encodeMessage(message))
}

/** The next frame; undefined at the end, clean or not. */
export async function hear(channel: Channel): Promise<Frame | undefined> {
  const frame = await channel.receive(AbortSignal.timeout(patienceMs)).catch(ignoreEnd)
  return frame === undefined ? undefined : decodeFrame(frame)
}

/** Reads until the other side ends the channel, one way or the other; fails when it does not in time. */
export async function untilEnded(channel: Channel): Promise<void> {
  while ((await hear(channel)) !== undefined);
}

/** Sends the same message until the victim takes no more, or so often. */
export async function flood(channel: Channel, message: Message, times = 20_000): Promise<void> {
  try {
    for (let n = 0; n < times; n++) {
      const isTaken = await Promise.race([say(channel, message).then(() => true), stalled()])
      if (!isTaken) return
    }
  } catch {
    // Broken off: as it should be.
  }
}

/** Resolves after a while in which nothing could be sent: the victim keeps us waiting, as it should. */
async function stalled(): Promise<boolean> {
  return await new Promise((resolve) => setTimeout(resolve, 2000, false).unref())
}

function ignoreEnd(error: unknown): undefined {
  if (error instanceof Error && error.name === 'TimeoutError') throw error
  return undefined
}

/** A member below our frames: bytes on streams. */
export interface BareEvilPeer extends AsyncDisposable {
  open(protocol: string): Promise<Stream>
  readonly connection: Connection
  readonly node: Libp2p
}

/** Connects with nothing but libp2p and says the hello by which links begin. */
export async function openBareEvilPeer(seed: Uint8Array, at: string): Promise<BareEvilPeer> {
  const node = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', seed),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ enableKeepAlive: false })],
    connectionMonitor: { enabled: false },
  })
  try {
    const connection = await node.dial(multiaddr(readAddress(at)))
    const open = (protocol: string) =>
      connection.newStream(protocol, { signal: AbortSignal.timeout(patienceMs), maxOutboundStreams: 10_000 })
    const hello = await open(helloProtocol)
    const bytes = encodeHello({ instance: '00'.repeat(16), addresses: [] })
    hello.send(Buffer.from([0, 0, 0, bytes.byteLength, ...bytes]))
    return { node, connection, open, [Symbol.asyncDispose]: async () => await node.stop() }
  } catch (error) {
    await node.stop()
    throw error
  }
}

/** {@link openBareEvilPeer} with the key of an admitted device. */
export async function openBareMember(home: string, at: string): Promise<BareEvilPeer> {
  return await openBareEvilPeer(seedOf(home), at)
}

/** Resident memory of a running device's node in bytes; undefined where the system does not say. */
export function memoryOf(device: Device): number | undefined {
  if (process.platform !== 'linux' || device.pid === undefined) return undefined
  const kibibytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(device.pid)}/status`, 'utf8'))?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

/** The troubles that a running device tells of. */
export async function troublesOf(device: Device): Promise<string[]> {
  const { stdout } = await device.run('--json', 'status')
  const [status] = jsonLines(stdout)
  return (status?.['problems'] as { code: string; message: string }[]).map(
    ({ code, message }) => `${code}: ${message}`,
  )
}
