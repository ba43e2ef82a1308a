/** Recovery phrases: from where they come, and how one is shown. Never from an argument. */

import { CellarError, type PaperKey } from '../node/client.ts'
import type { Session } from './session.ts'

/** A phrase as it is shown: words go down the columns. */
const lines = 6
const columns = 4

/**
 * The recovery phrase that a person has: from a file or standard input (`-`), or typed on the terminal, where a word
 * that is not on the list is asked for again at once.
 *
 * @throws {CellarError} `PHRASE_WRONG`, `USAGE` where there is nobody to ask
 */
export async function askPhrase(session: Session, file: string | undefined): Promise<PaperKey> {
  const phrases = await session.world.door.phrases()
  if (file !== undefined) {
    const text =
      file === '-' ? await readAll(session) : await session.world.door.readSecretFile(session.path(file))
    return phrases.read(text)
  }
  if (!session.asker.isThere)
    throw new CellarError(
      'USAGE',
      'there is nobody to ask for the phrase: give it with --phrase-file FILE, or -',
    )
  await session.world.stderr.write(
    'The 24 words of the recovery phrase, in their order, as many in a line as you like.\nFour letters of each are enough. An empty line gives up.\n',
  )
  const words: string[] = []
  while (words.length < phrases.words) {
    const line = await session.asker.line(`word ${String(words.length + 1)}> `)
    const typed = phrases.split(line ?? '')
    if (typed.length === 0) throw new CellarError('ABORTED', 'no phrase was typed')
    for (const part of typed) {
      if (phrases.isWord(part)) words.push(part)
      else {
        await session.world.stderr.write(
          `word ${String(words.length + 1)} is not on the list; go on from there\n`,
        )
        break
      }
    }
  }
  return phrases.read(words.join(' '))
}

async function readAll(session: Session): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const bytes of session.world.stdin.bytes()) {
    parts.push(bytes)
    length += bytes.byteLength
    if (length > 16_384) throw new CellarError('USAGE', 'this is too long to be a recovery phrase')
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The words in columns with their numbers, to be written down. */
export function formatPhrase(words: readonly string[]): string {
  const cells = words.map((word, at) => `${String(at + 1).padStart(2)}. ${word.padEnd(10)}`)
  return Array.from({ length: lines }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => cells[column * lines + row] ?? '')
      .join('  ')
      .trimEnd(),
  ).join('\n')
}

/** Places that a person is asked for after writing the words down: one in each third. */
const asked = 3

/**
 * Asks for some words of a phrase that was just shown, so that it is on paper and readable.
 *
 * @param draw - 0 .. 1, anew each time
 * @returns whether they were right; false when the person leaves it for later
 */
export async function checkWritten(session: Session, paper: PaperKey, draw: () => number): Promise<boolean> {
  const words = paper.words()
  const third = words.length / asked
  const places = Array.from({ length: asked }, (_, n) => Math.floor((n + draw()) * third))
  await session.world.stderr.write(
    '\nTo be sure that it can be read, type some of the words from the paper (an empty line: later).\n',
  )
  for (const place of places) {
    for (;;) {
      const line = await session.asker.line(`word ${String(place + 1)}> `)
      if (line === undefined || line.trim() === '') return false
      if (line.trim().toLowerCase() === words[place]) break
      await session.world.stderr.write('that is not what was shown; look again\n')
    }
  }
  return true
}
