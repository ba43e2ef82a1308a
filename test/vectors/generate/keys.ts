/** Vectors of keys: derivation, device ids, signatures, sealed secrets, boxes and phrases (keys.md). */

import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { base58 } from '@scure/base'
import {
  beginBoxes,
  concatBytes,
  deriveVaultKeys,
  deviceIdFromPublicKey,
  fromHex,
  paperSeed,
  sealSecret,
  signerFromSeed,
  toHex,
  wordsOfEntropy,
} from '../../../protocol/index.ts'
import type { Vector } from '../format.ts'

const SEED = new Uint8Array(32).fill(7)
const MESSAGE = Buffer.from('rootcellar/1/example\0hello')
const SECRET_KEY = new Uint8Array(32).fill(3)

function vault(name: string, vaultKey: Uint8Array): Vector {
  const { vault: id, siv, seal, gear, source } = deriveVaultKeys(vaultKey)
  const keys = {
    siv: toHex(siv),
    seal: toHex(seal),
    gear: toHex(gear),
    source: toHex(source),
  }
  return {
    name,
    header: { spec: 'keys.md K2.1', expect: 'success', of: 'vault', vault: id, ...keys },
    body: vaultKey,
  }
}

function deviceFault(name: string, rule: string, device: string): Vector {
  const header = {
    spec: `keys.md ${rule}`,
    expect: 'FORMAT_INVALID',
    reason: 'not the id of a device',
    of: 'device',
    device,
  }
  return { name, header, body: new Uint8Array(0) }
}

