import assert from 'node:assert/strict'
import {
  type ChunkId,
  chunkHeader,
  chunkIdOf,
  type Codec,
  deriveVaultKeys,
  fromHex,
  nodePrimitives,
  openChunk,
  type Payload,
  type PayloadKind,
  portablePrimitives,
  sealChunk,
  verifyChunk,
} from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, readVectors, type Vector, words } from './format.ts'

const KEYS = ['vault key', 'id', 'links', 'kind', 'codec', 'raw bytes', 'payload']

function payloadOf(vector: Vector): Payload {
  return {
    kind: field(vector, 'kind') as PayloadKind,
    codec: field(vector, 'codec') as Codec,
    rawBytes: Number(field(vector, 'raw bytes')),
    body: fromHex(field(vector, 'payload')),
  }
}

for (const [name, primitives] of Object.entries({ node: nodePrimitives, portable: portablePrimitives })) {
  describe(`vectors of chunks, by the ${name} primitives`, () => {
    for (const vector of readVectors('chunk', KEYS)) {
      const keys = deriveVaultKeys(fromHex(field(vector, 'vault key')), primitives)
      if (field(vector, 'expect') === 'success') {
        it(`opens ${vector.name} and seals it again to the same bytes`, () => {
          const links = words(vector, 'links') as ChunkId[]
          const payload = payloadOf(vector)
          const { body, ...rest } = openChunk(keys, vector.body, primitives)
          assert.deepEqual(rest, {
            kind: payload.kind,
            codec: payload.codec,
            rawBytes: payload.rawBytes,
            links,
          })
          assert.deepEqual(Uint8Array.from(body), Uint8Array.from(payload.body))
          assert.deepEqual(
            Uint8Array.from(sealChunk(keys, payload, links, primitives)),
            Uint8Array.from(vector.body),
          )
          assert.deepEqual(chunkHeader(vector.body), { vault: keys.vault, links })
          assert.equal(chunkIdOf(vector.body), field(vector, 'id'))
          verifyChunk(chunkIdOf(vector.body), vector.body)
        })
      } else {
        it(`refuses ${vector.name}`, () => {
          assertRefuses(vector, () => openChunk(keys, vector.body, primitives))
        })
      }
    }
  })
}
