/**
 * Finds the best zstd this machine has. Sealing is deterministic only if compressing is, so an
 * implementation is taken only if it compresses a sample to the bytes that all others make of it.
 */

import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import zlib from 'node:zlib'
import { CellarError } from '../../protocol/index.ts'

/** The level every device compresses with: another one would make other chunks of the same data. */
const LEVEL = 1

/** Compresses and decompresses one payload at a time, synchronously. */
export interface Zstd {
  /** Which implementation it is: for reports. */
  readonly name: string
  /**
   * Compresses to one zstd frame that names its size.
   *
   * @param raw - borrowed
   * @returns may be a view, good until the next call
   */
  compress(raw: Uint8Array): Uint8Array
  /**
   * Decompresses one frame, never to more than was announced.
   *
   * @param body - one whole zstd frame; borrowed
   * @param rawBytes - the exact size it must have
   * @returns fresh
   * @throws {CellarError} `FORMAT_INVALID` when it is no frame of that size
   */
  decompress(body: Uint8Array, rawBytes: number): Uint8Array
}

const require = createRequire(import.meta.url)

/** The size a frame says it has (RFC 8878 §3.1.1.1.4), or `undefined` when it does not say or is no frame. */
export function frameContentSize(frame: Uint8Array): number | undefined {
  if (frame.length < 6) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (view.getUint32(0, true) !== 0xfd2fb528) return undefined
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0)
  const width = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  if (width === 0 || at + width > frame.length) return undefined
  if (width === 1) return view.getUint8(at)
  if (width === 2) return view.getUint16(at, true) + 256
  if (width === 4) return view.getUint32(at, true)
  return Number(view.getBigUint64(at, true))
}

/** Adds to a bare implementation what all share: the size is checked before and after. */
function guarded(name: string, compress: Zstd['compress'], expand: Zstd['decompress']): Zstd {
  const refuse = (rawBytes: number, options?: ErrorOptions): never => {
    throw new CellarError(
      'FORMAT_INVALID',
      'The compressed part is not a zstd frame of its announced size.',
      { rawBytes },
      options,
    )
  }
  return {
    name,
    compress,
    decompress(body, rawBytes) {
      if (frameContentSize(body) !== rawBytes) return refuse(rawBytes)
      let raw: Uint8Array
      try {
        raw = expand(body, rawBytes)
      } catch (error) {
        return refuse(rawBytes, { cause: error })
      }
      return raw.length === rawBytes ? raw : refuse(rawBytes)
    },
  }
}

interface NativeBinding {
  readonly CParameter: { readonly compressionLevel: number }
  readonly CCtx: new () => {
    setParameter(parameter: number, value: number): void
    compress2(target: Uint8Array, source: Uint8Array): number
  }
  readonly DCtx: new () => { decompress(target: Uint8Array, source: Uint8Array): number }
  compressBound(bytes: number): number
}

/** The native binding: the fastest, where it could be compiled. */
function nativeZstd(): Zstd {
  const binding = require('zstd-napi/binding') as NativeBinding
  const compressor = new binding.CCtx()
  compressor.setParameter(binding.CParameter.compressionLevel, LEVEL)
  const expander = new binding.DCtx()
  let scratch = Buffer.alloc(0)
  return guarded(
    'zstd-napi',
    (raw) => {
      const bound = binding.compressBound(raw.length)
      if (scratch.length < bound) scratch = Buffer.allocUnsafeSlow(Math.max(bound, 1 << 20))
      const length = compressor.compress2(scratch, raw)
      return scratch.subarray(0, length)
    },
    (body, rawBytes) => {
      const raw = new Uint8Array(rawBytes)
      return raw.subarray(0, expander.decompress(raw, body))
    },
  )
}

interface ZlibWithZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
  zstdCompressSync(raw: Uint8Array, options: object): Buffer
  zstdDecompressSync(body: Uint8Array, options: object): Buffer
}

/** What newer Nodes bring along (22.15 and later). */
function zlibZstd(): Zstd {
  const zstd = zlib as unknown as Partial<ZlibWithZstd>
  const { constants, zstdCompressSync, zstdDecompressSync } = zstd
  if (constants === undefined || zstdCompressSync === undefined || zstdDecompressSync === undefined)
    throw new TypeError('this Node has no zstd')
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL }
  return guarded(
    'node:zlib',
    (raw) =>
      zstdCompressSync(raw, {
        params,
        pledgedSrcSize: raw.length,
        chunkSize: raw.length + (raw.length >> 7) + 1024,
      }),
    (body, rawBytes) =>
      zstdDecompressSync(body, { maxOutputLength: Math.max(1, rawBytes), chunkSize: Math.max(64, rawBytes) }),
  )
}

interface WasmModule {
  init(): Promise<void>
  compress(raw: Uint8Array, level: number): Uint8Array
  decompress(body: Uint8Array): Uint8Array
}

/** WebAssembly: half as fast, but always there. */
async function wasmZstd(): Promise<Zstd> {
  const wasm = require('@bokuweb/zstd-wasm') as WasmModule
  await wasm.init()
  return guarded(
    'zstd-wasm',
    (raw) => wasm.compress(raw, LEVEL),
    (body) => wasm.decompress(body),
  )
}

/** What the sample must become: the first 8 bytes of the SHA-256 over all its frames, in hex. */
const SAMPLE_DIGEST = '33843ee7ce396c7e'

/** Compresses samples of several sizes and kinds; equal digests mean equal chunks in practice. */
export function sampleDigest(zstd: Zstd): string {
  const digest = createHash('sha256')
  const short = shortSample(70_000)
  for (const bytes of [0, 1, 300, 5_000, short.length]) digest.update(zstd.compress(short.subarray(0, bytes)))
  return digest
    .update(zstd.compress(longSample(short, 300_000)))
    .digest('hex')
    .slice(0, 16)
}

/** Noise in which single bytes come again from up to 1024 back. */
function shortSample(bytes: number): Uint8Array {
  const raw = new Uint8Array(bytes)
  let state = 1
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const back = 1 + (state >>> 22)
    raw[i] = i >= back && (state & 0x3000) !== 0 ? (raw[i - back] ?? 0) : (state >>> 16) & 0xff
  }
  return raw
}

/** Pieces of a shorter sample, of up to 2 KiB: put together of pieces, as each command makes it before it begins. */
function longSample(short: Uint8Array, bytes: number): Uint8Array {
  const raw = new Uint8Array(bytes)
  let state = 1
  for (let at = 0; at < bytes; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const from = (state >>> 8) % short.length
    const piece = short.subarray(from, from + Math.min(1 + ((state >>> 3) & 2047), bytes - at))
    raw.set(piece, at)
    at += piece.length
  }
  return raw
}

let loaded: Promise<Zstd> | undefined

/**
 * Loads the fastest zstd that compresses as all others do; once in each thread.
 *
 * @param only - takes this one instead, whatever it makes of the sample: for tests
 */
export async function loadZstd(only?: 'zstd-napi' | 'node:zlib' | 'zstd-wasm'): Promise<Zstd> {
  const makers = { 'zstd-napi': nativeZstd, 'node:zlib': zlibZstd, 'zstd-wasm': wasmZstd }
  if (only !== undefined) return makers[only]()
  loaded ??= firstFitting([nativeZstd, zlibZstd])
  return loaded
}

async function firstFitting(makers: readonly (() => Zstd)[]): Promise<Zstd> {
  for (const make of makers) {
    try {
      const zstd = make()
      if (sampleDigest(zstd) === SAMPLE_DIGEST) return zstd
    } catch {
      // Not on this machine: the next one.
    }
  }
  return wasmZstd()
}
