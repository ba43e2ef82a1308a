import assert from 'node:assert/strict'
import { type CborValue, decodeCbor, encodeCbor, toHex } from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, fromPlainJson, readVectors } from './format.ts'

/** Objects of JSON as the maps that CBOR gives. */
function toMaps(value: unknown): CborValue {
  if (Array.isArray(value)) return value.map(toMaps)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value as CborValue
  return new Map(Object.entries(value).map(([key, item]) => [key, toMaps(item)]))
}

describe('vectors of deterministic CBOR', () => {
  for (const vector of readVectors('cbor', ['value'])) {
    const read = (): unknown => decodeCbor(vector.body, { what: 'a vector', bytesMax: 1000 })
    if (field(vector, 'expect') === 'success') {
      it(`reads ${vector.name} and writes it again to the same bytes`, () => {
        const value = toMaps(fromPlainJson(field(vector, 'value')))
        assert.equal(toHex(encodeCbor(read() as CborValue)), toHex(vector.body))
        assert.equal(toHex(encodeCbor(value)), toHex(vector.body))
      })
    } else {
      it(`refuses ${vector.name}`, () => {
        assertRefuses(vector, read)
      })
    }
  }
})
