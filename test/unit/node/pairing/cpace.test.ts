import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ristretto255_hasher } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import {
  cpaceBegin,
  cpaceKey,
  cpaceTag,
  generatorString,
  isTag,
  prependLength,
} from '../../../../node/mesh/pairing/cpace.ts'
import { JoinerTry } from '../../../../node/mesh/pairing/session.ts'
import { type DeviceId, isCellarError } from '../../../../protocol/index.ts'

const file = 'test/vectors/pairing/cpace-ristretto255-sha512.json'
const vector = JSON.parse(readFileSync(join(process.cwd(), file), 'utf8')) as Record<string, string>
const bytes = (name: string) => Uint8Array.from(Buffer.from(vector[name] ?? assert.fail(name), 'hex'))
const hex = (value: Uint8Array | undefined) => Buffer.from(value ?? []).toString('hex')

describe('CPace, by the published vectors', () => {
  const input = { secret: bytes('PRS'), channel: bytes('CI'), session: bytes('sid') }

  it('prepends lengths of 7 bits a byte', () => {
    assert.equal(hex(prependLength(new Uint8Array(0))), '00')
    assert.equal(hex(prependLength(Buffer.from('1234'))), '0431323334')
    assert.equal(hex(prependLength(new Uint8Array(127))).slice(0, 4), '7f00')
    assert.equal(hex(prependLength(new Uint8Array(128))).slice(0, 6), '800100')
  })

  it('derives the generator', () => {
    assert.equal(hex(generatorString(input)), vector['generator_string'])
    const generator = ristretto255_hasher.deriveToCurve?.(sha512(generatorString(input)))
    assert.equal(hex(generator?.toBytes()), vector['generator'])
  })

  it('makes the shares, meets, and agrees on the key', () => {
    const a = cpaceBegin(input, bytes('ya'))
    const b = cpaceBegin(input, bytes('yb'))
    assert.equal(hex(a.share), vector['Ya'])
    assert.equal(hex(b.share), vector['Yb'])
    assert.equal(hex(a.meet(b.share)), vector['K'])
    assert.equal(hex(b.meet(a.share)), vector['K'])
    const sent = [
      { share: a.share, data: bytes('ADa') },
      { share: b.share, data: bytes('ADb') },
    ] as const
    assert.equal(hex(cpaceKey(input.session, bytes('K'), ...sent)), vector['ISK_IR'])
  })

  it('multiplies a valid share, and refuses the invalid one and the neutral element', () => {
    const side = cpaceBegin(input, bytes('s'))
    assert.equal(hex(side.meet(bytes('X'))), vector['sX'])
    assert.equal(side.meet(bytes('Y_i1')), undefined)
    assert.equal(side.meet(bytes('Y_i2')), undefined)
    assert.equal(side.meet(new Uint8Array(31)), undefined)
    assert.equal(side.meet(new Uint8Array(32).fill(255)), undefined)
  })

  it('P3.1: refuses, as joiner, a share that is no element, or the neutral one', () => {
    const random = { bytes: (length: number) => Uint8Array.from(randomBytes(length)) }
    const options = { joiner: 'j' as DeviceId, inviter: 'i' as DeviceId, number: '0001', random }
    for (const share of [new Uint8Array(32), new Uint8Array(32).fill(255)]) {
      const attempt = new JoinerTry({ ...options, secret: random.bytes(16) })
      attempt.start()
      assert.throws(
        () => attempt.prove({ type: 'share', nonce: random.bytes(16), share }),
        (error) => isCellarError(error, 'PEER_PROTOCOL'),
      )
    }
  })

  it('tags depend on key, session, share and data', () => {
    const key = bytes('ISK_IR')
    const sent = { share: bytes('Ya'), data: bytes('ADa') }
    const tag = cpaceTag(input.session, key, sent)
    assert.equal(tag.byteLength, 64)
    assert.ok(isTag(tag, cpaceTag(input.session, key, sent)))
    assert.ok(!isTag(tag, cpaceTag(bytes('PRS'), key, sent)))
    assert.ok(!isTag(tag, cpaceTag(input.session, bytes('K'), sent)))
    assert.ok(!isTag(tag, cpaceTag(input.session, key, { share: bytes('Yb'), data: bytes('ADa') })))
    assert.ok(!isTag(tag, cpaceTag(input.session, key, { share: bytes('Ya'), data: bytes('ADb') })))
    assert.ok(!isTag(tag, tag.subarray(0, 63)))
  })
})
