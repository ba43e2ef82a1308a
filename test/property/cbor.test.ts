import assert from 'node:assert/strict'
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import fc from 'fast-check'
import { type CborValue, decodeCbor, encodeCbor, toHex } from '../../protocol/index.ts'

const OPTIONS = { what: 'a value', bytesMax: 100_000, depthMax: 16 }

const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(true, false, null),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 8 }).map((pairs) => new Map(pairs)),
  ),
}))

/** The other way to find out: what the library reads leniently and writes again is what was given. */
function isDeterministicBySecondOpinion(bytes: Uint8Array): boolean {
  try {
    const item: unknown = decode(bytes, {
      useMaps: true,
      rejectDuplicateMapKeys: true,
      allowUndefined: false,
    })
    return isOurs(item) && toHex(encode(item, rfc8949EncodeOptions)) === toHex(bytes)
  } catch {
    return false
  }
}

/** Whether a value is of the kinds that are used. */
function isOurs(item: unknown): item is CborValue {
  if (typeof item === 'number') return Number.isSafeInteger(item)
  if (Array.isArray(item)) return item.every(isOurs)
  if (item instanceof Map) return [...item].every(([key, inner]) => typeof key === 'string' && isOurs(inner))
  return true
}

describe('deterministic CBOR', () => {
  it('reads what it wrote, and writes it again to the same bytes', () => {
    fc.assert(
      fc.property(value, (given) => {
        const bytes = encodeCbor(given)
        assert.equal(toHex(encodeCbor(decodeCbor(bytes, OPTIONS) as CborValue)), toHex(bytes))
      }),
    )
  })

  it('takes changed bytes only if a second opinion does', () => {
    fc.assert(
      fc.property(
        value,
        fc.nat(),
        fc.nat(255),
        fc.constantFrom('change', 'insert', 'remove'),
        (given, place, byte, how) => {
          const bytes = [...encodeCbor(given)]
          const at = place % bytes.length
          bytes.splice(at, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]))
          const changed = Uint8Array.from(bytes)
          let isTaken = true
          try {
            decodeCbor(changed, OPTIONS)
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'FORMAT_INVALID')
            isTaken = false
          }
          assert.equal(isTaken, isDeterministicBySecondOpinion(changed))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('never throws anything but its code for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeCbor(bytes, OPTIONS)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'FORMAT_INVALID')
        }
      }),
      { numRuns: 2000 },
    )
  })
})
