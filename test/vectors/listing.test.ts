import assert from 'node:assert/strict'
import {
  encodeBody,
  fromHex,
  openHead,
  openListing,
  signHead,
  signerFromSeed,
  toHex,
} from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, readVectors, type Vector } from './format.ts'

function open(vector: Vector): void {
  if (field(vector, 'of') === 'head') {
    const { head, hash } = openHead(vector.body)
    assert.equal(hash, field(vector, 'hash'))
    const again = signHead(head, signerFromSeed(new Uint8Array(32).fill(7)))
    assert.equal(toHex(again.bytes), toHex(vector.body))
  } else {
    const { body } = openListing(fromHex(field(vector, 'head')), vector.body)
    assert.equal(toHex(encodeBody(body)), toHex(vector.body))
  }
}

describe('vectors of listings', () => {
  for (const vector of readVectors('listing', ['of', 'hash', 'head'])) {
    const isGood = field(vector, 'expect') === 'success'
    it(`${isGood ? 'read and write' : 'refuse'} ${vector.name}`, () => {
      if (isGood) open(vector)
      else assertRefuses(vector, () => open(vector))
    })
  }
})
