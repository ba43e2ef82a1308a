/** The stream multiplexer, with the bounds that it lacks (mesh.md §4). */

import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import {
  CellarError,
  connectionBacklogBytesMax,
  streamsPerConnectionMax,
  streamWindowBytesMax,
} from '../../protocol/index.ts'

/** What the guard reads of a muxer; a test sends real bytes to see that it still finds them. */
interface GuardedMuxer {
  onData(data: Parameters<Muxer['onData']>[0]): void
  readonly decoder?: { readonly buffer?: { readonly byteLength: number } }
}
type Muxer = ReturnType<ReturnType<ReturnType<typeof yamux>>['createStreamMuxer']> & {
  onData(data: Uint8Array): void
}

/** A frame may fill the window, and the next one may have begun. */
const undecodedBytesMax = 2 * streamWindowBytesMax + 1024 * 1024

/**
 * Yamux with fixed bounds. The module itself gathers a frame of any announced length (up to 4 GiB) before it looks
 * at the window, and queues answers without end for a peer that floods and never reads; both cut the connection here.
 */
export function boundedYamux(): () => StreamMuxerFactory {
  const make = yamux({
    maxInboundStreams: streamsPerConnectionMax,
    maxOutboundStreams: streamsPerConnectionMax,
    streamOptions: {
      maxStreamWindowSize: streamWindowBytesMax,
      maxReadBufferLength: 4 * streamWindowBytesMax,
    },
  })
  return () => {
    const inner = make()
    return {
      protocol: inner.protocol,
      createStreamMuxer: (connection) => guard(inner.createStreamMuxer(connection), connection),
    }
  }
}

function guard<T extends object>(muxer: T, connection: MessageStream): T {
  const guarded = muxer as unknown as GuardedMuxer
  const onData = guarded.onData.bind(muxer)
  // The muxer's own listener calls this, and aborts the connection when it throws.
  guarded.onData = (data) => {
    onData(data)
    if ((guarded.decoder?.buffer?.byteLength ?? 0) > undecodedBytesMax)
      throw new CellarError('FRAME_TOO_LONG', 'a yamux frame is too long')
    if (connection.writeBufferLength > connectionBacklogBytesMax)
      throw new CellarError('PEER_PROTOCOL', 'a peer floods and does not read')
  }
  return muxer
}
