/** Notices by gossip, between members only (mesh.md §5). */

import { type GossipSub, type GossipSubComponents, gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Connection, PeerId, StreamHandler, Topology } from '@libp2p/interface'
import { type DeviceId, noticeBytesMax } from '../../protocol/index.ts'

/** One message of gossip: several notices, and lists of ids. */
const gossipBytesMax = 128 * 1024
const topic = 'rootcellar/notices/1'

/** Says whether a device is a member, at the time of asking. */
type IsMember = (device: DeviceId) => boolean

/**
 * The gossip service, which neither hears nor calls anyone but members. Its registrar is wrapped rather than a
 * middleware used: those are handed every handler again with each stream.
 */
export function membersGossip(isMember: IsMember): (components: GossipSubComponents) => GossipSub {
  const make = gossipsub({
    globalSignaturePolicy: 'StrictSign',
    allowPublishToZeroTopicPeers: true,
    emitSelf: false,
    doPX: false,
    maxInboundDataLength: gossipBytesMax,
    maxOutboundBufferSize: 4 * gossipBytesMax,
    maxInboundStreams: 4,
    maxOutboundStreams: 4,
  })
  const isAllowed = (peer: PeerId) => isMember(peer.toString() as DeviceId)
  return (components) => {
    const gated = gateRegistrar(components.registrar, isAllowed)
    // The components are a proxy that cannot be spread.
    const { peerId, privateKey, peerStore, connectionManager, logger } = components
    return make({ peerId, privateKey, peerStore, connectionManager, logger, registrar: gated })
  }
}

type Registrar = GossipSubComponents['registrar']

/** A registrar whose services neither hear nor call anyone but those allowed. */
export function gateRegistrar(registrar: Registrar, isAllowed: (peer: PeerId) => boolean): Registrar {
  const gated = Object.create(registrar) as Registrar
  gated.handle = (protocol, handler, options) =>
    registrar.handle(protocol, gateHandler(handler, isAllowed), options)
  gated.register = (protocol, topology) => registrar.register(protocol, gateTopology(topology, isAllowed))
  gated.unregister = (id) => {
    registrar.unregister(id)
  }
  gated.unhandle = (protocol, options) => registrar.unhandle(protocol, options)
  gated.getTopologies = (protocol) => registrar.getTopologies(protocol)
  return gated
}

function gateHandler(handler: StreamHandler, isAllowed: (peer: PeerId) => boolean): StreamHandler {
  return (stream, connection) => {
    if (isAllowed(connection.remotePeer)) return handler(stream, connection)
    stream.abort(new Error('not a member'))
  }
}

function gateTopology(topology: Topology, isAllowed: (peer: PeerId) => boolean): Topology {
  return {
    ...topology,
    onConnect: async (peer: PeerId, connection: Connection) => {
      if (isAllowed(peer)) await topology.onConnect?.(peer, connection)
    },
  }
}

/** Sends and hears notices over a running gossip service. */
export class Notices {
  readonly #gossip: GossipSub

  constructor(gossip: GossipSub, isMember: IsMember, onNotice: (notice: Uint8Array, from: DeviceId) => void) {
    this.#gossip = gossip
    // Checked before it is passed on: a member relays nothing of others, and nothing long.
    gossip.topicValidators.set(topic, (_, message) => {
      const from = message.type === 'signed' ? (message.from.toString() as DeviceId) : undefined
      const isGood = from !== undefined && isMember(from) && message.data.byteLength <= noticeBytesMax
      return isGood ? TopicValidatorResult.Accept : TopicValidatorResult.Reject
    })
    gossip.addEventListener('gossipsub:message', (event) => {
      const { msg } = event.detail
      if (msg.topic === topic && msg.type === 'signed') onNotice(msg.data, msg.from.toString() as DeviceId)
    })
    gossip.subscribe(topic)
  }

  /** Tells all that are there; a failure is nothing to act on, as heads are exchanged on every link anyway. */
  publish(notice: Uint8Array): void {
    this.#gossip.publish(topic, notice).catch(() => undefined)
  }
}
