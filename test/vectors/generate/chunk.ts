/** Vectors of chunks: one good one of each kind, and one for each thing that may be wrong (chunk.md). */

import {
  type ChunkId,
  chunkIdOf,
  concatBytes,
  deriveVaultKeys,
  nodePrimitives,
  type Payload,
  sealChunk,
  toHex,
} from '../../../protocol/index.ts'
import type { Vector } from '../format.ts'

const VAULT_KEY = Uint8Array.from({ length: 32 }, (_, position) => position)
const KEYS = deriveVaultKeys(VAULT_KEY)
const OTHER_VAULT_KEY = new Uint8Array(32).fill(0x7f)
const LINKS = ['11', '22', '33'].map((pair) => pair.repeat(32) as ChunkId)
const HELLO: Payload = { kind: 'data', codec: 'raw', rawBytes: 5, body: Buffer.from('hello') }

function good(name: string, payload: Payload, links: readonly ChunkId[], comment: string): Vector {
  const body = sealChunk(KEYS, payload, links)
  const header = {
    spec: 'chunk.md C1.1 C3.1 C3.2 C3.3',
    expect: 'success',
    comment,
    'vault key': toHex(VAULT_KEY),
    id: chunkIdOf(body),
    links: links.join(' '),
    kind: payload.kind,
    codec: payload.codec,
    'raw bytes': String(payload.rawBytes),
    payload: toHex(payload.body),
  }
  return { name, header, body }
}

interface Fault {
  readonly spec: string
  readonly expect: string
  readonly reason: string
}

function bad(name: string, fault: Fault, body: Uint8Array): Vector {
  const { spec, expect, reason } = fault
  return { name, header: { spec: `chunk.md ${spec}`, expect, reason, 'vault key': toHex(VAULT_KEY) }, body }
}

/** A good chunk with three links, some of its bytes changed. */
function changed(change: (chunk: Buffer) => Uint8Array | undefined): Uint8Array {
  const chunk = Buffer.from(sealChunk(KEYS, HELLO, LINKS))
  return change(chunk) ?? chunk
}

/** Seals a message under right keys, as a faulty or malicious member could. */
function forged(message: Uint8Array, siv?: Uint8Array): Uint8Array {
  const header = Buffer.from(sealChunk(KEYS, HELLO, []).subarray(0, 28))
  const used = siv ?? nodePrimitives.hmacSha256(KEYS.siv, [header, message])
  const out = new Uint8Array(message.byteLength + 16)
  const associated = concatBytes([header, used])
  const key = nodePrimitives.hmacSha256(KEYS.seal, [used])
  nodePrimitives.aeadSeal({ key, nonce: new Uint8Array(12), associated }, [message], out)
  return concatBytes([associated, out])
}

const MALFORMED = 'CHUNK_MALFORMED'
const RANGE = { spec: 'C2.1', expect: MALFORMED, reason: 'its length is out of range' }
const CORRUPT = { spec: 'C4.2', expect: 'CHUNK_CORRUPT', reason: 'damaged or forged' }
const LENGTHS = { spec: 'C4.5', expect: MALFORMED, reason: 'the lengths in a payload do not fit' }
const UNKNOWN_KIND = { spec: 'C4.4', expect: 'VERSION_UNKNOWN', reason: 'does not know' }
const UNKNOWN_VERSION = { spec: 'C2.3', expect: 'VERSION_UNKNOWN', reason: 'version or suite' }

function headerFaults(): Vector[] {
  const set = (offset: number, value: number): Uint8Array =>
    changed((chunk) => {
      chunk[offset] = value
      return undefined
    })
  return [
    bad('empty', RANGE, new Uint8Array(0)),
    bad(
      'too-short',
      RANGE,
      sealChunk(KEYS, { ...HELLO, rawBytes: 0, body: new Uint8Array(0) }, []).subarray(0, 81),
    ),
    bad('magic-wrong', { spec: 'C2.2', expect: MALFORMED, reason: 'does not begin' }, set(0, 0x53)),
    bad('version-unknown', UNKNOWN_VERSION, set(4, 2)),
    bad('suite-unknown', UNKNOWN_VERSION, set(5, 2)),
    bad('flag-set', { spec: 'C2.4', expect: MALFORMED, reason: 'a flag is set' }, set(7, 1)),
    bad('links-too-many', { spec: 'C2.5', expect: MALFORMED, reason: 'too many links' }, set(25, 1)),
    bad('links-beyond-end', { spec: 'C2.5', expect: MALFORMED, reason: 'out of range' }, set(27, 4)),
    bad(
      'link-twice',
      { spec: 'C2.6', expect: MALFORMED, reason: 'a link is there twice' },
      changed((chunk) => {
        chunk.copy(chunk, 28 + 32, 28, 28 + 32)
        return undefined
      }),
    ),
  ]
}

