/** Cuts data by its content: a gear hash with a secret table (node/spec/backup.md §3). */

import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { wasm, type WasmModule } from './webassembly.ts'

/** How long chunks of one kind of file are, in bytes. */
export interface CutSizes {
  /** No cut before; at least 32. */
  readonly min: number
  /** About the average. */
  readonly normal: number
  /** Always a cut. */
  readonly max: number
}

const KiB = 1024

/** For files that are written whole or appended to: the least to keep in the index. */
export const COARSE: CutSizes = { min: 256 * KiB, normal: 1024 * KiB, max: 4096 * KiB }

/** For images and databases, which change in scattered blocks. */
export const FINE: CutSizes = { min: 16 * KiB, normal: 64 * KiB, max: 256 * KiB }

/** Finds chunks in a window of memory that it owns. */
export interface Cutter {
  /** The window, to be filled by the caller: whoever reads a file reads it straight to here. */
  readonly window: Buffer
  /**
   * The length of the chunk that begins at a place of the window.
   *
   * @param start - offset in the window
   * @param bytes - bytes there are from there on; fewer than `sizes.max` only at the end of the data
   * @returns 1..`sizes.max`
   */
  cut(start: number, bytes: number, sizes: CutSizes): number
}

/**
 * Derives the gear table of a vault: HMAC-SHA-256 under the gear key of a counter, 8 words from each.
 *
 * @param key - 32 bytes; borrowed
 * @returns 256 words, each 0..2^32-1
 */
export function gearTable(key: Uint8Array): Uint32Array {
  const table = new Uint32Array(256)
  for (let block = 0; block < 32; block++) {
    const words = createHmac('sha256', key).update(Uint8Array.of(block)).digest()
    for (let word = 0; word < 8; word++) table[block * 8 + word] = words.readUInt32BE(word * 4)
  }
  return table
}

/** A mask of so many high bits: they depend on the most bytes. */
function highBits(bits: number): number {
  return (0xffffffff << (32 - bits)) | 0
}

/** Two bits more than the average needs before it, two less after it: lengths gather around it. */
function masks(sizes: CutSizes): { strict: number; loose: number } {
  const bits = Math.round(Math.log2(sizes.normal))
  return { strict: highBits(bits + 2), loose: highBits(bits - 2) }
}

/** The first place in (from, to] where the hash of the 32 bytes before it has no bit of the mask, or 0. */
function scan(data: Uint8Array, table: Int32Array, from: number, to: number, mask: number): number {
  let hash = 0
  for (let at = from - 32; at < from; at++) hash = ((hash << 1) + (table[data[at] as number] as number)) | 0
  for (let at = from; at < to; ) {
    hash = ((hash << 1) + (table[data[at++] as number] as number)) | 0
    if ((hash & mask) === 0) return at
  }
  return 0
}

/** The cutter in JavaScript: the reference, and for machines without WebAssembly. */
export function jsCutter(table: Uint32Array, windowBytes: number): Cutter {
  const window = Buffer.alloc(windowBytes)
  const words = new Int32Array(table.buffer, table.byteOffset, 256)
  return {
    window,
    cut(start, bytes, sizes) {
      if (bytes <= sizes.min) return bytes
      const { strict, loose } = masks(sizes)
      const length = Math.min(bytes, sizes.max)
      const middle = Math.min(sizes.normal, length)
      const end =
        scan(window, words, start + sizes.min, start + middle, strict) ||
        scan(window, words, start + middle, start + length, loose)
      return end === 0 ? length : end - start
    },
  }
}

type CutFunction = (
  start: number,
  bytes: number,
  min: number,
  normal: number,
  max: number,
  strict: number,
  loose: number,
) => number

const DATA_AT = 65_536

/** The cutter in WebAssembly, twice as fast or more, with the same cuts. */
export function wasmCutter(module: WasmModule, table: Uint32Array, windowBytes: number): Cutter {
  const memory = new wasm.Memory({ initial: Math.ceil((DATA_AT + windowBytes) / 65_536) })
  const instance = new wasm.Instance(module, { env: { memory } })
  const cut = instance.exports['cut'] as CutFunction
  new Uint32Array(memory.buffer, 0, 256).set(table)
  return {
    window: Buffer.from(memory.buffer, DATA_AT, windowBytes),
    cut(start, bytes, sizes) {
      const { strict, loose } = masks(sizes)
      return cut(DATA_AT + start, bytes, sizes.min, sizes.normal, sizes.max, strict, loose)
    },
  }
}

/** Where the compiled chunker is: beside the compiled sources, also when the sources themselves run. */
function wasmPath(): string {
  const here = import.meta.url
  return fileURLToPath(
    here.endsWith('.ts') ? new URL('../../dist/node/backup/gear.wasm', here) : new URL('gear.wasm', here),
  )
}

/** Compiles the chunker where the sources run without having been built. */
function buildWasm(path: string): void {
  const compiler = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js')
  const source = fileURLToPath(new URL('assembly/gear.ts', import.meta.url))
  mkdirSync(dirname(path), { recursive: true })
  execFileSync(
    process.execPath,
    [compiler, source, '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '-o', path],
    { stdio: 'ignore' },
  )
}

/** Loads the compiled chunker; `undefined` where there is none and none can be made. */
export function loadGear(): WasmModule | undefined {
  try {
    const path = wasmPath()
    if (!existsSync(path) && import.meta.url.endsWith('.ts')) buildWasm(path)
    return new wasm.Module(readFileSync(path))
  } catch {
    return undefined
  }
}

/** The fastest cutter there is. */
export function openCutter(module: WasmModule | undefined, table: Uint32Array, windowBytes: number): Cutter {
  return module === undefined ? jsCutter(table, windowBytes) : wasmCutter(module, table, windowBytes)
}
