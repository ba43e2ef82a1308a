import assert from 'node:assert/strict'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import fc from 'fast-check'
import {
  codeRandomBytes,
  fingerprintOf,
  makeCode,
  makeToken,
  readSecret,
  tokenRandomBytes,
} from '../../../../node/mesh/pairing/code.ts'
import type { CellarError, DeviceId } from '../../../../protocol/index.ts'

const device = '12D3KooWinviter' as DeviceId
const isWrong = (error: CellarError) => error.code === 'CODE_WRONG'
const random = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

describe('the code of an invitation', () => {
  it('is four digits and four words', () => {
    const code = makeCode(Uint8Array.from([0x10, 0xaf, 0, 0, 0, 1, 0x07, 0xff, 0xff, 0xff]))
    assert.equal(code.text, '4271-abandon-ability-zoo-zoo')
    assert.equal(code.number, '4271')
    assert.equal(Buffer.from(code.secret).toString(), 'abandon ability zoo zoo')
  })

  it('is read as typed: any case, any separators, four letters of each word', () => {
    fc.assert(
      fc.property(
        random(codeRandomBytes),
        fc.constantFrom(' ', '-', '  - ', '_', '. ', '\t'),
        fc.boolean(),
        fc.boolean(),
        (bytes, separator, isShort, isUpper) => {
          const code = makeCode(bytes)
          const parts = code.text.split('-').map((part) => (isShort ? part.slice(0, 4) : part))
          const typed = ` ${parts.join(separator)} `
          assert.deepEqual(readSecret(isUpper ? typed.toUpperCase() : typed), code)
        },
      ),
    )
  })

  it('has words of which four letters are enough', () => {
    assert.equal(wordlist.length, 2048)
    assert.equal(new Set(wordlist.map((word) => word.slice(0, 4))).size, 2048)
  })

  it('takes a whole word that others begin with', () => {
    assert.equal(readSecret('0001 act act act act').text, '0001-act-act-act-act')
  })

  it('refuses what cannot be one, without repeating it', () => {
    for (const typed of [
      '',
      '42',
      '427-a-b-c-d',
      '4271',
      '4271-maple-otter-zebra',
      '4271-maple-otter-zebra-xylophonez',
      '4271-ab-otter-zebra-zoo',
      'maple-otter-zebra-zoo-4271',
      '4271-zoo-zoo-zoo-zoo-zoo',
      'rc1-',
      'rc1-zzzz',
    ]) {
      assert.throws(() => readSecret(typed), isWrong, typed)
    }
    assert.throws(
      () => readSecret('4271-maple-otter-zebra-xylophonez'),
      (error: CellarError) => !error.message.includes('xylo'),
    )
  })
})

describe('the token of an invitation', () => {
  it('carries 128 random bits, the number, whose it is, and addresses', () => {
    fc.assert(
      fc.property(random(tokenRandomBytes), (bytes) => {
        const token = makeToken(bytes, device, ['/ip4/192.168.1.2/tcp/4001'])
        assert.match(token.text, /^rc1-[1-9A-HJ-NP-Za-km-z]+$/)
        assert.deepEqual(readSecret(` ${token.text}\n`), token)
        assert.equal(token.secret.byteLength, 16)
        assert.deepEqual(token.secret, bytes.slice(2))
        assert.deepEqual(token.fingerprint, fingerprintOf(device))
      }),
    )
  })

  it('is refused with any letter changed', () => {
    const { text } = makeToken(new Uint8Array(tokenRandomBytes).fill(7), device, [])
    for (let i = 4; i < text.length; i += 1) {
      const other = text[i] === '2' ? '3' : '2'
      assert.throws(() => readSecret(text.slice(0, i) + other + text.slice(i + 1)), isWrong)
    }
  })
})
