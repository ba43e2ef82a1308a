import assert from 'node:assert/strict'
import {
  concatBytes,
  decodeFrame,
  decodeHeadNotice,
  encodeChunkFrame,
  encodeHeadNotice,
  encodeMessage,
  type DeviceId,
  type Frame,
  fromHex,
  type HeadNotice,
  proofOf,
  toHex,
} from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, fromPlainJson, readVectors, toPlainJson, type Vector } from './format.ts'

/** The bytes of a vector, with the zeros that are only counted in its header. */
function bytesOf(vector: Vector): Uint8Array {
  return concatBytes([vector.body, new Uint8Array(Number(vector.header['zeros'] ?? 0))])
}

function decode(vector: Vector): unknown {
  return field(vector, 'of') === 'notice' ? decodeHeadNotice(bytesOf(vector)) : decodeFrame(bytesOf(vector))
}

function encode(vector: Vector): Uint8Array {
  const value = fromPlainJson(field(vector, 'value'))
  if (field(vector, 'of') === 'notice') return encodeHeadNotice(value as HeadNotice)
  const frame = value as Frame
  if (frame.kind === 'chunk') return concatBytes(encodeChunkFrame(frame.request, frame.chunk))
  return encodeMessage(frame.message)
}

describe('vectors of the wire', () => {
  for (const vector of readVectors('wire', ['of', 'value', 'zeros', 'one-way', 'nonce', 'device', 'chunk'])) {
    if (field(vector, 'of') === 'mac') {
      it('W6.2 prove a chunk to one nonce by one device', () => {
        const [nonce, chunk] = ['nonce', 'chunk'].map((key) => fromHex(field(vector, key)))
        const mac = proofOf(nonce!, field(vector, 'device') as DeviceId, chunk!)
        assert.equal(toHex(mac), toHex(vector.body))
      })
    } else if (field(vector, 'expect') === 'success') {
      it(`read and write ${vector.name}`, () => {
        // Through JSON, so that the order of keys does not matter.
        assert.deepEqual(fromPlainJson(toPlainJson(decode(vector))), fromPlainJson(field(vector, 'value')))
        if (!('one-way' in vector.header)) assert.equal(toHex(encode(vector)), toHex(vector.body))
      })
    } else {
      it(`refuse ${vector.name}`, () => assertRefuses(vector, () => decode(vector)))
    }
  }
})
