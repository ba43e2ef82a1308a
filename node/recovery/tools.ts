/** What a command line needs that handles recovery phrases: it draws and reads them itself, the node never sees one. */

import { phraseWords, splitPhrase, wordMeant } from '../../protocol/index.ts'
import { readSecretText, writeNewSecret } from '../adapters/private-files.ts'
import { systemWorld } from '../adapters/system-world.ts'
import { type PathText, pathBytes } from '../path-text.ts'
import { type KitFacts, kitPage } from './kit.ts'
import { PaperKey } from './paper-key.ts'

/** Drawing, reading and printing recovery phrases. */
export interface PhraseTools {
  /** Words of a phrase. */
  readonly words: number
  /** Draws a new one. */
  draw(): PaperKey
  /** @throws {CellarError} `PHRASE_WRONG`, naming places and no words */
  read(typed: string): PaperKey
  /** The words in what was typed. */
  split(typed: string): string[]
  /** Whether one is on the list, or the beginning of just one that is. */
  isWord(typed: string): boolean
  /** The page to be printed. */
  kitPage(facts: KitFacts): string
  /** A number 0 .. 1, fit for keys. */
  random(): number
}

/** The tools, with the randomness of this system. */
export const phraseTools: PhraseTools = {
  words: phraseWords,
  draw: () => PaperKey.draw(systemWorld.random),
  read: (typed) => PaperKey.read(typed),
  split: splitPhrase,
  isWord: (typed) => wordMeant(typed) !== undefined,
  kitPage,
  random: () => (systemWorld.random.bytes(1)[0] ?? 0) / 256,
}

/** Reads a small file with a secret. @throws {CellarError} `KEY_MODE` when others may read it, `PATH_NOT_FOUND` */
export function readSecretFile(path: PathText): string {
  return readSecretText(pathBytes(path))
}

/** Writes a secret to a new file of mode 0600, durably. @throws {CellarError} `USAGE` when something is there */
export function writeSecretFile(path: PathText, text: string): void {
  writeNewSecret(pathBytes(path), text)
}
