/** Puts libp2p together: TCP, Noise, yamux, identify, gossip; nothing that calls or tells by itself. */

import '../polyfill.ts'
import { noise } from '@chainsafe/libp2p-noise'
import type { GossipSub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { ConnectionGater, PrivateKey } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { CellarError, type DeviceId, isCellarError } from '../../protocol/index.ts'
import type { MdnsComponents } from './libp2p-mdns.ts'
import { gateRegistrar, membersGossip } from './libp2p-notices.ts'
import { boundedYamux } from './libp2p-yamux.ts'

/** A libp2p node with what a network uses of it. */
export type Libp2pNode = Libp2p<{ identify: Identify; gossip: GossipSub; lan: LanService }>

/** Hands out what mDNS needs of libp2p: only services are given its components. */
interface LanService {
  readonly components: MdnsComponents
}

/** What a node is made of. */
export interface NodeInit {
  readonly key: PrivateKey
  /** Multiaddrs. */
  readonly listen: readonly string[]
  /** Multiaddrs told besides. */
  readonly announce: readonly string[]
  readonly gate: ConnectionGater
  /** Whether a device is a member at this moment: asked again for each notice and each identify. */
  readonly isMember: (device: DeviceId) => boolean
}

/** Starts a node. @throws {CellarError} `CONFIG_INVALID` when it cannot listen */
export async function startNode({ key, listen, announce, gate, isMember }: NodeInit): Promise<Libp2pNode> {
  try {
    return await createLibp2p({
      privateKey: key,
      // Nothing about program or host for whoever asks.
      nodeInfo: { name: 'rootcellar', version: '1', userAgent: 'rootcellar' },
      addresses: { listen: [...listen], appendAnnounce: [...announce] },
      transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
      connectionEncrypters: [noise()],
      streamMuxers: [boundedYamux()],
      connectionGater: gate,
      connectionManager: {
        inboundConnectionThreshold: 50,
        maxIncomingPendingConnections: 64,
        // A small device under load takes seconds for a handshake; strangers are few at a time, by the limit above.
        inboundUpgradeTimeout: 15_000,
        maxConnections: 300,
        maxParallelDials: 16,
      },
      // The main thread may be busy for seconds in a backup: a late pong is no reason to hang up.
      connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 15_000 } },
      services: {
        identify: membersIdentify(isMember),
        gossip: membersGossip(isMember),
        lan: (components: MdnsComponents): LanService => ({ components }),
      },
    })
  } catch (error) {
    throw new CellarError('CONFIG_INVALID', `cannot listen at ${listen.join(', ')}`, {}, { cause: error })
  }
}

/** Identify, which answers members only: it tells every address, those of other networks too. */
function membersIdentify(isMember: (device: DeviceId) => boolean): ReturnType<typeof identify> {
  const make = identify({ runOnConnectionOpen: false, maxInboundStreams: 2 })
  return (components) => {
    const registrar = gateRegistrar(components.registrar, (peer) => isMember(peer.toString() as DeviceId))
    // The components are a proxy that cannot be spread.
    return make(Object.create(components, { registrar: { value: registrar } }) as typeof components)
  }
}

/**
 * Turns what libp2p throws at calling into an error of ours.
 *
 * @param signal - the caller's: when it is aborted, its reason is the error, unless it is that its time is over
 * @param what - what was called, for the message
 */
export function explainCall(error: unknown, signal: AbortSignal, what: string): unknown {
  if (isCellarError(error)) return error
  // A limit of time is no word of the caller's: whoever calls knows errors of ours only.
  if (signal.aborted && !isTimeout(signal.reason)) return signal.reason
  const name = error instanceof Error ? error.name : ''
  if (name === 'UnsupportedProtocolError') {
    return new CellarError('PEER_PROTOCOL', `${what} does not serve this protocol`, {}, { cause: error })
  }
  if (name === 'DialDeniedError')
    return new CellarError('NOT_A_MEMBER', `${what} is no member here`, {}, { cause: error })
  return new CellarError('PEER_GONE', `${what} cannot be reached`, {}, { cause: error })
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}
