import assert from 'node:assert/strict'
import {
  type DeviceId,
  deriveVaultKeys,
  deviceIdFromPublicKey,
  entropyOfPhrase,
  fromHex,
  isDeviceId,
  nodePrimitives,
  openBox,
  openSecret,
  paperSeed,
  portablePrimitives,
  publicKeyOfDevice,
  signerFromSeed,
  splitPhrase,
  toHex,
  verifySignature,
  wordMeant,
  wordsOfEntropy,
} from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, readVectors, type Vector } from './format.ts'

const KEYS = ['of', 'vault', 'siv', 'seal', 'gear', 'source', 'device', 'message']
const SECRET_KEYS = ['key', 'purpose', 'associated', 'secret']
const BOX_KEYS = ['seed', 'ephemeral', 'entropy']

function checkVault(vector: Vector): void {
  for (const primitives of [nodePrimitives, portablePrimitives]) {
    const { vault, ...keys } = deriveVaultKeys(vector.body, primitives)
    assert.equal(vault, field(vector, 'vault'))
    for (const [name, key] of Object.entries(keys)) assert.equal(toHex(key), field(vector, name))
  }
}

function checkDevice(vector: Vector): void {
  const device = field(vector, 'device') as DeviceId
  const isGood = field(vector, 'expect') === 'success'
  assert.equal(isDeviceId(device), isGood)
  if (!isGood) {
    assertRefuses(vector, () => publicKeyOfDevice(device))
    assert.equal(verifySignature(device, new Uint8Array(1), new Uint8Array(64)), false)
    return
  }
  assert.equal(toHex(publicKeyOfDevice(device)), toHex(vector.body))
  assert.equal(deviceIdFromPublicKey(vector.body), device)
}

function checkSignature(vector: Vector): void {
  const device = field(vector, 'device') as DeviceId
  const message = fromHex(field(vector, 'message'))
  const expected = field(vector, 'expect') === 'success'
  assert.equal(verifySignature(device, message, vector.body), expected)
  for (const primitives of [nodePrimitives, portablePrimitives]) {
    assert.equal(primitives.ed25519Verify(publicKeyOfDevice(device), message, vector.body), expected)
  }
}

function checkSecret(vector: Vector): void {
  const key = fromHex(field(vector, 'key'))
  const associated = fromHex(field(vector, 'associated'))
  const open = (): Uint8Array =>
    openSecret({ key, purpose: field(vector, 'purpose'), associated }, vector.body)
  if (field(vector, 'expect') === 'success') assert.equal(toHex(open()), field(vector, 'secret'))
  else assertRefuses(vector, open)
}

function checkBox(vector: Vector): void {
  const seed = fromHex(field(vector, 'seed'))
  const ephemeral = fromHex(field(vector, 'ephemeral'))
  const context = { purpose: field(vector, 'purpose'), associated: fromHex(field(vector, 'associated')) }
  const { device } = signerFromSeed(seed)
  const open = (): Uint8Array => openBox(seed, device, { ephemeral, sealed: vector.body }, context)
  if (field(vector, 'expect') === 'success') assert.equal(toHex(open()), field(vector, 'secret'))
  else assertRefuses(vector, open)
}

function checkPhrase(vector: Vector): void {
  const read = (): Uint8Array => entropyOfPhrase(Buffer.from(vector.body).toString())
  if (field(vector, 'expect') !== 'success') {
    assertRefuses(vector, read)
    return
  }
  const entropy = read()
  assert.equal(toHex(entropy), field(vector, 'entropy'))
  assert.equal(signerFromSeed(paperSeed(entropy)).device, field(vector, 'device'))
  assert.deepEqual(splitPhrase(Buffer.from(vector.body).toString()).map(wordMeant), wordsOfEntropy(entropy))
}

const CHECKS: Readonly<Record<string, (vector: Vector) => void>> = {
  vault: checkVault,
  device: checkDevice,
  signature: checkSignature,
  secret: checkSecret,
  box: checkBox,
  phrase: checkPhrase,
}

describe('vectors of keys', () => {
  for (const vector of readVectors('keys', [...KEYS, ...SECRET_KEYS, ...BOX_KEYS])) {
    it(`hold for ${vector.name}`, () => {
      const check = CHECKS[field(vector, 'of')]
      assert.ok(check)
      check(vector)
    })
  }
})
