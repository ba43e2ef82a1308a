/** What the directory of an order is called: made of the asker's wish, never what it says as it stands; pure. */

import { orderNameBytesMax } from '../../protocol/index.ts'

/** For a wish of which nothing is left. */
const PLAIN = 'restored'

/**
 * One name for a directory: letters, digits, blanks and a few signs; it begins with a letter or digit, so that it is
 * neither hidden, nor an option, nor `..` (Z2.1).
 *
 * @param wish - anything
 * @returns 1 .. `orderNameBytesMax` bytes of UTF-8
 */
export function directoryName(wish: string): string {
  const safe = wish
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}\p{M} ._-]+/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '')
  let name = ''
  for (const letter of safe) {
    if (Buffer.byteLength(name + letter) > orderNameBytesMax) break
    name += letter
  }
  name = name.replace(/[ .-]+$/, '')
  return name === '' ? PLAIN : name
}

/** The names to try, one after the other: what is there already is left alone. */
export function* namesToTry(wish: string, triesMax: number): Generator<string> {
  const name = directoryName(wish)
  yield name
  for (let number = 2; number <= triesMax; number++) yield `${name}-${String(number)}`
}
