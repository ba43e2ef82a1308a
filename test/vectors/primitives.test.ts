import assert from 'node:assert/strict'
import { fromHex, nodePrimitives, portablePrimitives, type Primitives, toHex } from '../../protocol/index.ts'
import { field, readVectors, type Vector } from './format.ts'

const KEYS = ['algorithm', 'key', 'nonce', 'associated', 'message', 'salt', 'info', 'length', 'public key']

const hex = (vector: Vector, key: string): Uint8Array => fromHex(field(vector, key))

/** Bytes in two parts: results must not depend on where they are cut. */
function inParts(message: Uint8Array): Uint8Array[] {
  const middle = message.byteLength >> 1
  return [message.subarray(0, middle), message.subarray(middle)]
}

function checkAead(vector: Vector, primitives: Primitives): void {
  const input = {
    key: hex(vector, 'key'),
    nonce: hex(vector, 'nonce'),
    associated: hex(vector, 'associated'),
  }
  const opened = primitives.aeadOpen(input, vector.body)
  if (field(vector, 'expect') === 'refused') {
    assert.equal(opened, undefined)
    return
  }
  const message = hex(vector, 'message')
  assert.equal(toHex(opened as Uint8Array), toHex(message))
  const out = new Uint8Array(message.byteLength + 16)
  primitives.aeadSeal(input, inParts(message), out)
  assert.equal(toHex(out), toHex(vector.body))
}

function checkEd25519(vector: Vector, primitives: Primitives): void {
  const seed = hex(vector, 'key')
  const publicKey = hex(vector, 'public key')
  const message = hex(vector, 'message')
  assert.equal(toHex(primitives.ed25519PublicKey(seed)), toHex(publicKey))
  assert.equal(toHex(primitives.ed25519Sign(seed, message)), toHex(vector.body))
  assert.equal(primitives.ed25519Verify(publicKey, message, vector.body), true)
  assert.equal(
    primitives.ed25519Verify(publicKey, Buffer.concat([message, Buffer.of(0)]), vector.body),
    false,
  )
}

const CHECKS: Readonly<Record<string, (vector: Vector, primitives: Primitives) => void>> = {
  sha256: (vector, primitives) => {
    assert.equal(toHex(primitives.sha256(inParts(hex(vector, 'message')))), toHex(vector.body))
  },
  'hmac-sha256': (vector, primitives) => {
    assert.equal(
      toHex(primitives.hmacSha256(hex(vector, 'key'), inParts(hex(vector, 'message')))),
      toHex(vector.body),
    )
  },
  'hkdf-sha256': (vector, primitives) => {
    const input = { key: hex(vector, 'key'), salt: hex(vector, 'salt'), info: hex(vector, 'info') }
    assert.equal(
      toHex(primitives.hkdfSha256({ ...input, length: Number(field(vector, 'length')) })),
      toHex(vector.body),
    )
  },
  'chacha20-poly1305': checkAead,
  ed25519: checkEd25519,
}

for (const [name, primitives] of Object.entries({ node: nodePrimitives, portable: portablePrimitives })) {
  describe(`foreign vectors of primitives, by the ${name} ones`, () => {
    for (const vector of readVectors('primitives', KEYS)) {
      it(`hold for ${vector.name}`, () => {
        const check = CHECKS[field(vector, 'algorithm')]
        assert.ok(check)
        check(vector, primitives)
      })
    }
  })
}
