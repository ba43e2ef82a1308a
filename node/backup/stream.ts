/** Backs up what comes through a pipe, as one file. */

import type { ContentChunk } from '../../protocol/index.ts'
import type { CutSizes } from './gear.ts'
import { BATCH_BYTES, type Bench, chunksOf, type Piece } from './bench.ts'

/**
 * Cuts a stream by content, and seals and keeps what is new.
 *
 * @param stream - pieces of any length; each borrowed until the next is asked for
 * @returns its chunks in order; none for an empty stream
 */
export async function cutStream(
  bench: Bench,
  stream: AsyncIterable<Uint8Array>,
  sizes: CutSizes,
): Promise<ContentChunk[]> {
  const { window } = bench.cutter
  const chunks: ContentChunk[] = []
  let have = 0
  const cut = async (isEnd: boolean): Promise<void> => {
    const pieces: Piece[] = []
    let start = 0
    while (have - start > (isEnd ? 0 : sizes.max)) {
      const length = bench.cutter.cut(start, have - start, sizes)
      pieces.push({ start, length })
      start += length
    }
    const ids = pieces.length === 0 ? [] : await chunksOf(bench, 'data', pieces)
    for (const [index, id] of ids.entries()) chunks.push({ id, length: pieces[index]?.length ?? 0 })
    window.copyWithin(0, start, have)
    have -= start
  }
  for await (const piece of stream) {
    for (let done = 0; done < piece.length; ) {
      const part = piece.subarray(done, done + window.length - have)
      window.set(part, have)
      have += part.length
      done += part.length
      bench.ports.progress(part.length)
      if (have >= BATCH_BYTES) await cut(false)
    }
  }
  await cut(true)
  return chunks
}