function deviceVectors(): Vector[] {
  const publicKey = ed25519.getPublicKey(SEED)
  const device = deviceIdFromPublicKey(publicKey)
  const peerId = (head: string, key: Uint8Array): string => base58.encode(concatBytes([fromHex(head), key]))
  const notCanonical = fromHex('f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
  const smallOrder = fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
  return [
    {
      name: 'device',
      header: { spec: 'keys.md K3.1', expect: 'success', of: 'device', device },
      body: publicKey,
    },
    deviceFault('device-empty', 'K3.1', ''),
    deviceFault('device-not-base58', 'K3.1', `${device.slice(0, -1)}0`),
    deviceFault('device-cut', 'K3.1', device.slice(0, -1)),
    deviceFault('device-as-cid', 'K3.1', 'k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r'),
    deviceFault('device-of-other-key-type', 'K3.1', peerId('002408021220', publicKey)),
    deviceFault('device-longer-varint', 'K3.1', peerId('00a400080112', publicKey)),
    deviceFault('device-key-not-canonical', 'K3.2', peerId('002408011220', notCanonical)),
    deviceFault('device-key-of-small-order', 'K3.2', peerId('002408011220', smallOrder)),
    deviceFault('device-key-not-on-curve', 'K3.2', peerId('002408011220', fromHex(`02${'00'.repeat(31)}`))),
  ]
}

function signature(name: string, rule: string, expect: boolean, bytes: Uint8Array): Vector {
  const device = signerFromSeed(SEED).device
  const header = { spec: `keys.md ${rule}`, expect: expect ? 'success' : 'refused', of: 'signature', device }
  return { name, header: { ...header, message: toHex(MESSAGE) }, body: bytes }
}

function signatureVectors(): Vector[] {
  const good = Uint8Array.from(signerFromSeed(SEED).sign(MESSAGE))
  const changed = Uint8Array.from(good)
  changed[0] = (changed[0] as number) ^ 1
  return [
    signature('signature', 'K3.3', true, good),
    signature('signature-changed', 'K3.3', false, changed),
    signature('signature-cut', 'K3.3', false, good.subarray(0, 63)),
    signature('signature-s-beyond-order', 'K3.4', false, withOrderAdded(good)),
    signature('signature-right-only-with-cofactor', 'K3.5', false, withTorsion()),
  ]
}

/** The same S plus the group order: equal in the group, another string of bytes. */
function withOrderAdded(good: Uint8Array): Uint8Array {
  const s = fromLittleEndian(good.subarray(32)) + ed25519.Point.Fn.ORDER
  return concatBytes([good.subarray(0, 32), toLittleEndian(s)])
}

/** A signature whose R has a part of small order: right when multiplied by the cofactor, wrong without. */
function withTorsion(): Uint8Array {
  const { Point, utils } = ed25519
  const { scalar, pointBytes } = utils.getExtendedPublicKey(SEED)
  const { Fn } = Point
  const torsion = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', true)
  const nonce = 12_345_678_901_234_567_890n
  const r = Point.BASE.multiply(nonce).add(torsion).toBytes()
  const k = Fn.create(fromLittleEndian(sha512(concatBytes([r, pointBytes, MESSAGE]))))
  return concatBytes([r, toLittleEndian(Fn.create(nonce + k * scalar))])
}

function secretVectors(): Vector[] {
  const nonce = Uint8Array.from({ length: 24 }, (_, position) => 0x40 + position)
  const associated = Buffer.from('mesh')
  const sealed = sealSecret(
    { key: SECRET_KEY, purpose: 'vault-key', associated },
    nonce,
    Buffer.from('a secret'),
  )
  const changed = Uint8Array.from(sealed)
  changed[24] = (changed[24] as number) ^ 1
  const header = {
    spec: 'keys.md K4.1',
    expect: 'success',
    of: 'secret',
    key: toHex(SECRET_KEY),
    purpose: 'vault-key',
  }
  const right = { ...header, associated: toHex(associated) }
  const fault = { expect: 'KEY_INVALID', reason: 'does not open' }
  return [
    { name: 'secret', header: { ...right, secret: toHex(Buffer.from('a secret')) }, body: sealed },
    { name: 'secret-changed', header: { ...right, ...fault }, body: changed },
    { name: 'secret-too-short', header: { ...right, ...fault }, body: sealed.subarray(0, 39) },
    { name: 'secret-other-purpose', header: { ...right, ...fault, purpose: 'seed' }, body: sealed },
    { name: 'secret-other-associated', header: { ...right, ...fault, associated: '00' }, body: sealed },
    { name: 'secret-other-key', header: { ...right, ...fault, key: '04'.repeat(32) }, body: sealed },
  ]
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`)
}

function toLittleEndian(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).reverse()
}

/** All vectors of keys. */
export function keyVectors(): Vector[] {
  const counting = Uint8Array.from({ length: 32 }, (_, position) => position)
  return [
    vault('vault-counting', counting),
    vault('vault-zero', new Uint8Array(32)),
    ...deviceVectors(),
    ...signatureVectors(),
    ...secretVectors(),
    ...boxVectors(),
    ...phraseVectors(),
  ]
}

/** A box for the device of {@link SEED}, by a key pair that is fixed. */
function boxVectors(): Vector[] {
  const { device } = signerFromSeed(SEED)
  const sealer = beginBoxes(new Uint8Array(32).fill(0x31))
  const associated = Buffer.from('mesh')
  const context = { purpose: 'vault-box', associated }
  const sealed = sealer.seal(device, context, new Uint8Array(24).fill(0x40), Buffer.from('a secret'))
  const right = {
    spec: 'keys.md K5.1',
    expect: 'success',
    of: 'box',
    seed: toHex(SEED),
    ephemeral: toHex(sealer.ephemeral),
    purpose: 'vault-box',
    associated: toHex(associated),
  }
  const fault = { expect: 'KEY_INVALID', reason: 'does not open' }
  const other = toHex(beginBoxes(new Uint8Array(32).fill(0x32)).ephemeral)
  return [
    { name: 'box', header: { ...right, secret: toHex(Buffer.from('a secret')) }, body: sealed },
    { name: 'box-for-another', header: { ...right, ...fault, seed: '05'.repeat(32) }, body: sealed },
    { name: 'box-other-ephemeral', header: { ...right, ...fault, ephemeral: other }, body: sealed },
    { name: 'box-other-purpose', header: { ...right, ...fault, purpose: 'seed' }, body: sealed },
    { name: 'box-other-associated', header: { ...right, ...fault, associated: '00' }, body: sealed },
    {
      name: 'box-ephemeral-of-small-order',
      header: { ...right, ...fault, reason: 'small order', ephemeral: '00'.repeat(32) },
      body: sealed,
    },
  ]
}

/** Phrases as they are typed, in the body as UTF-8; what was drawn, and the paper device that it makes. */
function phraseVectors(): Vector[] {
  const entropy = Uint8Array.from({ length: 32 }, (_, position) => 0x80 + position)
  const words = wordsOfEntropy(entropy)
  const device = signerFromSeed(paperSeed(entropy)).device
  const header = { spec: 'keys.md K6.1', expect: 'success', of: 'phrase', entropy: toHex(entropy), device }
  const good = (name: string, spec: string, typed: string): Vector => ({
    name,
    header: { ...header, spec },
    body: Buffer.from(typed),
  })
  const bad = (name: string, spec: string, reason: string, typed: readonly string[]): Vector => ({
    name,
    header: { spec, expect: 'PHRASE_WRONG', reason, of: 'phrase' },
    body: Buffer.from(typed.join(' ')),
  })
  const other = words[6] === 'abandon' ? 'zoo' : 'abandon'
  const numbered = words.map((word, at) => `${String(at + 1)}. ${word.toUpperCase()}`).join('\n')
  return [
    good('phrase', 'keys.md K6.1', words.join(' ')),
    good('phrase-typed-from-paper', 'keys.md K6.2', numbered),
    good('phrase-by-four-letters', 'keys.md K6.2', words.map((word) => word.slice(0, 4)).join('-')),
    bad('phrase-word-unknown', 'keys.md K6.3', 'word 7 is not on the list', words.with(6, 'qqqq')),
    bad('phrase-word-too-short', 'keys.md K6.3', 'word 7 is not on the list', words.with(6, 'ab')),
    bad('phrase-word-missing', 'keys.md K6.3', 'it has 23 words', words.slice(1)),
    bad('phrase-word-more', 'keys.md K6.3', 'it has 25 words', [...words, 'zoo']),
    bad('phrase-word-wrong', 'keys.md K6.3', 'not the right one', words.with(6, other)),
    bad('phrase-nothing', 'keys.md K6.3', 'it has 0 words', []),
  ]
}
