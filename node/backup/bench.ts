/** What the jobs of a thread work with, and how pieces of content become chunks (node/spec/backup.md §5, §6). */

import type { ChunkId, PayloadKind, Xattr } from '../../protocol/index.ts'
import type { Vault } from '../vault.ts'
import type { Cutter } from './gear.ts'
import type { Verdict } from './jobs.ts'

/** Bytes of content that a job cuts, names and asks for at a time; a longest chunk may hang over. */
export const BATCH_BYTES = 4 * 1024 * 1024

/** Bytes of the window in which a job cuts. */
export const WINDOW_BYTES = BATCH_BYTES + 4 * 1024 * 1024

/** A chunk that was sealed, to be kept. */
export interface NewChunk {
  /** 32 bytes, see `Vault.nameOf`. */
  readonly key: Uint8Array
  readonly id: ChunkId
  readonly bytes: Uint8Array
  readonly rawBytes: number
}

/** The outside of a runner. */
export interface RunnerPorts {
  /** Asks of many contents at once. @param keys - 32 bytes each */
  ask(keys: Buffer): Promise<readonly Verdict[]>
  /** Asks again of contents that others were at; nobody answers `wait` any more. */
  settle(keys: Buffer): Promise<readonly Verdict[]>
  /** Keeps chunks; resolves when more may come. */
  keep(chunks: readonly NewChunk[]): Promise<void>
  /** Says that so many more bytes of sources are read. */
  progress(bytes: number): void
}

/** The part of the system's calls that is used here. */
export interface SourceCalls {
  /** Extended attributes of a file, not following a link. @throws as the system */
  readXattrs(path: Uint8Array): readonly Xattr[]
  /** Where an open file of `size` bytes has data, in order; undefined when the file system does not say. */
  dataExtents(
    fd: number,
    size: number,
  ): readonly { readonly offset: number; readonly length: number }[] | undefined
}

/** Memory that is used again and again: a mebibyte of garbage for each chunk costs a tenth of the speed. */
export class Scratch {
  readonly #memory: Buffer
  #used = 0

  /** @param bytes - what it has room for; what goes beyond is allocated afresh */
  constructor(bytes: number) {
    this.#memory = Buffer.allocUnsafeSlow(bytes)
  }

  /** Memory of just so many bytes, until `reset`. */
  readonly allocate = (bytes: number): Buffer => {
    const start = this.#used
    if (start + bytes > this.#memory.byteLength) return Buffer.allocUnsafeSlow(bytes)
    this.#used += bytes
    return this.#memory.subarray(start, this.#used)
  }

  /** Takes everything back. */
  reset(): void {
    this.#used = 0
  }
}

/** What one job works with. */
export interface Bench {
  readonly vault: Vault
  readonly cutter: Cutter
  readonly calls: SourceCalls
  readonly ports: RunnerPorts
  /** Memory for the chunks of one batch, where they are needed no longer than until they are kept. */
  readonly scratch?: Scratch
}

/** A piece of raw content in the window. */
export interface Piece {
  readonly start: number
  readonly length: number
}

/**
 * Finds the chunks of pieces in the window, sealing those that nobody has. Own ones are sealed before others
 * are waited for, so no two threads wait for each other.
 */
export async function chunksOf(
  bench: Bench,
  kind: PayloadKind & ('data' | 'bundle'),
  pieces: readonly Piece[],
): Promise<ChunkId[]> {
  const { cutter, vault, ports, scratch } = bench
  const rawOf = ({ start, length }: Piece): Buffer => cutter.window.subarray(start, start + length)
  const keys = pieces.map((piece) => vault.nameOf(kind, rawOf(piece)))
  const verdicts = [...(await ports.ask(Buffer.concat(keys)))]
  for (;;) {
    const fresh: NewChunk[] = []
    scratch?.reset()
    for (const [index, verdict] of verdicts.entries()) {
      if (verdict !== 'mine') continue
      const piece = pieces[index] as Piece
      const hints = {
        name: keys[index] as Uint8Array,
        ...(scratch !== undefined && { allocate: scratch.allocate }),
      }
      const { id, bytes } = vault.seal(kind, rawOf(piece), [], hints)
      verdicts[index] = id
      fresh.push({ key: keys[index] as Uint8Array, id, bytes, rawBytes: piece.length })
    }
    if (fresh.length > 0) await ports.keep(fresh)
    const waiting = verdicts.flatMap((verdict, index) => (verdict === 'wait' ? [index] : []))
    if (waiting.length === 0) return verdicts as ChunkId[]
    const answers = await ports.settle(Buffer.concat(waiting.map((index) => keys[index] as Uint8Array)))
    for (const [at, index] of waiting.entries()) verdicts[index] = answers[at] as Verdict
  }
}
