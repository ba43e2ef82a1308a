/** Vector files: `key: value` lines, a blank line, hex (protocol/spec/README.md §5). */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromHex, toHex } from '../../protocol/index.ts'

/** One scenario. */
export interface Vector {
  /** File name without its ending. */
  readonly name: string
  readonly header: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The folder of the vectors, from the sources and from the compiled tests alike. */
export function vectorsDir(): string {
  let dir = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(dir, 'package.json'))) dir = dirname(dir)
  return join(dir, 'test', 'vectors')
}

/** Reads all vectors of one folder; a key that is not in `keys` fails, so that none is silently ignored. */
export function readVectors(folder: string, keys: readonly string[]): Vector[] {
  const dir = join(vectorsDir(), folder)
  const known = new Set([...keys, 'spec', 'expect', 'comment', 'reason'])
  return readdirSync(dir)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => {
      const vector = parseVector(file.slice(0, -4), readFileSync(join(dir, file), 'utf8'))
      for (const key of Object.keys(vector.header)) {
        if (!known.has(key)) throw new Error(`${folder}/${file}: the key "${key}" is not known`)
      }
      return vector
    })
}

/** Reads the text of one vector. */
export function parseVector(name: string, text: string): Vector {
  const end = text.indexOf('\n\n')
  if (end === -1) throw new Error(`${name}: no blank line ends the header`)
  const header: Record<string, string> = {}
  for (const line of text.slice(0, end).split('\n')) {
    const colon = line.indexOf(':')
    const key = line.slice(0, colon)
    if (colon < 1 || key in header) throw new Error(`${name}: bad header line "${line}"`)
    header[key] = line.slice(colon + 1).trim()
  }
  return { name, header, body: fromHex(text.slice(end).replaceAll(/\s/g, '')) }
}

/** The text of a vector, hex in lines of 32 bytes. */
export function formatVector({ header, body }: Vector): string {
  const lines = Object.entries(header).map(([key, value]) => `${key}: ${value}`.trimEnd())
  const hex = toHex(body).match(/.{1,64}/g) ?? []
  return `${lines.join('\n')}\n\n${hex.join('\n')}\n`
}

/** A header field that must be there. */
export function field({ name, header }: Vector, key: string): string {
  const value = header[key]
  if (value === undefined) throw new Error(`${name}: the key "${key}" is missing`)
  return value
}

/** A header field of ids or hex separated by blanks. */
export function words(vector: Vector, key: string): string[] {
  const value = field(vector, key)
  return value === '' ? [] : value.split(' ')
}

/** JSON in which bytes are `hex:…` and big integers `int:…`, keys in the order given. */
export function toPlainJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return `int:${item.toString()}`
    if (isBufferJson(item)) return `hex:${toHex(Uint8Array.from(item.data))}`
    return item instanceof Uint8Array ? `hex:${toHex(item)}` : item
  })
}

function isBufferJson(item: unknown): item is { readonly data: number[] } {
  return (
    typeof item === 'object' && item !== null && 'type' in item && item.type === 'Buffer' && 'data' in item
  )
}

/** The inverse of {@link toPlainJson}. */
export function fromPlainJson(text: string): unknown {
  return JSON.parse(text, (_key, item: unknown) => {
    if (typeof item !== 'string') return item
    if (item.startsWith('int:')) return BigInt(item.slice(4))
    return item.startsWith('hex:') ? fromHex(item.slice(4)) : item
  }) as unknown
}
