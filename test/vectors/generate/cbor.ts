/** Vectors of deterministic CBOR: what is read, and every other form that is refused (README.md B3). */

import { fromHex } from '../../../protocol/index.ts'
import type { Vector } from '../format.ts'

function good(name: string, hex: string, value: string): Vector {
  return { name, header: { spec: 'README.md B3.1', expect: 'success', value }, body: fromHex(hex) }
}

function bad(name: string, rule: string, reason: string, hex: string): Vector {
  return { name, header: { spec: `README.md ${rule}`, expect: 'FORMAT_INVALID', reason }, body: fromHex(hex) }
}

const SHORTEST = 'not in its shortest form'
const SIMPLE = 'neither true, false nor null'
const EARLY = 'it ends too early'
const MORE = 'more items are announced than follow'

/** All vectors of CBOR. */
export function cborVectors(): Vector[] {
  return [
    good('number-23', '17', '23'),
    good('number-24', '1818', '24'),
    good('number-negative', '3903e7', '-1000'),
    good('number-64-bits', '1bffffffffffffffff', '"int:18446744073709551615"'),
    good('text', '64c3a97465', '"éte"'),
    good('bytes', '43010203', '"hex:010203"'),
    good('simple-values', '83f4f5f6', '[false,true,null]'),
    good('array-nested', '8201820280', '[1,[2,[]]]'),
    good('map', 'a2616101626262f6', '{"a":1,"bb":null}'),
    bad('number-longer-8', 'B3.1', SHORTEST, '1817'),
    bad('number-longer-16', 'B3.1', SHORTEST, '1900ff'),
    bad('number-longer-32', 'B3.1', SHORTEST, '1a0000ffff'),
    bad('number-longer-64', 'B3.1', SHORTEST, '1b00000000ffffffff'),
    bad('number-negative-longer', 'B3.1', SHORTEST, '3800'),
    bad('length-longer', 'B3.1', SHORTEST, '580161'),
    bad('array-indefinite', 'B3.2', 'indefinite lengths', '9f01ff'),
    bad('bytes-indefinite', 'B3.2', 'indefinite lengths', '5f4101ff'),
    bad('head-reserved', 'B3.2', 'a reserved head', '1c'),
    bad('tag', 'B3.3', 'tags are not used', 'c101'),
    bad('float-16', 'B3.3', SIMPLE, 'f93c00'),
    bad('float-64', 'B3.3', SIMPLE, 'fb3ff199999999999a'),
    bad('undefined', 'B3.3', SIMPLE, 'f7'),
    bad('simple-other', 'B3.3', SIMPLE, 'f820'),
    bad('break-alone', 'B3.3', SIMPLE, 'ff'),
    bad('text-not-utf8', 'B3.4', 'text is not UTF-8', '62c328'),
    bad('text-surrogate', 'B3.4', 'text is not UTF-8', '63eda080'),
    bad('key-not-text', 'B3.5', 'a key is not text', 'a10102'),
    bad('keys-not-in-order', 'B3.5', 'keys are not in order', 'a2616202616101'),
    bad('keys-longer-first', 'B3.5', 'keys are not in order', 'a262616101616202'),
    bad('key-twice', 'B3.5', 'keys are not in order', 'a2616101616102'),
    bad('nothing', 'B3.6', EARLY, ''),
    bad('item-missing', 'B3.6', EARLY, '828101'),
    bad('value-missing', 'B3.6', EARLY, 'a16161'),
    bad('number-cut', 'B3.6', EARLY, '1901'),
    bad('something-follows', 'B3.6', 'something follows', '0000'),
    bad('bytes-beyond-end', 'B3.7', 'a string runs beyond the end', '5bffffffffffffffff'),
    bad('key-beyond-end', 'B3.7', 'a string runs beyond the end', 'a178ff61'),
    bad('array-beyond-end', 'B3.7', MORE, '9affffffff'),
    bad('map-beyond-end', 'B3.7', MORE, 'bbffffffffffffffff'),
    bad('nested-too-deeply', 'B3.7', 'nested too deeply', '81818181818181818180'),
  ]
}