function sealFaults(): Vector[] {
  const flip = (offset: (chunk: Buffer) => number): Uint8Array =>
    changed((chunk) => {
      const at = offset(chunk)
      chunk[at] = (chunk[at] as number) ^ 1
      return undefined
    })
  const other = sealChunk(deriveVaultKeys(OTHER_VAULT_KEY), HELLO, [])
  const hello = concatBytes([Uint8Array.of(1, 0, 0, 0, 0, 5), HELLO.body])
  return [
    bad('vault-other', { spec: 'C4.1', expect: 'VAULT_UNKNOWN', reason: 'another vault' }, other),
    bad(
      'link-changed',
      CORRUPT,
      flip(() => 28),
    ),
    bad(
      'siv-changed',
      CORRUPT,
      flip(() => 28 + 96),
    ),
    bad(
      'ciphertext-changed',
      CORRUPT,
      flip(() => 28 + 96 + 32),
    ),
    bad(
      'tag-changed',
      CORRUPT,
      flip((chunk) => chunk.byteLength - 1),
    ),
    bad(
      'byte-missing',
      CORRUPT,
      changed((chunk) => chunk.subarray(0, -1)),
    ),
    bad(
      'byte-added',
      CORRUPT,
      changed((chunk) => concatBytes([chunk, Uint8Array.of(0)])),
    ),
    bad(
      'siv-not-of-content',
      { spec: 'C4.3', expect: 'CHUNK_CORRUPT', reason: 'its content is not what was sealed' },
      forged(hello, new Uint8Array(32).fill(9)),
    ),
    bad('kind-unknown', UNKNOWN_KIND, forged(Uint8Array.of(6, 0, 0, 0, 0, 0))),
    bad('kind-zero', UNKNOWN_KIND, forged(Uint8Array.of(0, 0, 0, 0, 0, 0))),
    bad('codec-unknown', UNKNOWN_KIND, forged(Uint8Array.of(1, 2, 0, 0, 0, 0))),
    bad('raw-length-wrong', LENGTHS, forged(Uint8Array.of(1, 0, 0, 0, 0, 2, 0x61))),
    bad('zstd-not-shorter', LENGTHS, forged(Uint8Array.of(1, 1, 0, 0, 0, 1, 0x61))),
    bad('raw-bytes-too-many', LENGTHS, forged(Uint8Array.of(1, 1, 0, 0x40, 0, 1, 0x61))),
  ]
}

/** All vectors of chunks. */
export function chunkVectors(): Vector[] {
  const kinds = (['bundle', 'tree', 'file', 'root'] as const).map((kind) =>
    good(
      `kind-${kind}`,
      { ...HELLO, kind },
      LINKS.slice(0, 1),
      `the same bytes as kind ${kind}, with one link`,
    ),
  )
  const compressed: Payload = {
    kind: 'data',
    codec: 'zstd',
    rawBytes: 9000,
    body: Buffer.from('not real zstd'),
  }
  return [
    good('hello', HELLO, [], 'five bytes of data, no links: the worked example of chunk.md'),
    good('no-bytes', { ...HELLO, rawBytes: 0, body: new Uint8Array(0) }, [], 'the shortest chunk there is'),
    good('three-links', HELLO, LINKS, 'links are kept in the order given'),
    good('zstd', compressed, [], 'the body is not looked into when a chunk is opened'),
    ...kinds,
    ...headerFaults(),
    ...sealFaults(),
  ]
}
